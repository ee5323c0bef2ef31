#include "spf/dialogue/session.hh"

#include <algorithm>
#include <exception>
#include <system_error>

#include "spf/dialogue/log_line.hh"
#include "spf/tls/status.hh"

namespace spf {
namespace {

using std::chrono::seconds;

constexpr std::size_t buffer_size = 65536;

// Room that any one reply finds: codes and line ends at most double a line, and
// EHLO's may get one line more.
constexpr std::size_t reply_room = 2 * max_reply_size + 32;

}  // namespace

const Session::Variables Session::no_variables;

Session::Session(const Config& config, long pid, IsOwnAddress& is_own)
    : config_(config),
      pid_(pid),
      is_own_(is_own),
      memory_(4 * buffer_size + max_tls_status),
      from_client_(memory_.take(buffer_size)),
      from_tls_(memory_.take(max_tls_status)),
      from_child_(memory_.take(buffer_size)),
      to_client_(memory_.take(buffer_size)),
      to_child_(memory_.take(buffer_size)),
      limit_time_(config.smtp_timeout),
      reply_time_(config.smtp_timeout),
      trusted_(config.only_tls),
      listens_(!config.smtps),
      tls_name_(config.outer_tls.empty() ? "none" : config.outer_tls) {}

void Session::resume() {
  if (!task_) {
    task_.emplace(serve());
    task_->start();
  } else if (waiting_) {
    std::exchange(waiting_, {}).resume();
  }
  task_->rethrow();
}

bool Session::output_ready() const {
  return finished() || awaiting_client_ || to_client_.room() < reply_room;
}

// The wait for more from the client, before which it must have its replies.
Task<void> Session::client_event() {
  awaiting_client_ = true;
  co_await event();
  awaiting_client_ = false;
}

// Whether it has closed its side, and no command of it waits behind the one in
// hand: there is nobody left to serve.
bool Session::client_is_done() const {
  return client_has_closed() && from_client_.data().find('\n') == std::string_view::npos;
}

// What ends every wait, whatever is waited for.
void Session::stop_waiting_if_over() const {
  if (client_ == ClientSide::lost) throw ClientGone{};
  if (shutting_down_) throw Close{std::string(reply::shutting_down)};
}

// The whole session, and how it ends.

Task<void> Session::serve() {
  End end;
  try {
    co_await dialogue();
  } catch (const Close& close) {
    say(close.reply);
    end.client_may_be_sending = true;
  } catch (const ClientGone&) {
  } catch (const ChildGone& gone) {
    end.client_may_be_sending = gone.client_may_be_sending;
  } catch (const ChildTrouble& trouble) {
    end.child_hopeless = !child_.closed;
    say(trouble.reply);
    end.client_may_be_sending = true;
  } catch (const std::system_error& trouble) {  // from the lists of levels
    warn("unable to read spffrom or spfto: " + trouble.code().message());
    say(std::string(reply::controls));
    end.client_may_be_sending = true;
  }
  log_tls_without_check();
  end_ = end;
}

Task<void> Session::dialogue() {
  if (config_.smtps) {
    co_await prepare_tls();
    if (tls_ != Tls::ready) throw ClientGone{};
    co_await start_tls();
  }
  Reply greeting;
  try {
    greeting = co_await start_child(no_variables);
  } catch (const ChildTrouble&) {
    if (!child_.closed) warn("SMTP server does not greet");
    throw ChildTrouble{reply::cannot_start};
  }
  child_.up = true;
  const bool refused = !greeting.positive();
  co_await pass(std::move(greeting));
  if (refused) farewell_ = true;

  for (bool more = true; more;) {
    const Line line = co_await client_line(LineKind::command);
    if (!line.problem.empty())
      say(line.problem);
    else
      more = co_await execute(parse_command(line.text));
  }
}

// The client.

// Makes room where a line is longer than it may be (one octet may be CR), and
// its end is still to come.
void Session::swallow_beyond(std::size_t limit) {
  const std::string_view waiting = from_client_.data();
  if (waiting.size() <= limit + 1 || waiting.find('\n') != waiting.npos) return;
  swallowing_ = true;
  from_client_.clear();
}

Task<Session::Line> Session::client_line(LineKind kind) {
  begin_limit(config_.smtp_timeout);
  for (;; co_await client_event()) {
    listen_to_idle_child();
    stop_waiting_if_over();
    if (timed_out_) throw Close{std::string(reply::timed_out)};
    if (to_client_.room() < reply_room) continue;

    const std::string_view waiting = from_client_.data();
    const std::size_t limit = kind == LineKind::opaque ? max_auth_line : line_limit(waiting);
    const std::size_t lf = waiting.find('\n');
    if (lf == waiting.npos) {
      swallow_beyond(limit);
      if (client_has_closed()) throw ClientGone{};  // a partial line is no command
      continue;
    }
    std::string text(waiting.substr(0, lf));
    from_client_.consume(lf + 1);
    if (!text.empty() && text.back() == '\r') text.pop_back();
    if (std::exchange(swallowing_, false) || text.size() > limit)
      co_return Line{{}, reply::line_too_long};
    if (text.find('\0') != text.npos || text.find('\r') != text.npos)
      co_return Line{{}, reply::bad_octet};
    co_return Line{std::move(text), {}};
  }
}

Task<void> Session::pass(Reply reply) {
  while (to_client_.room() < reply_room) {
    if (client_ == ClientSide::lost || timed_out_ || shutting_down_) throw ClientGone{};
    co_await event();
  }
  to_client_.append(reply.wire());
  if (reply.code == 421) {  // RFC 5321 section 3.8: it closes, and so do we
    throw ChildGone{.client_may_be_sending = true};
  }
}

void Session::say(std::string_view reply) {
  if (!listens_) return;  // nor would it understand
  const std::string_view line_end = reply.ends_with("\r\n") ? "" : "\r\n";
  if (to_client_.room() < reply.size() + line_end.size()) return;  // it does not listen
  to_client_.append(reply);
  to_client_.append(line_end);
}

void Session::log(unsigned code, std::string_view recipient, const Judged& judged, unsigned level) {
  const LogEntry entry{.code = code,
                       .recipient = recipient,
                       .remote_host = config_.remote_host,
                       .pid = pid_,
                       .tls = tls_name_,
                       .level = level,
                       .policy = code == 250 ? judged.reason() : std::string_view(),
                       .trouble = code == 451 && judged.exemption ? judged.exemption->problem : std::string_view(),
                       .shadow = judged.shadow_code(),
                       .helo_result = judged.helo_result()};
  act(action::Log{log_line(entry, judged.query, judged.judgement.verdict)});
}

void Session::begin_limit(seconds time) {
  ++limit_number_;
  limit_time_ = time;
  timed_out_ = false;
}

}  // namespace spf
