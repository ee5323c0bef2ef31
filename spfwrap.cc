// spfwrap prog [arg ...]: SPF for an unmodified qmail-smtpd. See spfwrap(8).

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spf/engine/check.hh"
#include "spf/settings/config.hh"
#include "spf/dialogue/variables.hh"
#include "spf/base/own_address.hh"
#include "spf/base/exit_code.hh"
#include "spf/base/log.hh"
#include "spf/base/environment.hh"
#include "spf/base/unforked.hh"
#include "spf/base/usage.hh"
#include "spf/proxy/run_proxy.hh"
#include "spf/dialogue/reply.hh"

namespace {

constexpr spf::Usage usage = {
    "spfwrap", "prog [ arg ... ]",
    "Stands between an SMTP client and prog, normally qmail-smtpd, and checks SPF (RFC\n"
    "7208). It goes into the run script behind tcpserver; SPFBEHAVIOR (0 to 6) in the\n"
    "environment, or in control/spfbehavior, says what it does. See spfwrap(8)."};

// The environment without what only a checked MAIL may set, or name; where it
// stays as long as we run.
std::vector<char*> inherited_environment() {
  spf::move_environment_to_unforked();
  constexpr std::array<std::string_view, 1> annotation = {"SPFFD"};
  std::vector<char*> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!spf::sets_one_of(*entry, spf::variable_names) && !spf::sets_one_of(*entry, annotation))
      result.push_back(*entry);
  }
  return result;
}

// What of the configuration will not be acted on.
void warn(const spf::Config& config) {
  for (const std::string& warning : config.warnings) spf::write_warning(getpid(), warning);
  if (config.aside) return;
  for (const std::string& problem : spf::option_problems(spf::check_options(config)))
    spf::write_warning(getpid(), problem);
}

// Who expects TLS first hears nothing: it may not have begun.
void say_to_client(std::string_view reply) {
  if (spf::wants_smtps(std::getenv)) return;
  const std::string line = std::string(reply) + "\r\n";
  if (write(1, line.data(), line.size()) < 0) {}  // nobody there: nothing to add
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    spf::write_log(spf::usage_message(usage));
    return spf::wrong_usage;
  }
  if (const auto answered = spf::answer_about(usage, argc, argv)) return *answered;
  char** prog = argv + 1;
  try {
    const auto peer = [] { return spf::peer_address(0); };
    spf::Config config = spf::read_config(std::getenv, peer);
    warn(config);
    if (!config.aside) spf::run_proxy(std::move(config), prog, inherited_environment());
  } catch (const spf::ControlError& error) {
    say_to_client(spf::reply::controls);
    spf::write_fatal(error.what());
    return spf::system_trouble;
  } catch (const std::bad_alloc&) {
    say_to_client(spf::reply::out_of_memory);
    spf::write_fatal("out of memory");
    return spf::system_trouble;
  } catch (const std::exception& error) {
    spf::write_fatal(error.what());
    return spf::system_trouble;
  }
  execvp(prog[0], prog);
  spf::write_fatal("unable to run " + std::string(prog[0]) + ": " + std::strerror(errno));
  return spf::system_trouble;
}
