// spftls: one client's TLS, in a process of its own. See spftls(8).

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <system_error>

#include "spf/base/exit_code.hh"
#include "spf/base/log.hh"
#include "spf/base/usage.hh"
#include "spf/tls/certificate.hh"
#include "spf/tls/connection.hh"
#include "spf/tls/context.hh"
#include "spf/tls/status.hh"

namespace {

constexpr spf::Usage usage = {
    "spftls", "[ -n ] -c certificate [ -k key ] [ -l ciphers ]",
    "Does TLS for one client. spfwrap starts it. With -n it tells whether the certificate can\n"
    "be used, and prints what that says of itself. See spftls(8)."};

constexpr int plain = 3;  // the socket to spfwrap
constexpr std::chrono::seconds handshake_time{30};

void say(const spf::TlsStatus& status) {
  const std::string line = spf::tls_status_line(status);
  if (write(plain, line.data(), line.size()) < 0) {}  // then nobody waits for it
}

// False where spfwrap has gone instead.
bool told_to_go() {
  char octets[spf::tls_go.size()];
  std::size_t size = 0;
  while (size < sizeof octets) {
    const ssize_t count = read(plain, octets + size, sizeof octets - size);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    size += count;
  }
  return std::string_view(octets, size) == spf::tls_go;
}

// The key must not get out by way of a core file, a debugger of the same user,
// or a program run from here.
void keep_key() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#ifndef __SANITIZE_ADDRESS__  // whose search for leaks is a debugger
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

int serve(const spf::TlsFiles& files) {
  keep_key();
  signal(SIGPIPE, SIG_IGN);
  spf::SslContext context;
  try {
    context = spf::make_tls_context(files);
  } catch (const spf::TlsError& error) {
    say({spf::TlsStatus::Kind::unusable, error.what()});
    return spf::system_trouble;
  }
  say({spf::TlsStatus::Kind::ready});
  if (!told_to_go()) return 0;

  spf::TlsConnection connection(context.get(), plain);
  const spf::TlsStatus status = connection.handshake(handshake_time);
  if (status.kind == spf::TlsStatus::Kind::failed) {
    say(status);
    return spf::system_trouble;
  }
  const std::string problem = connection.relay(spf::tls_status_line(status));
  if (!problem.empty()) spf::write_warning(getppid(), "TLS: " + problem);  // spfwrap outlives us
  return 0;
}

int check(const spf::TlsFiles& files) {
  const spf::SslContext context = spf::make_tls_context(files);
  const std::string line = spf::certificate_line(spf::certificate_of(context.get()));
  if (write(1, line.data(), line.size()) != ssize_t(line.size()))
    throw std::system_error(errno, std::generic_category(), "unable to write");
  return 0;
}

int wrong() {
  spf::write_log(spf::usage_message(usage));
  return spf::wrong_usage;
}

}  // namespace

int main(int argc, char** argv) {
  spf::set_program_name("spftls");
  if (const auto answered = spf::answer_about(usage, argc, argv)) return *answered;
  spf::TlsFiles files;
  bool only_check = false;
  for (int option; (option = getopt(argc, argv, "nc:k:l:")) != -1;) switch (option) {
      case 'n': only_check = true; break;
      case 'c': files.certificate = optarg; break;
      case 'k': files.key = optarg; break;
      case 'l': files.ciphers = optarg; break;
      default: return wrong();
    }
  if (optind != argc || files.certificate.empty()) return wrong();
  if (files.key.empty()) files.key = files.certificate;
  try {
    return only_check ? check(files) : serve(files);
  } catch (const std::exception& error) {
    spf::write_fatal(error.what());
    return spf::system_trouble;
  }
}
