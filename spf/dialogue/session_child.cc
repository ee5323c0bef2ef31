// The child's side of the session: starting it, asking it, listening to it.
#include <algorithm>

#include "spf/dialogue/session.hh"

namespace spf {
namespace {

using std::chrono::seconds;

// How long a child that is started again has for its greeting and for EHLO;
// clients wait at least five minutes for MAIL (RFC 5321 section 4.5.3.2.2).
constexpr seconds restart_time{60};

}  // namespace

// Of the child that there was nothing more is of interest.
void Session::forget_child() {
  child_ = {};
  from_child_.clear();
  to_child_.clear();
}

Task<Reply> Session::start_child(const Variables& variables) {
  if (client_is_done()) throw ClientGone{};
  Variables all = variables;
  all.insert(all.end(), tls_variables_.begin(), tls_variables_.end());
  act(action::StartChild{std::move(all)});
  forget_child();
  Reply greeting = co_await child_reply();
  co_return greeting;
}

// Brings up a child with these variables, and to where the one there is now
// was after EHLO. False if it does not get there, or if nobody waits for that
// any more: then the old one stays.
Task<bool> Session::start_again(const Variables& variables) {
  if (variables == child_variables_) co_return true;
  listen_to_idle_child();
  const bool ready = co_await replace_child(variables);
  co_return ready;
}

Task<bool> Session::replace_child(const Variables& variables) {
  if (client_is_done()) co_return false;
  bool ready = false, needless = false;
  reply_time_ = std::min(restart_time, config_.smtp_timeout);
  try {
    Reply answer = co_await start_child(variables);
    if (answer.positive() && !hello_.empty()) answer = co_await ask(hello_);
    ready = answer.positive();
  } catch (const ChildTrouble&) {
  } catch (const ClientGone&) {
    if (client_ == ClientSide::lost) throw;
    needless = true;  // but a command that is in hand has its reply
  }
  reply_time_ = config_.smtp_timeout;
  if (ready) {
    act(action::DismissPrevious{});
    child_variables_ = variables;
    transaction_ = NoTransaction{};
  } else {
    act(action::RestorePrevious{});
    if (!needless) warn("SMTP server, started again, does not greet and take EHLO");
    forget_child();
  }
  child_.up = true;
  co_return ready;
}

// No older transaction stays open behind a MAIL that the child does not see.
Task<void> Session::reset_child() {
  if (!std::holds_alternative<Open>(transaction_)) co_return;
  transaction_ = NoTransaction{};
  const Reply answer = co_await ask("RSET");
  if (!answer.positive()) throw ChildTrouble{};
}

Task<Reply> Session::ask(std::string line) {
  listen_to_idle_child();
  line += "\r\n";
  while (to_child_.room() < line.size()) {
    if (child_.closed || timed_out_) throw ChildTrouble{};
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
    const ReplyParser::Status status = child_.parser.push(from_child_.data(), taken);
    from_child_.consume(taken);
    if (status == ReplyParser::Status::complete) {
      Reply answer = child_.parser.take();
      if (to_child_.empty()) co_return answer;
      // It has not read what it answers, and might read the rest as commands.
      to_child_.clear();
      if (answer.code >= 400) throw Close{answer.wire()};
      throw ChildTrouble{};
    }
    if (status == ReplyParser::Status::malformed || child_.closed || timed_out_)
      throw ChildTrouble{};
    // What it says before it is up answers nothing that the client has said. That
    // the client has gone shows only where there is room for more of it.
    if (!child_.up) swallow_beyond(line_limit(from_client_.data()));
    if (!child_.up && client_is_done()) throw ClientGone{};
    stop_waiting_if_over();
    co_await event();
  }
}

// A child that was asked nothing should be silent; a last word before it goes
// (RFC 5321 section 3.8) is passed on.
void Session::listen_to_idle_child() {
  std::size_t taken = 0;
  const ReplyParser::Status status = child_.parser.push(from_child_.data(), taken);
  from_child_.consume(taken);
  if (status == ReplyParser::Status::complete) {
    const Reply last_word = child_.parser.take();
    if (last_word.code == 421 || last_word.code == 451) throw Close{last_word.wire()};
    throw ChildTrouble{};
  }
  if (child_.closed && farewell_ && !child_.parser.begun()) throw ChildGone{};
  if (status == ReplyParser::Status::malformed || child_.closed) throw ChildTrouble{};
}

}  // namespace spf
