#include "spf/dialogue/session.hh"

#include <algorithm>
#include <exception>

#include "spf/dialogue/message_content.hh"
#include "spf/dialogue/received_spf.hh"
#include "spf/dialogue/variables.hh"
#include "spf/dialogue/log_line.hh"

namespace spf {
namespace {

using std::chrono::seconds;

constexpr std::size_t buffer_size = 65536;

// Room that any one reply finds: codes and line ends at most double a line, and
// EHLO's may get one line more.
constexpr std::size_t reply_room = 2 * max_reply_size + 32;

// A session may not make us work without end. MAIL counts once it has an
// address, also for a client that is not checked.
constexpr unsigned max_starts = 500;  // of prog
constexpr unsigned max_mails = 1000;
constexpr seconds max_cpu_time{10};  // of all checks

// How long a child that is started again has for its greeting and for EHLO;
// clients wait at least five minutes for MAIL (RFC 5321 section 4.5.3.2.2).
constexpr seconds restart_time{60};

// What spftls has to load its certificate, and for the handshake, for which it
// gives the client 30 seconds itself.
constexpr seconds tls_ready_time{10};
constexpr seconds tls_handshake_time{40};

// A client in DATA has shown life when it has sent this much (RFC 5321 section
// 4.5.3.2.5 speaks of blocks).
constexpr std::size_t data_block = 4096;

}  // namespace

struct Session::Event {
  Session& session;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const noexcept { session.waiting_ = handle; }
  void await_resume() const noexcept {}
};

Session::Event Session::event() { return {*this}; }

Session::Session(const Config& config, long pid, IsOwnAddress& is_own)
    : config_(config),
      pid_(pid),
      is_own_(is_own),
      from_client_(buffer_size),
      from_tls_(max_tls_status),
      from_child_(buffer_size),
      to_client_(buffer_size),
      to_child_(buffer_size),
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
  return finished_ || awaiting_client_ || to_client_.room() < reply_room;
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
  return client_closed_ && from_client_.data().find('\n') == std::string_view::npos;
}

// The whole session, and how it ends.

Task<void> Session::serve() {
  try {
    co_await dialogue();
  } catch (const Close& close) {
    say(close.reply);
    client_may_be_sending_ = true;
  } catch (const ClientGone&) {
  } catch (const ChildGone&) {
  } catch (const ChildTrouble& trouble) {
    child_hopeless_ = !child_closed_;
    say(trouble.reply);
    client_may_be_sending_ = true;
  }
  finished_ = true;
}

