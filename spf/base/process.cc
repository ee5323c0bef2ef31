#include "spf/base/process.hh"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace spf {
namespace {

[[noreturn]] void fail(int error, const char* what) {
  throw std::system_error(error, std::generic_category(), what);
}

struct Start {
  char* const* argv;
  char* const* environment;
  const ProgDescriptors& descriptors;
  const InheritedSignals& signals;
};

constexpr int third_descriptor = 3;

// In the new process. dup2() to itself would leave it to close on exec.
bool give_third(int fd) {
  if (fd < 0) return true;
  return fd == third_descriptor ? fcntl(fd, F_SETFD, 0) == 0 : dup2(fd, third_descriptor) >= 0;
}

bool keep(int fd) { return fd < 0 || fcntl(fd, F_SETFD, 0) == 0; }

// posix_spawn would do the same with some 130 system calls, one or two for
// each signal there is; a copy of our page tables, as fork makes it, costs more
// still. Until exec the new process runs in our memory: nothing here allocates.
[[gnu::noinline]] pid_t vfork_exec(const Start& start, volatile int& error) {
  const pid_t pid = vfork();
  if (pid != 0) return pid;
  const ProgDescriptors& fds = start.descriptors;
  if (dup2(fds.input, 0) >= 0 && dup2(fds.output, 1) >= 0 && give_third(fds.third) && keep(fds.kept)) {
    signal(SIGTERM, SIG_DFL);  // our handler must not run in it
    if (!start.signals.ignore_pipe) signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &start.signals.mask, nullptr);
    execvpe(start.argv[0], start.argv, start.environment);
  }
  error = errno;
  _exit(127);
}

}  // namespace

bool same_file(const std::string& one, const std::string& other) {
  struct stat a, b;
  return stat(one.c_str(), &a) == 0 && stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

std::string beside_this_program(std::string_view name) {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  if (size < 0) fail(errno, "/proc/self/exe");
  const std::string_view self(path, std::size_t(size));
  return std::string(self.substr(0, self.rfind('/') + 1)).append(name);
}

Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail(errno, "pipe");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

void set_nonblocking(int fd) { fcntl(fd, F_SETFL, O_NONBLOCK); }

Process Process::spawn(char* const* argv, std::vector<char*> environment,
                       const ProgDescriptors& descriptors, const InheritedSignals& signals) {
  environment.push_back(nullptr);
  volatile int error = 0;
  const pid_t pid = vfork_exec({argv, environment.data(), descriptors, signals}, error);
  if (pid < 0) fail(errno, "fork");
  Process process(pid);
  if (error != 0) fail(error, argv[0]);
  return process;
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

int Process::wait() {
  int status = SIGKILL;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {}
  pid_ = 0;
  return status;
}

int Process::end() {
  if (pid_ <= 0) return 0;
  kill(SIGKILL);  // one that is ending already keeps its status
  return wait();
}

std::chrono::microseconds Process::cpu_time() const {
  clockid_t clock;
  timespec used{};
  if (pid_ > 0 && clock_getcpuclockid(pid_, &clock) == 0) clock_gettime(clock, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::microseconds(used.tv_nsec / 1000);
}

std::string end_text(int status) {
  return WIFSIGNALED(status) ? " of signal " + std::to_string(WTERMSIG(status))
                             : " with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace spf
