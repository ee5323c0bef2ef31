#include "spf/wall/walled_process.hh"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "spf/base/read_write.hh"
#include "spf/base/unforked.hh"
#include "spf/dns/dns_resolver.hh"

namespace spf {
namespace {

// Before the text.
struct Heading {
  std::uint32_t size;        // of the text
  std::uint32_t has_filter;
};

// What the process must not have of its parent. False if it can't be taken away.
bool leave_parent(pid_t parent, int output) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) return false;
  environ = nullptr;
  return dup2(output, walled_output) >= 0 && close_range(walled_output + 1, ~0u, 0) == 0;
}

[[noreturn]] void work_behind_wall(pid_t parent, int output,
                                   const SealedAddresses& name_servers,
                                   WalledProcess::Clock::time_point deadline,
                                   unsigned most_questions, const WalledProcess::Work& work) {
  try {
    if (!leave_parent(parent, output)) _exit(exit_not_walled);
    DnsResolver resolver(deadline, name_servers.get(), most_questions);
    const bool has_filter = raise_wall();
    std::string text = work(resolver);
    const Heading heading = {std::uint32_t(text.size()), has_filter};
    text.insert(0, reinterpret_cast<const char*>(&heading), sizeof heading);
    write_all(walled_output, text);
    _exit(0);
  } catch (...) {
    _exit(1);
  }
}

}  // namespace

WalledProcess::WalledProcess(const SealedAddresses& name_servers, Clock::time_point deadline,
                             unsigned most_questions, const Work& work) {
  move_environment_to_unforked();
  Pipe pipe = make_pipe();
  const pid_t parent = getpid();
  // fork() would write in pages of libc's first, which are then copied; what it
  // makes safe is other threads, and there are none.
  const pid_t pid = _Fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0)
    work_behind_wall(parent, pipe.write_end.get(), name_servers, deadline, most_questions, work);
  process_ = Process(pid);
  output_ = std::move(pipe.read_end);
  set_nonblocking(output_.get());
}

WalledProcess::State WalledProcess::read() {
  const State state = take();
  if (state == State::working) return state;
  output_.reset();
  cpu_time_ = process_.cpu_time();
  if (state == State::done) process_.kill(SIGKILL);
  if (state == State::died) note_end(process_.end());
  return state;
}

void WalledProcess::note_end(int status) {
  if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGXCPU) {
    end_ = "died" + end_text(status);
    return;
  }
  // The clock and the limit count in different ways.
  constexpr auto limit = std::chrono::seconds(walled_cpu_seconds);
  cpu_time_ = std::max<std::chrono::microseconds>(cpu_time_, limit);
  end_ = "used more than " + std::to_string(limit.count()) + " s of CPU time";
}

WalledProcess::State WalledProcess::take() {
  for (;;) {
    char octets[1024];  // most texts; no page of the stack more
    const ssize_t count = ::read(output_.get(), octets, sizeof octets);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return State::working;
    if (count <= 0) return State::died;
    received_.append(octets, count);
    Heading heading;
    if (received_.size() < sizeof heading) continue;
    std::memcpy(&heading, received_.data(), sizeof heading);
    if (heading.size > most_text || received_.size() > sizeof heading + heading.size) return State::died;
    if (received_.size() < sizeof heading + heading.size) continue;
    received_.erase(0, sizeof heading);
    has_filter_ = heading.has_filter != 0;
    return State::done;
  }
}

}  // namespace spf
