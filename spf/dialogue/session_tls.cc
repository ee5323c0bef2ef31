// STARTTLS and SMTPS, as the session sees them (RFC 3207).
#include "spf/dialogue/log_line.hh"
#include "spf/dialogue/session.hh"
#include "spf/dialogue/variables.hh"

namespace spf {
namespace {

using std::chrono::seconds;

// What spftls has for the handshake, for which it gives the client 30 seconds.
constexpr seconds tls_handshake_time{40};

}  // namespace

Task<void> Session::starttls(std::string_view argument) {
  if (tls_ == Tls::active) {
    say(reply::tls_active);
  } else if (config_.starttls == Starttls::hide) {
    say(reply::not_implemented);
  } else if (!argument.empty()) {
    say(reply::bad_syntax);
  } else if (config_.starttls == Starttls::pass) {
    co_await pass_starttls();
  } else {
    if (config_.starttls == Starttls::terminate) co_await prepare_tls();
    if (tls_ != Tls::ready) {
      say(reply::tls_unavailable);
      co_return;
    }
    say(reply::ready_for_tls);
    co_await start_tls();
    const bool started = co_await replace_child(no_variables);
    if (client_is_done()) throw ClientGone{};
    if (!started) throw Close{std::string(reply::cannot_start)};
  }
}

StarttlsKeyword Session::starttls_keyword() const {
  if (tls_ == Tls::active || tls_ == Tls::unusable) return StarttlsKeyword::drop;
  switch (config_.starttls) {
    case Starttls::terminate: return StarttlsKeyword::offer;
    case Starttls::pass: return StarttlsKeyword::keep;
    case Starttls::hide:
    case Starttls::unavailable: break;
  }
  return StarttlsKeyword::drop;
}

// SPFAUTH: no password in clear (RFC 4954 section 4).
AuthKeyword Session::auth_keyword() const {
  const bool in_clear = tls_ != Tls::active && config_.outer_tls.empty();
  return config_.auth_needs_tls && in_clear ? AuthKeyword::drop : AuthKeyword::keep;
}

// Starts spftls, and waits until it has said whether it can serve. One that
// can't is dismissed, and what keeps it from that goes to the log, once.
Task<void> Session::prepare_tls() {
  if (tls_ != Tls::none) co_return;
  act(action::PrepareTls{});
  begin_limit(tls_ready_time);
  std::optional<TlsStatus> status;
  for (;;) {
    co_await event();
    status = take_tls_status(from_tls_, TlsStatus::Kind::ready, TlsStatus::Kind::unusable);
    if (status || tls_closed_ || timed_out_) break;
    stop_waiting_if_over();
  }
  if (status && status->kind == TlsStatus::Kind::ready) {
    tls_ = Tls::ready;
    co_return;
  }
  act(action::DismissTls{});
  tls_ = Tls::unusable;
  warn("TLS is not offered: " + (status       ? status->reason
                                 : timed_out_ ? "spftls hangs"
                                              : "spftls has died"));
}

// Hands the client to spftls and waits for its handshake. All that was said in
// clear is forgotten (RFC 3207 section 4.2), and what is still to be read of it
// is thrown away: somebody else may have put it there.
Task<void> Session::start_tls() {
  from_client_.clear();
  swallowing_ = false;
  listens_ = true;
  act(action::StartTls{});
  begin_limit(tls_handshake_time);
  std::optional<TlsStatus> status;
  for (;;) {
    status = take_tls_status(from_client_, TlsStatus::Kind::established, TlsStatus::Kind::failed);
    if (status || client_has_closed() || timed_out_) break;
    if (shutting_down_) throw ClientGone{};
    co_await client_event();
  }
  if (!status || status->kind != TlsStatus::Kind::established) {
    warn("TLS handshake with " + client_text() + ": " +
         (status       ? status->reason
          : timed_out_ ? "spftls hangs"
                       : "connection closed"));
    throw ClientGone{};
  }
  tls_ = Tls::active;
  tls_name_ = status->protocol;
  tls_variables_ = tls_variables(*status);
  hello_.clear();
  helo_name_.clear();
  trusted_ = config_.only_tls;
  transaction_ = NoTransaction{};
}

std::string Session::client_text() const {
  return config_.client.is_unspecified() ? "unknown" : config_.client.text();
}

// Else the log would have nothing of who comes to port 465, or authenticates.
void Session::log_tls_without_check() {
  if (tls_ == Tls::active && !checked_)
    act(action::Log{unchecked_line(pid_, tls_name_, client_text())});
}

// After the child's 220 all that passes is TLS to us.
Task<void> Session::pass_starttls() {
  const bool forgotten = co_await forget_verdict();
  if (!forgotten) co_return;
  Reply answer = co_await ask("STARTTLS");
  const bool blind = answer.code == 220;
  co_await pass(std::move(answer));
  if (!blind) co_return;
  warn("STARTTLS: " + config_.client.text() + " goes unchecked from here on");
  from_client_.clear();  // sent in clear before the handshake: not part of it
  const auto copy = [](Buffer& from, Buffer& to) {
    const std::string_view bytes = from.data().substr(0, to.room());
    to.append(bytes);
    from.consume(bytes.size());
  };
  begin_limit(seconds(0));  // the child keeps time
  const auto lost = [this] { return client_ == ClientSide::lost; };
  while (!lost() && !child_.closed && !(client_has_closed() && from_client_.empty())) {
    copy(from_client_, to_child_);
    copy(from_child_, to_client_);
    co_await client_event();
    if (shutting_down_) break;
  }
  act(action::CloseChildInput{});
  while (!lost() && !shutting_down_ && !(child_.closed && from_child_.empty())) {
    copy(from_child_, to_client_);
    co_await client_event();
  }
  throw ClientGone{};
}

}  // namespace spf