Task<void> Session::dialogue() {
  if (config_.smtps) {
    prepare_tls();
    co_await await_tls();
    if (!tls_waits_) throw ClientGone{};
    co_await start_tls();
  }
  Reply greeting;
  try {
    std::vector<std::string> none;
    greeting = co_await start_child(std::move(none));
  } catch (const ChildTrouble&) {
    throw ChildTrouble{reply::cannot_start};
  }
  child_is_up_ = true;
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

// Commands. False after QUIT.

Task<bool> Session::execute(Command command) {
  const auto [verb, argument] = command;
  switch (verb) {
    case Verb::helo:
    case Verb::ehlo:
      co_await greet(command);
      break;

    case Verb::mail:
    case Verb::rcpt:
      if (const auto path = parse_path(verb, argument, is_own_); !path)
        say(verb == Verb::mail ? reply::bad_mail : reply::bad_rcpt);
      else if (verb == Verb::mail)
        co_await mail(*path);
      else
        co_await recipient(*path);
      break;

    case Verb::data:
    case Verb::rset:
    case Verb::quit:
      if (!argument.empty()) {
        say(reply::bad_syntax);
      } else if (verb == Verb::data) {
        co_await data();
      } else if (verb == Verb::rset) {
        rejecting_ = false;
        transaction_ = false;
        co_await relay("RSET");
      } else {
        co_await relay("QUIT");
        co_return false;
      }
      break;

    case Verb::noop:
      co_await relay("NOOP");
      break;

    case Verb::vrfy:
    case Verb::expn:
    case Verb::help: {
      std::string line(name(verb));
      if (!argument.empty()) line.append(" ").append(argument);
      if (is_plain(line))
        co_await relay(std::move(line));
      else
        say(reply::bad_syntax);
      break;
    }

    case Verb::auth:
      co_await authenticate(argument);
      break;

    case Verb::starttls:
      co_await starttls(argument);
      break;

    case Verb::bdat:
      throw Close{std::string(reply::no_chunking)};

    case Verb::unknown:
      say(reply::not_implemented);
      break;
  }
  co_return true;
}

Task<void> Session::greet(Command command) {
  if (!is_plain(command.argument)) {
    say(reply::bad_syntax);
    co_return;
  }
  std::string line(name(command.verb));
  if (!command.argument.empty()) line.append(" ").append(command.argument);
  // It makes itself ready while the child answers.
  if (command.verb == Verb::ehlo && !tls_usable_) prepare_tls();
  Reply answer = co_await ask(line);
  if (answer.positive()) {
    hello_ = std::move(line);
    helo_name_ = command.argument;
    transaction_ = rejecting_ = false;
    if (command.verb == Verb::ehlo) {
      co_await await_tls();
      filter_ehlo(answer, starttls_keyword());
    }
  }
  co_await pass(std::move(answer));
}

Task<void> Session::mail(const Path& path) {
  rejecting_ = insert_header_ = false;
  dismiss_tls();  // who sends mail in clear will hardly want it any more
  if (++mails_ > max_mails) throw Close{std::string(reply::too_many_messages)};
  if (checks_cpu_time_ > max_cpu_time) throw Close{std::string(reply::too_much_work)};
  if (trusted_) {
    co_await reset_child();
    co_await open_transaction(path);
    co_return;
  }

  query_ = {config_.client, helo_name_, path.mailbox};
  const std::optional<Verdict> verdict = co_await check();
  if (!verdict) {
    say(reply::lookup_failure);
    co_return;
  }
  checked_ = *verdict;
  header_value_ = header_value(query_, checked_, config_.receiver);

  switch (decide(config_.level, checked_.result)) {
    case Decision::defer:
      co_await reset_child();
      log(451, "");
      say(reply::lookup_failure);
      break;

    case Decision::reject:
      co_await reset_child();
      rejecting_ = true;
      say(reply::ok);
      break;

    case Decision::accept: {
      std::vector<std::string> wanted = variables(checked_, header_value_);
      const bool started = co_await start_again(std::move(wanted));
      co_await reset_child();
      if (!started) {
        say(reply::cannot_start_again);
        break;
      }
      log(250, "");
      insert_header_ = config_.insert_header;
      co_await open_transaction(path);
      break;
    }
  }
}

Task<void> Session::open_transaction(const Path& path) {
  Reply answer = co_await ask(path.command(Verb::mail));
  transaction_ = answer.positive();
  co_await pass(std::move(answer));
}

Task<void> Session::recipient(const Path& path) {
  if (rejecting_) {
    log(550, path.mailbox);
    say(rejection(checked_.explanation).wire());
    co_return;
  }
  co_await relay(path.command(Verb::rcpt));
}

Task<void> Session::data() {
  Reply answer = co_await ask("DATA");
  const bool go_ahead = answer.code == 354;
  if (go_ahead && !transaction_) throw ChildTrouble{};
  co_await pass(std::move(answer));
  if (!go_ahead) co_return;

  co_await transfer();
  to_child_.append(end_of_data);
  try {
    answer = co_await child_reply();
  } catch (const ChildTrouble&) {
    throw ChildTrouble{reply::message_lost};
  }
  if (deaf_ && answer.positive()) throw Close{std::string(reply::message_lost)};
  transaction_ = false;
  co_await pass(std::move(answer));
}

// Carries the message over, without its final dot. Returns only when all of it
// is in the buffer to the child, with room for the dot.
Task<void> Session::transfer() {
  DataFilter filter(insert_header_ ? received_spf(header_value_) : std::string());
  DataFilter::Status status = DataFilter::Status::more;
  std::size_t block = 0;
  begin_limit(config_.smtp_timeout);
  while (status != DataFilter::Status::end || to_child_.room() < end_of_data.size()) {
    if (!from_child_.empty() || child_closed_) {
      // It can only be a refusal: the message is not whole yet.
      Reply early;
      try {
        early = co_await child_reply();
      } catch (const ChildTrouble&) {
        to_child_.clear();
        throw ChildTrouble{reply::message_lost};
      }
      throw Close{early.code >= 400 ? early.wire() : std::string(reply::message_lost)};
    }
    if (status == DataFilter::Status::more) {
      const DataFilter::Step step = filter.push(from_client_.data(), to_child_);
      from_client_.consume(step.taken);
      status = step.status;
      if (status == DataFilter::Status::bare_lf) throw Close{std::string(reply::bare_lf)};
      if (status == DataFilter::Status::end) continue;
      block += step.taken;
      if (block >= data_block) {
        block = 0;
        begin_limit(config_.smtp_timeout);
      }
    }
    if (client_lost_ || (client_closed_ && from_client_.empty())) throw ClientGone{};
    if (shutting_down_) throw Close{std::string(reply::shutting_down)};
    if (timed_out_) throw Close{std::string(reply::timed_out)};
    co_await client_event();
  }
}

Task<void> Session::authenticate(std::string_view argument) {
  if (argument.empty() || !is_plain(argument)) {
    say(reply::bad_syntax);
    co_return;
  }
  if (transaction_ || rejecting_) {
    say(reply::in_transaction);
    co_return;
  }
  std::string line = "AUTH ";
  line += argument;
  // What comes after 235 is not checked, so no older verdict may be there.
  std::vector<std::string> none;
  const bool started = co_await start_again(std::move(none));
  if (!started) {
    say(reply::cannot_start_again);
    co_return;
  }

  Reply answer = co_await ask(std::move(line));
  while (answer.code == 334) {
    co_await pass(std::move(answer));
    Line response = co_await client_line(LineKind::opaque);
    // RFC 4954 section 4: "*" cancels.
    std::string next = response.problem.empty() ? std::move(response.text) : "*";
    answer = co_await ask(std::move(next));
  }
  if (answer.code == 235) trusted_ = true;
  co_await pass(std::move(answer));
}

// TLS (RFC 3207).

Task<void> Session::starttls(std::string_view argument) {
  if (inside_tls_) {
    say(reply::tls_active);
  } else if (config_.starttls == Starttls::hide) {
    say(reply::not_implemented);
  } else if (!argument.empty()) {
    say(reply::bad_syntax);
  } else if (config_.starttls == Starttls::pass) {
    co_await pass_starttls();
  } else {
    prepare_tls();
    co_await await_tls();
    if (!tls_waits_) {
      say(reply::tls_unavailable);
      co_return;
    }
    say(reply::ready_for_tls);
    co_await start_tls();
    std::vector<std::string> none;
    const bool started = co_await replace_child(std::move(none));
    if (client_is_done()) throw ClientGone{};
    if (!started) throw Close{std::string(reply::cannot_start)};
  }
}

// Starts spftls, if it is not there and may be of use.
void Session::prepare_tls() {
  const bool wanted = config_.starttls == Starttls::terminate || config_.smtps;
  if (!wanted || inside_tls_ || tls_waits_ || tls_usable_ == false) return;
  tls_waits_ = true;
  tls_closed_ = false;
  tls_usable_.reset();
  from_tls_.clear();
  actions_.prepare_tls = true;
}

void Session::dismiss_tls() {
  if (std::exchange(tls_waits_, false)) actions_.dismiss_tls = true;
}

StarttlsKeyword Session::starttls_keyword() const {
  if (inside_tls_) return StarttlsKeyword::drop;
  if (config_.starttls == Starttls::pass) return StarttlsKeyword::keep;
  return tls_usable_ == true ? StarttlsKeyword::offer : StarttlsKeyword::drop;
}

// Waits until spftls, if it was started, has said whether it can serve. One
// that can't is dismissed, and what keeps it from that goes to the log.
Task<void> Session::await_tls() {
  if (!tls_waits_ || (tls_usable_ && !tls_closed_)) co_return;
  if (tls_usable_) from_tls_.clear();  // it was ready, and has died
  begin_limit(tls_ready_time);
  std::optional<TlsStatus> status;
  for (;;) {
    status = take_tls_status(from_tls_, TlsStatus::Kind::ready, TlsStatus::Kind::unusable);
    if (status || tls_closed_ || timed_out_) break;
    if (client_lost_) throw ClientGone{};
    if (shutting_down_) throw Close{std::string(reply::shutting_down)};
    co_await event();
  }
  tls_usable_ = status && status->kind == TlsStatus::Kind::ready;
  if (*tls_usable_) co_return;
  dismiss_tls();
  actions_.warnings.push_back("TLS is not offered: " + (status       ? status->reason
                                                        : timed_out_ ? "spftls hangs"
                                                                     : "spftls has died"));
}

// Hands the client to spftls and waits for its handshake. All that was said in
// clear is forgotten (RFC 3207 section 4.2), and what is still to be read of it
// is thrown away: somebody else may have put it there.
Task<void> Session::start_tls() {
  from_client_.clear();
  swallowing_ = false;
  tls_waits_ = false;
  listens_ = true;
  actions_.start_tls = true;
  begin_limit(tls_handshake_time);
  std::optional<TlsStatus> status;
  for (;;) {
    status = take_tls_status(from_client_, TlsStatus::Kind::established, TlsStatus::Kind::failed);
    if (status || client_closed_ || timed_out_) break;
    if (shutting_down_) throw ClientGone{};
    co_await client_event();
  }
  if (!status || status->kind != TlsStatus::Kind::established) {
    actions_.warnings.push_back("TLS handshake with " + config_.client.text() + ": " +
                                (status       ? status->reason
                                 : timed_out_ ? "spftls hangs"
                                              : "connection closed"));
    throw ClientGone{};
  }
  inside_tls_ = true;
  tls_name_ = status->protocol;
  tls_variables_ = tls_variables(*status);
  hello_.clear();
  helo_name_.clear();
  trusted_ = config_.only_tls;
  rejecting_ = transaction_ = insert_header_ = false;
}

// After the child's 220 all that passes is TLS to us.
Task<void> Session::pass_starttls() {
  Reply answer = co_await ask("STARTTLS");
  const bool blind = answer.code == 220;
  co_await pass(std::move(answer));
  if (!blind) co_return;
  actions_.warnings.push_back("STARTTLS: " + config_.client.text() +
                              " goes unchecked from here on");
  from_client_.clear();  // sent in clear before the handshake: not part of it
  const auto copy = [](Buffer& from, Buffer& to) {
    const std::string_view bytes = from.data().substr(0, to.room());
    to.append(bytes);
    from.consume(bytes.size());
  };
  begin_limit(seconds(0));  // the child keeps time
  while (!client_lost_ && !child_closed_ && !(client_closed_ && from_client_.empty())) {
    copy(from_client_, to_child_);
    copy(from_child_, to_client_);
    co_await client_event();
    if (shutting_down_) break;
  }
  actions_.close_child_input = true;
  while (!client_lost_ && !shutting_down_ && !(child_closed_ && from_child_.empty())) {
    copy(from_child_, to_client_);
    co_await client_event();
  }
  throw ClientGone{};
}

Task<void> Session::relay(std::string line) {
  Reply answer = co_await ask(std::move(line));
  co_await pass(std::move(answer));
}

// The check. Nothing, if it was given up because the client went away.

Task<std::optional<Verdict>> Session::check() {
  verdict_.reset();
  actions_.start_check = query_;
  begin_limit(seconds(0));  // the check has its own deadline
  while (!verdict_) {
    co_await event();
    if (verdict_) break;
    if (client_lost_) throw ClientGone{};
    if (shutting_down_) throw Close{std::string(reply::shutting_down)};
    if (client_is_done()) {
      actions_.abandon_check = true;
      co_return std::nullopt;
    }
    listen_to_idle_child();
  }
  co_return std::exchange(verdict_, std::nullopt);
}

// The child.

Task<Reply> Session::start_child(std::vector<std::string> variables) {
  if (client_is_done()) throw ClientGone{};
  if (starts_ == max_starts) throw Close{std::string(reply::too_many_messages)};
  ++starts_;
  variables.insert(variables.end(), tls_variables_.begin(), tls_variables_.end());
  actions_.start_child = std::move(variables);
  // Of the one before, if there is one, nothing more is of interest.
  child_closed_ = deaf_ = child_is_up_ = false;
  from_child_.clear();
  to_child_.clear();
  parser_ = ReplyParser();
  Reply greeting = co_await child_reply();
  co_return greeting;
}

// Brings up a child with these variables, and to where the one there is now
// was after EHLO. False if it does not get there, or if nobody waits for that
// any more: then the old one stays.
Task<bool> Session::start_again(std::vector<std::string> variables) {
  if (variables == child_variables_) co_return true;
  listen_to_idle_child();
  const bool ready = co_await replace_child(std::move(variables));
  co_return ready;
}

Task<bool> Session::replace_child(std::vector<std::string> variables) {
  if (client_is_done()) co_return false;
  bool ready = false, needless = false;
  reply_time_ = std::min(restart_time, config_.smtp_timeout);
  try {
    Reply answer = co_await start_child(variables);
    if (answer.positive() && !hello_.empty()) answer = co_await ask(hello_);
    ready = answer.positive();
  } catch (const ChildTrouble&) {
  } catch (const ClientGone&) {
    if (client_lost_) throw;
    needless = true;  // but a command that is in hand has its reply
  }
  reply_time_ = config_.smtp_timeout;
  child_is_up_ = true;
  if (ready) {
    actions_.dismiss_previous = true;
    child_variables_ = std::move(variables);
    transaction_ = false;
  } else {
    actions_.restore_previous = true;
    if (!needless)
      actions_.warnings.push_back("SMTP server, started again, does not greet and take EHLO");
    child_closed_ = deaf_ = false;
    from_child_.clear();
    to_child_.clear();
    parser_ = ReplyParser();
  }
  co_return ready;
}

// No older transaction stays open behind a MAIL that the child does not see.
Task<void> Session::reset_child() {
  if (!transaction_) co_return;
  transaction_ = false;
  const Reply answer = co_await ask("RSET");
  if (!answer.positive()) throw ChildTrouble{};
}

Task<Reply> Session::ask(std::string line) {
  listen_to_idle_child();
  line += "\r\n";
  while (to_child_.room() < line.size()) {
    if (child_closed_ || timed_out_) throw ChildTrouble{};
    co_await event();
  }
  to_child_.append(line);
  Reply answer = co_await child_reply();
  co_return answer;
}

Task<Reply> Session::child_reply() {
  begin_limit(reply_time_);
  for (;;) {
    std::size_t taken = 0;
    const ReplyParser::Status status = parser_.push(from_child_.data(), taken);
    from_child_.consume(taken);
    if (status == ReplyParser::Status::complete) {
      Reply answer = parser_.take();
      if (to_child_.empty()) co_return answer;
      // It has not read what it answers, and might read the rest as commands.
      to_child_.clear();
      if (answer.code >= 400) throw Close{answer.wire()};
      throw ChildTrouble{};
    }
    if (status == ReplyParser::Status::malformed || child_closed_ || timed_out_)
      throw ChildTrouble{};
    // What it says before it is up answers nothing that the client has said.
    if (client_lost_ || (!child_is_up_ && client_is_done())) throw ClientGone{};
    if (shutting_down_) throw Close{std::string(reply::shutting_down)};
    co_await event();
  }
}

// A child that was asked nothing should be silent; a last word before it goes
// (RFC 5321 section 3.8) is passed on.
void Session::listen_to_idle_child() {
  std::size_t taken = 0;
  const ReplyParser::Status status = parser_.push(from_child_.data(), taken);
  from_child_.consume(taken);
  if (status == ReplyParser::Status::complete) {
    const Reply last_word = parser_.take();
    if (last_word.code == 421 || last_word.code == 451) throw Close{last_word.wire()};
    throw ChildTrouble{};
  }
  if (child_closed_ && farewell_ && !parser_.begun()) throw ChildGone{};
  if (status == ReplyParser::Status::malformed || child_closed_) throw ChildTrouble{};
}

// The client.

Task<Session::Line> Session::client_line(LineKind kind) {
  begin_limit(config_.smtp_timeout);
  for (;; co_await client_event()) {
    listen_to_idle_child();
    if (client_lost_) throw ClientGone{};
    if (shutting_down_) throw Close{std::string(reply::shutting_down)};
    if (timed_out_) throw Close{std::string(reply::timed_out)};
    if (to_client_.room() < reply_room) continue;

    const std::string_view waiting = from_client_.data();
    const std::size_t limit = kind == LineKind::opaque ? max_auth_line : line_limit(waiting);
    const std::size_t lf = waiting.find('\n');
    if (lf == waiting.npos) {
      if (waiting.size() > limit + 1) {  // one may be CR
        swallowing_ = true;
        from_client_.clear();
      }
      if (client_closed_) throw ClientGone{};  // a partial line is no command
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
    if (client_lost_ || timed_out_ || shutting_down_) throw ClientGone{};
    co_await event();
  }
  to_client_.append(reply.wire());
  if (reply.code == 421) {  // RFC 5321 section 3.8: it closes, and so do we
    client_may_be_sending_ = true;
    throw ChildGone{};
  }
}

void Session::say(std::string_view reply) {
  if (!listens_) return;  // nor would it understand
  const std::string_view line_end = reply.ends_with("\r\n") ? "" : "\r\n";
  if (to_client_.room() < reply.size() + line_end.size()) return;  // it does not listen
  to_client_.append(reply);
  to_client_.append(line_end);
}

void Session::log(unsigned code, std::string_view recipient) {
  actions_.log.push_back(
      log_line({code, recipient, config_.remote_host, pid_, tls_name_}, query_, checked_));
}

void Session::begin_limit(seconds time) {
  ++limit_number_;
  limit_time_ = time;
  timed_out_ = false;
}

}  // namespace spf
