#include "tests/support/process.hh"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "tests/support/temp_dir.hh"

namespace test {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Fd::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void Fd::reset() {
  if (fd_ != -1) close(fd_);
  fd_ = -1;
}

Fd open_append(const std::string& path) {
  return Fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
}

Fd open_null() { return Fd(open("/dev/null", O_RDWR | O_CLOEXEC)); }

namespace {

// What a test leaves behind must come back to us, or nobody would reap it.
void adopt_orphans() {
  static const bool done = [] { return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0; }();
  (void)done;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (const std::string& s : strings) result.push_back(const_cast<char*>(s.c_str()));
  result.push_back(nullptr);
  return result;
}

void move_into_place(const Streams& streams) {
  int wanted[] = {streams.in, streams.out, streams.err};
  for (int& fd : wanted)  // out of the way of 0, 1 and 2 first
    if (fd != -1) fd = fcntl(fd, F_DUPFD, 3);
  for (int i = 0; i < 3; ++i) wanted[i] == -1 ? close(i) : dup2(wanted[i], i);
  for (int fd : wanted)
    if (fd != -1) close(fd);
}

}  // namespace

Process::Process(const Arguments& arguments, const Environment& environment, Streams streams) {
  adopt_orphans();
  std::vector<std::string> settings;
  // A search for leaks takes longer than all else that a program does here; the
  // tests of functions have it.
  settings.push_back("LSAN_OPTIONS=detect_leaks=0");
  for (const auto& [name, value] : environment) settings.push_back(name + "=" + value);
  for (const char* name : {"PATH", "TMPDIR", "ASAN_OPTIONS", "UBSAN_OPTIONS"})
    if (const char* value = getenv(name); value && !environment.count(name))
      settings.push_back(std::string(name) + "=" + value);
  auto argv = pointers(arguments);
  auto envp = pointers(settings);

  // Not fork, which makes us pay for each page that we write to afterwards.
  pid_ = vfork();
  if (pid_ == -1) throw std::runtime_error("vfork");
  if (pid_ == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    move_into_place(streams);
    execvpe(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  setpgid(pid_, pid_);
}

Process::~Process() {
  if (!gone_) kill(-pid_, SIGKILL);
  group_gone();
}

void Process::signal(int number) const {
  if (!status_) kill(pid_, number);
}

void Process::reap() {
  if (gone_) return;
  int status;
  for (pid_t ended; (ended = waitpid(-pid_, &status, WNOHANG)) > 0;)
    if (ended == pid_)
      status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  gone_ = kill(-pid_, 0) == -1;
}

std::optional<int> Process::wait(milliseconds limit) {
  wait_until([this] { reap(); return status_.has_value(); }, limit);
  return status_;
}

bool Process::group_gone(milliseconds limit) {
  return wait_until([this] { reap(); return gone_; }, limit);
}

int Process::group_size() const {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (!isdigit(entry.path().filename().native()[0])) continue;
    const std::string stat = read_file(entry.path() / "stat");
    const auto name_end = stat.rfind(')');
    if (name_end == std::string::npos) continue;
    char state;
    int parent, group;
    if (sscanf(stat.c_str() + name_end + 1, " %c %d %d", &state, &parent, &group) == 3)
      count += group == pid_ && state != 'Z';
  }
  return count;
}

Finished run(const Arguments& arguments, const Environment& environment, milliseconds limit) {
  const TempDir files;
  const Fd out = open_append(files.file("out")), err = open_append(files.file("err"));
  const Fd in = open_null();
  Process process(arguments, environment, {in.get(), out.get(), err.get()});
  const int code = process.wait(limit).value_or(-1);
  return {code, read_file(files.file("out")), read_file(files.file("err"))};
}

namespace {

std::string in_directory(const char* variable, const char* usual, const std::string& name) {
  const char* directory = getenv(variable);
  return std::filesystem::absolute(std::string(directory ? directory : usual) + "/" + name)
      .lexically_normal();
}

}  // namespace

std::map<int, std::string> descriptors(pid_t pid) {
  std::map<int, std::string> result;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone))
    result[std::stoi(entry.path().filename())] = std::filesystem::read_symlink(entry.path(), gone);
  return result;
}

std::string program(const std::string& name) { return in_directory("SPFWRAP_BIN", ".", name); }

bool sanitized() { return program("").find("/sanitize") != std::string::npos; }

std::string test_program(const std::string& name) { return built("programs/" + name); }

std::string built(const std::string& name) { return in_directory("SPFWRAP_BUILD", "build", "tests/" + name); }

}  // namespace test
