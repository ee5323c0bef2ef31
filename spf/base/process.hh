// Child processes and the pipes to them.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "spf/base/descriptor.hh"

namespace spf {

// Whether both are there, and the same file.
bool same_file(const std::string& one, const std::string& other);

// The path of a program that was installed beside this one. Throws
// std::system_error.
std::string beside_this_program(std::string_view name);

struct Pipe {
  Descriptor read_end, write_end;
};

// Both ends close on exec. Throws std::system_error.
Pipe make_pipe();

// For a pipe's end: it has no other flags.
void set_nonblocking(int fd);

// What a process inherits from us is as we found it: the signal mask, and
// whether SIGPIPE is ignored. (exec itself resets what we catch.)
struct InheritedSignals {
  sigset_t mask;
  bool ignore_pipe;
};

// Those of ours that a new program is to have, by numbers of ours.
struct ProgDescriptors {
  int input, output;  // there 0 and 1
  int third = -1;     // there 3, if it is none
  int kept = -1;      // there the same, though here it closes on exec
};

// A process that is ours to reap. Destroying it kills and reaps it.
class Process {
 public:
  Process() = default;
  explicit Process(pid_t pid) : pid_(pid) {}
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Process();

  // Starts argv[0], looked up in PATH, with the entries of `environment`. Throws
  // std::system_error when exec fails too.
  static Process spawn(char* const* argv, std::vector<char*> environment,
                       const ProgDescriptors& descriptors, const InheritedSignals& signals);

  pid_t pid() const { return pid_; }  // 0 if it was reaped
  pid_t release() { return std::exchange(pid_, 0); }  // somebody else's to reap
  void kill(int signal) const;

  // Its wait status if it has ended; it is then reaped.
  std::optional<int> try_wait();

  // Waits until it has ended, and reaps it; its wait status. Where nobody can
  // tell that any more, it has been killed.
  int wait();

  // Kills it if it has not ended by itself, and reaps it; its wait status.
  int end();

  // What it has used of the processor; 0 once it was reaped.
  std::chrono::microseconds cpu_time() const;

 private:
  pid_t pid_ = 0;
};

// What a wait status says: " with exit code 1", " of signal 31".
std::string end_text(int status);

}  // namespace spf
