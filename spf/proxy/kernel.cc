#include "spf/proxy/kernel.hh"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "spf/base/log.hh"
#include "spf/base/own_address.hh"
#include "spf/dns/name_servers.hh"
#include "spf/proxy/evaluator.hh"
#include "spf/proxy/exempter.hh"

namespace spf {
namespace {

constexpr int client_input = 0;
constexpr int client_output = 1;

volatile sig_atomic_t term_has_come = 0;
volatile sig_atomic_t child_has_come = 0;

extern "C" void on_term(int) { term_has_come = 1; }
extern "C" void on_child(int) { child_has_come = 1; }

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int make_nonblocking(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  return flags;
}

}  // namespace

Kernel::Kernel(const Config& config, AnnotationFile* annotations)
    : config_(config),
      annotations_(annotations),
      input_flags_(make_nonblocking(client_input)),
      output_flags_(make_nonblocking(client_output)) {
  struct sigaction action = {};
  struct sigaction old;
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, &old);
  inherited_.ignore_pipe = old.sa_handler == SIG_IGN;
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGCHLD);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &inherited_.mask);
  action.sa_handler = on_child;
  sigaction(SIGCHLD, &action, nullptr);
  action.sa_handler = on_term;
  sigaction(SIGTERM, &action, nullptr);
  while_polling_ = inherited_.mask;
  sigdelset(&while_polling_, SIGCHLD);
  sigdelset(&while_polling_, SIGTERM);
}

void Kernel::put_back() {
  fcntl(client_output, F_SETFL, output_flags_);
  fcntl(client_input, F_SETFL, input_flags_);
}

void Kernel::exit(int code) {
  put_back();
#ifdef __SANITIZE_ADDRESS__
  std::exit(code);  // looks for leaks
#else
  _exit(code);
#endif
}

ssize_t Kernel::read(int fd, std::span<char> space) {
  const ssize_t count = ::read(fd, space.data(), space.size());
  return count < 0 ? -errno : count;
}

ssize_t Kernel::write(int fd, std::string_view octets) {
  const ssize_t count = ::write(fd, octets.data(), octets.size());
  return count < 0 ? -errno : count;
}

void Kernel::close(int fd) { ::close(fd); }

void Kernel::end_output(int fd) {
  if (shutdown(fd, SHUT_WR) != 0) ::close(fd);
}

bool Kernel::is_socket(int fd) { return spf::is_socket(fd); }

int Kernel::poll(std::span<pollfd> watched, std::optional<Clock::duration> time) {
  timespec limit{};
  if (time) {
    limit.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(*time).count();
    limit.tv_nsec = std::chrono::nanoseconds(*time).count() % 1'000'000'000;
  }
  const int ready = ppoll(watched.data(), watched.size(), time ? &limit : nullptr, &while_polling_);
  return ready < 0 ? -errno : ready;
}

bool Kernel::asked_to_end() { return term_has_come; }

bool Kernel::process_ended() {
  const bool ended = child_has_come;
  child_has_come = 0;
  return ended;
}

Os::Prog Kernel::start_prog(char* const* argv, const std::vector<char*>& environment) {
  Pipe input = make_pipe();
  Pipe output = make_pipe();
  const ProgDescriptors descriptors = {.input = input.read_end.get(),
                                       .output = output.write_end.get(),
                                       .kept = annotations_ ? annotations_->reader() : -1};
  Process process = Process::spawn(argv, environment, descriptors, inherited_);
  set_nonblocking(input.write_end.get());
  set_nonblocking(output.read_end.get());
  return {{*this, input.write_end.release()},
          {*this, output.read_end.release()},
          {*this, process.release()}};
}

void Kernel::annotate(std::string_view octets) { annotations_->write(octets); }

Os::Tls Kernel::start_tls() {
  std::vector<std::string> arguments = spftls_arguments(config_);
  arguments.insert(arguments.begin(), beside_this_program("spftls"));
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) fail("socketpair");
  Descriptor ours(pair[0]);
  const Descriptor theirs(pair[1]);
  // What a rule of tcp.smtp may set, OPENSSL_CONF say, is not for it.
  Process process = Process::spawn(
      argv.data(), {}, {.input = client_input, .output = client_output, .third = theirs.get()}, inherited_);
  set_nonblocking(ours.get());
  return {{*this, ours.release()}, {*this, process.release()}};
}

std::unique_ptr<RunningCheck> Kernel::start_check(const Query& query) {
  CheckOptions options = check_options(config_);
  options.own_address = is_own_address(query.client);
  return std::make_unique<Evaluator>(query, options, known_name_servers(), config_.check_timeout);
}

std::unique_ptr<RunningCheck> Kernel::start_exemption(const Query& query) {
  return std::make_unique<Exempter>(query, exemption_options(config_), known_name_servers(),
                                    config_.check_timeout);
}

// Found once a session, and what is wrong with them is said once.
const SealedAddresses& Kernel::known_name_servers() {
  if (!name_servers_) {
    const NameServers found = name_servers(std::getenv);
    for (const std::string& problem : found.problems) warn(problem);
    name_servers_.emplace(found.servers);
  }
  return *name_servers_;
}

void Kernel::replace_client(int fd) {
  for (const int end : {client_input, client_output})
    if (dup2(fd, end) < 0) fail("dup2");
}

void Kernel::kill(pid_t pid) { ::kill(pid, SIGKILL); }

std::optional<int> Kernel::try_wait(pid_t pid) {
  int status;
  if (waitpid(pid, &status, WNOHANG) != pid) return {};
  return status;
}

void Kernel::wait(pid_t pid) {
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
}

void Kernel::log(std::string_view line) { write_log(line); }
void Kernel::warn(std::string_view what) { write_warning(getpid(), what); }
void Kernel::fatal(std::string_view what) { write_fatal(what); }

}  // namespace spf
