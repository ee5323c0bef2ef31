#include "spf/proxy/tls_process.hh"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>
#include <system_error>
#include <vector>

#include "spf/tls/status.hh"

namespace spf {
namespace {

constexpr int client_input = 0;
constexpr int client_output = 1;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Beside this program, wherever that was installed.
std::string spftls_path() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  if (size < 0) fail("/proc/self/exe");
  const std::string self(path, size);
  return self.substr(0, self.rfind('/') + 1) + "spftls";
}

}  // namespace

TlsProcess::TlsProcess(const Config& config, const InheritedSignals& signals) {
  std::vector<std::string> arguments = {spftls_path(), "-c", config.certificate, "-k", config.key};
  if (!config.ciphers.empty()) arguments.insert(arguments.end(), {"-l", config.ciphers});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) fail("socketpair");
  plain_ = Descriptor(pair[0]);
  const Descriptor theirs(pair[1]);
  // What a rule of tcp.smtp may set, OPENSSL_CONF say, is not for it.
  process_ = Process::spawn(argv.data(), {}, client_input, client_output, signals, theirs.get());
  set_nonblocking(plain_.get());
}

void TlsProcess::hand_over() {
  if (write(plain_.get(), tls_go.data(), tls_go.size()) != ssize_t(tls_go.size())) {
    // It is gone, which shows as the end of what it says.
  }
  for (const int fd : {client_input, client_output})
    if (dup2(plain_.get(), fd) < 0) fail("dup2");
  plain_.reset();
}

}  // namespace spf
