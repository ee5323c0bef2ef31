// The SMTP dialogue between one client and prog, as a state machine without
// I/O: the proxy fills and empties the buffers, reports events, and carries
// out the actions. One command goes to the child at a time, its whole reply
// comes back, then the next.
//
// The logic is a coroutine (session.cc) that reads like the dialogue. It has
// one way to wait, event(), and is resumed by resume(). co_await stands only in
// statements of its own or initialisers: g++ 12 miscompiles some others.
#pragma once

#include <chrono>
#include <coroutine>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/base/buffer.hh"
#include "spf/engine/check.hh"
#include "spf/settings/config.hh"
#include "spf/dialogue/policy.hh"
#include "spf/dialogue/reply.hh"
#include "spf/dialogue/command.hh"
#include "spf/dialogue/task.hh"
#include "spf/engine/verdict.hh"

namespace spf {

// What the proxy is to do, in the order of the members.
struct Actions {
  std::vector<std::string> warnings;  // lines, to be marked as warnings
  std::vector<std::string> log;       // lines, as they are
  bool abandon_check = false;
  bool dismiss_previous = false;  // tell it `dismissal` and close its input
  bool restore_previous = false;  // it is the child again, the new one is killed
  // Start prog with these variables ("NAME=value") added to the environment; a
  // child that is there already is set aside until the new one has proved itself.
  std::optional<std::vector<std::string>> start_child;
  bool dismiss_tls = false;       // spftls is not needed
  bool prepare_tls = false;       // start it; it waits
  // Once the client has its replies: read no more from it, hand it to spftls,
  // and take that for the client. Out of prog's environment comes what speaks
  // of TLS in other ways.
  bool start_tls = false;
  bool close_child_input = false;  // once the buffer to it is empty
  std::optional<Query> start_check;
};

// How an idle child is told to go.
inline constexpr std::string_view dismissal = "QUIT\r\n";

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
  void client_closed() { client_closed_ = true; }  // end of its input; it may still listen
  void client_lost() { client_lost_ = client_closed_ = true; }
  void child_closed() { child_closed_ = true; }  // end of its output, or it did not start
  // It takes no more: what waits for it is dropped, what it says of a message
  // that it can't have got whole is not believed.
  void child_deaf() {
    deaf_ = true;
    to_child_.clear();
  }
  void tls_closed() { tls_closed_ = true; }  // spftls has nothing more to say
  // `cpu_time`: what the check has used of the processor.
  void check_done(Verdict verdict, std::chrono::microseconds cpu_time = {}) {
    verdict_ = std::move(verdict);
    checks_cpu_time_ += cpu_time;
  }
  void timed_out() { timed_out_ = true; }  // the time of limit() is over
  void shut_down() { shutting_down_ = true; }

  // Goes on with the dialogue as far as buffers and events allow. The first
  // call starts it. Throws only where memory runs out: then that was the end.
  void resume();

  // What has to be done now; empty at the next call.
  Actions take_actions() { return std::exchange(actions_, Actions{}); }

  // Whether what the client says is for the session, and not for spftls first.
  bool listens() const { return listens_; }

  // Whether what waits for the client should go out now: not while a command
  // that it has sent is still to be answered (RFC 2920 section 3.2).
  bool output_ready() const;

  // The dialogue is over: what waits for the client goes out, the child's
  // input ends, and its exit code is ours.
  bool finished() const { return finished_; }

  // The child there is has greeted and, where it was started again, taken EHLO.
  // Until then it has nothing that could be lost with it.
  bool child_is_up() const { return child_is_up_; }

  // The child hangs or does not speak SMTP: there is nothing to wait for.
  bool child_hopeless() const { return child_hopeless_; }

  // The client may still be sending, and must be listened to for a while or
  // it might not see the last reply.
  bool client_may_be_sending() const { return client_may_be_sending_; }

  // The time limit that runs now; a new `number` means that it starts anew.
  struct Limit {
    unsigned long number;
    std::chrono::seconds time;
  };
  Limit limit() const { return {limit_number_, limit_time_}; }

 private:
  struct Event;        // awaited for the next resume()
  struct ClientGone {};
  struct ChildGone {};     // after it took its leave
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

  Task<void> serve();
  Task<void> dialogue();
  Task<bool> execute(Command command);
  Task<void> greet(Command command);
  Task<void> mail(const Path& path);
  Task<void> recipient(const Path& path);
  Task<void> data();
  Task<void> transfer();
  Task<void> authenticate(std::string_view argument);
  Task<void> starttls(std::string_view argument);
  void prepare_tls();
  void dismiss_tls();
  Task<void> await_tls();
  Task<void> start_tls();
  Task<void> pass_starttls();
  Task<void> relay(std::string line);

  Task<std::optional<Verdict>> check();
  Task<void> open_transaction(const Path& path);
  Task<void> reset_child();
  Task<Reply> start_child(std::vector<std::string> variables);
  Task<bool> start_again(std::vector<std::string> variables);
  Task<bool> replace_child(std::vector<std::string> variables);
  Task<Reply> ask(std::string line);
  Task<Reply> child_reply();
  enum class LineKind { command, opaque };  // opaque: the answer to 334
  Task<Line> client_line(LineKind kind);
  Task<void> pass(Reply reply);
  Event event();
  Task<void> client_event();

  bool client_is_done() const;
  void say(std::string_view reply);
  void log(unsigned code, std::string_view recipient);
  StarttlsKeyword starttls_keyword() const;
  void listen_to_idle_child();
  void begin_limit(std::chrono::seconds time);

  const Config& config_;
  const long pid_;
  IsOwnAddress& is_own_;

  Buffer from_client_, from_tls_, from_child_, to_client_, to_child_;
  Actions actions_;
  std::coroutine_handle<> waiting_;
  bool client_closed_ = false, client_lost_ = false, child_closed_ = false;
  bool timed_out_ = false, shutting_down_ = false, finished_ = false;
  bool client_may_be_sending_ = false;
  std::optional<Verdict> verdict_;
  unsigned long limit_number_ = 0;
  std::chrono::seconds limit_time_;
  std::chrono::seconds reply_time_;  // what the child has for a reply

  // The client's side.
  bool awaiting_client_ = false;
  bool swallowing_ = false;        // the rest of a line that was too long
  std::string hello_, helo_name_;  // the last HELO or EHLO that the child took
  bool trusted_;                   // not checked: authenticated, or none of our business
  bool listens_;                   // false before SMTPS has its TLS

  // TLS.
  bool tls_closed_ = false;
  bool tls_waits_ = false;           // spftls was started, and waits for the client
  std::optional<bool> tls_usable_;   // what it said of its certificate
  std::vector<std::string> tls_variables_;  // for prog, inside TLS
  std::string tls_name_;                    // the protocol, or "none"
  bool inside_tls_ = false;

  // What the client has made us do.
  unsigned mails_ = 0;
  std::chrono::microseconds checks_cpu_time_{0};

  // The last MAIL that was checked.
  Query query_;
  Verdict checked_;
  std::string header_value_;
  bool rejecting_ = false;  // its recipients are

  // The child's side.
  ReplyParser parser_;
  bool deaf_ = false;
  bool child_is_up_ = false;
  bool child_hopeless_ = false;
  bool farewell_ = false;  // the client knows that it closes
  unsigned starts_ = 0;
  std::vector<std::string> child_variables_;
  bool transaction_ = false;      // it took a MAIL
  bool insert_header_ = false;    // into the message of that transaction

  std::optional<Task<void>> task_;  // last: its frame refers to the rest
};

}  // namespace spf
