// The SMTP dialogue between one client and prog, as a state machine without
// I/O: the proxy fills and empties the buffers, reports events, and carries
// out the actions. One command goes to the child at a time, its whole reply
// comes back, then the next.
//
// The logic is a coroutine (session*.cc) that reads like the dialogue. It has
// one way to wait, event(), and is resumed by resume(). co_await stands only in
// statements of its own or initialisers: g++ 12 miscompiles some others.
#pragma once

#include <algorithm>
#include <chrono>
#include <coroutine>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "spf/base/buffer.hh"
#include "spf/engine/check.hh"
#include "spf/settings/config.hh"
#include "spf/dialogue/action.hh"
#include "spf/dialogue/policy.hh"
#include "spf/dialogue/reply.hh"
#include "spf/dialogue/command.hh"
#include "spf/dialogue/task.hh"
#include "spf/engine/verdict.hh"

namespace spf {

class Session {
 public:
  // `config` must outlive the session; `pid` is for the log; `is_own` is asked
  // for the literals that MAIL has.
  Session(const Config& config, long pid, IsOwnAddress& is_own);
  Session(const Session&) = delete;

  // The proxy appends to the first three and consumes from the others. A full
  // buffer means: read no more for now. What spftls says goes to the second
  // until the client is handed over to it, and then is what the client says.
  Buffer& from_client() { return from_client_; }
  Buffer& from_tls() { return from_tls_; }
  Buffer& from_child() { return from_child_; }
  Buffer& to_client() { return to_client_; }
  Buffer& to_child() { return to_child_; }

  // Events. Each is followed by resume().
  void client_closed() { client_ = std::max(client_, ClientSide::closed); }  // it may still listen
  void client_lost() { client_ = ClientSide::lost; }
  void child_closed() { child_.closed = true; }  // end of its output, or it did not start
  // It takes no more: what waits for it is dropped, what it says of a message
  // that it can't have got whole is not believed.
  void child_deaf() {
    child_.deaf = true;
    to_child_.clear();
  }
  void tls_closed() { tls_closed_ = true; }  // spftls has nothing more to say
  // `cpu_time`: what the check has used of the processor.
  void check_done(Judgement judgement, std::chrono::microseconds cpu_time = {}) {
    judgement_ = std::move(judgement);
    checks_cpu_time_ += cpu_time;
  }
  void exempted(Exemption exemption, std::chrono::microseconds cpu_time = {}) {
    exemption_ = std::move(exemption);
    checks_cpu_time_ += cpu_time;
  }
  // Whether the queue program will find what action::Annotate said.
  void annotated(bool done) { annotated_ = done; }
  void timed_out() { timed_out_ = true; }  // the time of limit() is over
  void shut_down() { shutting_down_ = true; }

  // Goes on with the dialogue as far as buffers and events allow. The first
  // call starts it. Throws only where memory runs out: then that was the end.
  void resume();

  // What has to be done now; empty at the next call.
  Actions take_actions() { return std::exchange(actions_, {}); }

  // Whether what the client says is for the session, and not for spftls first.
  bool listens() const { return listens_; }

  // Whether what waits for the client should go out now: not while a command
  // that it has sent is still to be answered (RFC 2920 section 3.2).
  bool output_ready() const;

  // The dialogue is over: what waits for the client goes out, the child's
  // input ends, and its exit code is ours.
  bool finished() const { return end_.has_value(); }

  // The child there is has greeted and, where it was started again, taken EHLO.
  // Until then it has nothing that could be lost with it.
  bool child_is_up() const { return child_.up; }

  // The child hangs or does not speak SMTP: there is nothing to wait for.
  bool child_hopeless() const { return end_ && end_->child_hopeless; }

  // The client may still be sending, and must be listened to for a while or
  // it might not see the last reply.
  bool client_may_be_sending() const { return end_ && end_->client_may_be_sending; }

  // The time limit that runs now; a new `number` means that it starts anew.
  struct Limit {
    unsigned long number;
    std::chrono::seconds time;
  };
  Limit limit() const { return {limit_number_, limit_time_}; }

 private:
  struct Event {           // awaited for the next resume()
    Session& session;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const noexcept { session.waiting_ = handle; }
    void await_resume() const noexcept {}
  };
  struct ClientGone {};
  struct ChildGone {       // after it took its leave
    bool client_may_be_sending = false;
  };
  struct ChildTrouble {    // it died, hangs, or does not speak SMTP
    std::string_view reply = reply::server_trouble;  // what the client hears of it
  };
  struct Close {           // end the session with this reply
    std::string reply;
  };
  struct Line {
    std::string text;
    std::string_view problem;  // our reply to a line that can't be used, or ""
  };

  struct Judged : JudgedMail {
    bool logged = false;  // as let through, for the reason that it has now
  };

  using Variables = std::vector<std::string>;  // "NAME=value", for prog
  static const Variables no_variables;         // of a prog without a checked MAIL

