// The check of the session, or its search for an exemption, of which there is one
// at a time.
#include <system_error>
#include <utility>

#include "spf/proxy/proxy.hh"

namespace spf {

void Proxy::start_check(const Query& query) {
  check_.what = "SPF check";
  check_.otherwise = no_verdict(query, check_options(config_).helo);
  start("check SPF", [&] { return os_.start_check(query); });
}

void Proxy::start_exemption(const Query& query) {
  check_.what = "search for an exemption";
  check_.otherwise = Exemption{.reason = "", .trouble = true, .problem = ""};
  start("search for an exemption", [&] { return os_.start_exemption(query); });
}

template <class Start>
void Proxy::start(const char* to_do, Start start) {
  try {
    check_.running = start();
    check_.deadline = os_.now() + config_.check_timeout + check_grace;
  } catch (const std::system_error& error) {
    os_.warn(std::string("unable to ") + to_do + ": " + error.code().message());
    end_check(std::move(check_.otherwise));
  }
}

void Proxy::hear_check() {
  std::optional<CheckAnswer> answer = check_.running->read(check_.otherwise);
  if (!answer) return;
  if (!check_.running->complaint().empty()) os_.warn(check_.running->complaint());
  end_check(*std::move(answer));
  check_.past = std::move(check_.running);
}

void Proxy::stop_check() {
  if (!check_.running) return;
  os_.warn(check_.what + " overstayed and was killed");
  end_check(std::move(check_.otherwise));
  check_.running.reset();
}

void Proxy::end_check(CheckAnswer answer) {
  const auto cpu_time =
      check_.running ? check_.running->cpu_time() : std::chrono::microseconds(0);
  if (auto* judgement = std::get_if<Judgement>(&answer))
    session_.check_done(std::move(*judgement), cpu_time);
  else
    session_.exempted(std::get<Exemption>(std::move(answer)), cpu_time);
}

}  // namespace spf
