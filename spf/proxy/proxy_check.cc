// The check of the session, of which there is one at a time.
#include <system_error>
#include <utility>

#include "spf/proxy/proxy.hh"

namespace spf {

void Proxy::start_check(const Query& query) {
  check_.query = query;
  try {
    check_.running = os_.start_check(query);
    check_.deadline = os_.now() + config_.check_timeout + check_grace;
  } catch (const std::system_error& error) {
    os_.warn("unable to check SPF: " + error.code().message());
    end_check(no_verdict(query));
  }
}

void Proxy::hear_check() {
  std::optional<Verdict> verdict = check_.running->read();
  if (!verdict) return;
  if (!check_.running->complaint().empty()) os_.warn(check_.running->complaint());
  end_check(*std::move(verdict));
  check_.past = std::move(check_.running);
}

void Proxy::stop_check() {
  if (!check_.running) return;
  os_.warn("SPF check overstayed and was killed");
  end_check(no_verdict(check_.query));
  check_.running.reset();
}

void Proxy::end_check(Verdict verdict) {
  const auto cpu_time =
      check_.running ? check_.running->cpu_time() : std::chrono::microseconds(0);
  session_.check_done(std::move(verdict), cpu_time);
}

}  // namespace spf