  Task<void> serve();
  Task<void> dialogue();
  Task<bool> execute(Command command);
  Task<void> greet(Command command);
  Task<void> mail(const Path& path);
  Task<void> recipient(const Path& path);
  Task<void> data();
  Task<void> transfer(const std::string& header);
  Task<void> authenticate(std::string_view argument);
  Task<void> starttls(std::string_view argument);
  Task<void> prepare_tls();
  Task<void> start_tls();
  Task<void> pass_starttls();
  Task<void> relay(std::string line);

  Task<std::optional<Judgement>> check(const Query& query);
  Task<bool> find_exemption(Judged& judged);
  template <class Answer>
  Task<std::optional<Answer>> answer_to_check(std::optional<Answer>& answer);
  bool may_be_exempted(const Judged& judged) const;
  Task<void> pass_unchecked(const Path& path);
  Task<bool> forget_verdict();
  Task<bool> annotate(std::string octets);
  Task<std::optional<Reply>> accept(const Path& path, Judged& judged, unsigned level);
  Task<bool> give_held(unsigned level);
  Task<void> reset_child();
  Task<Reply> start_child(const Variables& variables);
  Task<bool> start_again(const Variables& variables);
  Task<bool> replace_child(const Variables& variables);
  Task<Reply> ask(std::string line);
  Task<Reply> child_reply();
  enum class LineKind { command, opaque };  // opaque: the answer to 334
  Task<Line> client_line(LineKind kind);
  Task<void> pass(Reply reply);
  Event event() { return {*this}; }
  Task<void> client_event();

  bool client_is_done() const;
  void swallow_beyond(std::size_t limit);
  bool client_has_closed() const { return client_ != ClientSide::open; }
  void stop_waiting_if_over() const;
  void forget_child();
  template <class Kind>
  void act(Kind action) {
    actions_.emplace_back(std::move(action));
  }
  void warn(std::string line) { act(action::Warn{std::move(line)}); }
  void say(std::string_view reply);
  void log(unsigned code, std::string_view recipient, const Judged& judged, unsigned level);
  void log_tls_without_check();
  void count_mail();
  Judged* judged();
  std::string client_text() const;
  StarttlsKeyword starttls_keyword() const;
  AuthKeyword auth_keyword() const;
  void listen_to_idle_child();
  void begin_limit(std::chrono::seconds time);

  const Config& config_;
  const long pid_;
  IsOwnAddress& is_own_;

  BufferMemory memory_;
  Buffer from_client_, from_tls_, from_child_, to_client_, to_child_;
  Actions actions_;
  std::coroutine_handle<> waiting_;
  bool timed_out_ = false, shutting_down_ = false;
  std::optional<Judgement> judgement_;
  std::optional<Exemption> exemption_;
  std::optional<bool> annotated_;
  unsigned long limit_number_ = 0;
  std::chrono::seconds limit_time_;
  std::chrono::seconds reply_time_;  // what the child has for a reply

  // How the session ended.
  struct End {
    bool client_may_be_sending = false, child_hopeless = false;
  };
  std::optional<End> end_;

  // The client's side.
  enum class ClientSide { open, closed, lost };
  ClientSide client_ = ClientSide::open;
  bool awaiting_client_ = false;
  bool swallowing_ = false;        // the rest of a line that was too long
  std::string hello_, helo_name_;  // the last HELO or EHLO that the child took
  bool trusted_;                   // not checked: authenticated, or none of our business
  bool listens_;                   // false before SMTPS has its TLS

  // What the client has made us do.
  unsigned mails_ = 0;
  bool checked_ = false;  // one of them, or more
  std::chrono::microseconds checks_cpu_time_{0};

  enum class Tls { none, ready, unusable, active };
  Tls tls_ = Tls::none;
  bool tls_closed_ = false;
  Variables tls_variables_;  // for prog, inside TLS
  std::string tls_name_;     // the protocol, or "none"

  // The child's side. It is up once it has greeted and, where it was started
  // again, has taken EHLO.
  struct ChildSide {
    ReplyParser parser;
    bool closed = false, deaf = false, up = false;
  };
  ChildSide child_;
  Variables child_variables_;
  bool farewell_ = false;  // the client knows that it closes

  // The mail transaction (RFC 5321 section 3.3).
  struct NoTransaction {};
  struct Refused {  // the child does not know of it; its recipients are refused
    Judged judged;
  };
  struct Held {  // nor of this: it gets MAIL with the first recipient that is let through
    Judged judged;
    Path path;
    bool tried = false;  // it was given it, and refused
  };
  struct Open {  // the child took MAIL
    std::string header;            // what is put into the message, "" for nothing
    std::optional<Judged> judged;  // where not all recipients are let through
  };
  std::variant<NoTransaction, Refused, Held, Open> transaction_;

  std::optional<Task<void>> task_;  // last: its frame refers to the rest
};

}  // namespace spf
