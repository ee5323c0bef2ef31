#include "spf/explain/certificate_trial.hh"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "spf/base/process.hh"

namespace spf {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_output = 4096;
constexpr std::string_view fatal = "spftls: fatal: ";

[[noreturn]] void fail(int error) {
  throw std::system_error(error, std::generic_category());
}

// With an empty environment, as spfwrap runs it; `output` is what it writes, on
// 1 and 2 alike.
Process start(const std::string& spftls, const Config& config, int output) {
  std::vector<std::string> arguments = spftls_arguments(config);
  arguments.insert(arguments.begin(), {spftls, "-n"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t descriptors;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&descriptors);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&descriptors, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&descriptors, output, 1);
  posix_spawn_file_actions_adddup2(&descriptors, output, 2);
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &pipe);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  char* const environment[] = {nullptr};
  pid_t pid;
  const int error = posix_spawn(&pid, argv[0], &descriptors, &attributes, argv.data(), environment);
  posix_spawn_file_actions_destroy(&descriptors);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) fail(error);
  return Process(pid);
}

// What is written until its end, or the bound; nothing, if that does not come in
// time.
std::optional<std::string> read_all(int fd, Clock::time_point end) {
  std::string text;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) return {};
    pollfd output = {fd, POLLIN, 0};
    if (poll(&output, 1, int(left.count())) <= 0) continue;
    char octets[max_output];
    const ssize_t count = read(fd, octets, max_output - text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return text;
    text.append(octets, std::size_t(count));
    if (text.size() == max_output) return text;
  }
}

}  // namespace

CertificateTrial try_certificate(const std::string& spftls, const Config& config,
                                 std::chrono::milliseconds limit) {
  std::optional<std::string> said;
  try {
    Pipe pipe = make_pipe();
    const Process process = start(spftls, config, pipe.write_end.get());
    pipe.write_end.reset();
    said = read_all(pipe.read_end.get(), Clock::now() + limit);
  } catch (const std::system_error& error) {
    return {{}, std::string("unable to run spftls: ") + error.what()};
  }
  if (!said) return {{}, "spftls hangs"};
  std::string line = said->substr(0, said->find('\n'));
  if (line.empty()) return {{}, "spftls has died"};
  if (auto certificate = parse_certificate_line(line)) return {std::move(certificate), {}};
  if (line.starts_with(fatal)) line.erase(0, fatal.size());
  return {{}, std::move(line)};
}

}  // namespace spf
