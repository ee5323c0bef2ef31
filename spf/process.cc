#include "spf/process.hh"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <system_error>

namespace spf {
namespace {

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

void check(int error, const char* what) {
  if (error != 0) fail(error, what);
}

struct FileActions {
  posix_spawn_file_actions_t value;
  FileActions() { check(posix_spawn_file_actions_init(&value), "posix_spawn"); }
  ~FileActions() { posix_spawn_file_actions_destroy(&value); }
};

struct Attributes {
  posix_spawnattr_t value;
  Attributes() { check(posix_spawnattr_init(&value), "posix_spawn"); }
  ~Attributes() { posix_spawnattr_destroy(&value); }
};

}  // namespace

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail(errno, "pipe");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

Process Process::spawn(char* const* argv, const std::vector<std::string>& environment,
                       int standard_input, int standard_output,
                       const InheritedSignals& signals) {
  std::vector<char*> pointers;
  pointers.reserve(environment.size() + 1);
  for (const std::string& entry : environment) pointers.push_back(const_cast<char*>(entry.c_str()));
  pointers.push_back(nullptr);

  FileActions actions;
  check(posix_spawn_file_actions_adddup2(&actions.value, standard_input, 0), "posix_spawn");
  check(posix_spawn_file_actions_adddup2(&actions.value, standard_output, 1), "posix_spawn");
  Attributes attributes;
  check(posix_spawnattr_setflags(&attributes.value,
                                 POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK),
        "posix_spawn");
  check(posix_spawnattr_setsigdefault(&attributes.value, &signals.ignored_to_default),
        "posix_spawn");
  check(posix_spawnattr_setsigmask(&attributes.value, &signals.mask), "posix_spawn");

  pid_t pid;
  check(posix_spawnp(&pid, argv[0], &actions.value, &attributes.value, argv, pointers.data()),
        argv[0]);
  return Process(pid);
}

Process::~Process() {
  if (pid_ <= 0) return;
  kill(SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {}
}

void Process::kill(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

std::optional<int> Process::try_wait() {
  if (pid_ <= 0) return {};
  int status;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return {};
  pid_ = 0;
  return status;
}

}  // namespace spf
