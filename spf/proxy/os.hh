// What the proxy asks of the operating system: descriptors, processes, the
// clock. The real one is Kernel (kernel.hh); tests have one whose clock and
// faults are theirs.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "spf/engine/check.hh"
#include "spf/engine/exemption.hh"
#include "spf/engine/verdict.hh"

namespace spf {

class Os;

// A descriptor of an Os, and its one owner.
class OwnDescriptor {
 public:
  OwnDescriptor() = default;
  OwnDescriptor(Os& os, int fd) : os_(&os), fd_(fd) {}
  OwnDescriptor(OwnDescriptor&& other) noexcept : os_(other.os_), fd_(std::exchange(other.fd_, -1)) {}
  OwnDescriptor& operator=(OwnDescriptor&& other) noexcept {
    std::swap(os_, other.os_);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnDescriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset();

 private:
  Os* os_ = nullptr;
  int fd_ = -1;
};

// A process likewise. Destroying it kills and reaps it.
class OwnProcess {
 public:
  OwnProcess() = default;
  OwnProcess(Os& os, pid_t pid) : os_(&os), pid_(pid) {}
  OwnProcess(OwnProcess&& other) noexcept : os_(other.os_), pid_(std::exchange(other.pid_, 0)) {}
  OwnProcess& operator=(OwnProcess&& other) noexcept {
    std::swap(os_, other.os_);
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~OwnProcess();

  // It ends soon, and is still to be reaped.
  void kill() const;

  // Its wait status if it has ended; it is then reaped.
  std::optional<int> try_wait();

 private:
  Os* os_ = nullptr;
  pid_t pid_ = 0;
};

// What a check may come to: a judgement, or whether a message is let through
// although its level refuses it.
using CheckAnswer = std::variant<Judgement, Exemption>;

// Either of them, searched for in a process of its own. Destroying it ends it.
class RunningCheck {
 public:
  virtual ~RunningCheck() = default;

  // Becomes readable when there is something for read().
  virtual int descriptor() const = 0;

  // Takes what has arrived. The answer, once all of it is there; of a process that
  // died or said something else it is `otherwise`.
  virtual std::optional<CheckAnswer> read(const CheckAnswer& otherwise) = 0;

  // After the answer: whether the process has ended and was reaped.
  virtual bool reaped() = 0;

  // What it has used of the processor, whatever it says itself.
  virtual std::chrono::microseconds cpu_time() const = 0;

  // What the log should hear of the last answer of read(), "" if nothing.
  virtual const std::string& complaint() const = 0;
};

class Os {
 public:
  using Clock = std::chrono::steady_clock;

  virtual ~Os() = default;

  virtual Clock::time_point now() = 0;

  // As read(2) and write(2), but an error is -errno.
  virtual ssize_t read(int fd, std::span<char> space) = 0;
  virtual ssize_t write(int fd, std::string_view octets) = 0;
  virtual void close(int fd) = 0;
  // Who reads from `fd` finds its end. The descriptor may be closed by it.
  virtual void end_output(int fd) = 0;
  // What is said of it by POLLHUP differs: a socket is closed in both
  // directions, of a pipe the other end alone.
  virtual bool is_socket(int fd) = 0;

  // As ppoll(2), for ever without `time`; an error is -errno. SIGCHLD and
  // SIGTERM come in it, and at no other time.
  virtual int poll(std::span<pollfd> watched, std::optional<Clock::duration> time) = 0;
  // Whether SIGTERM has come, ever.
  virtual bool asked_to_end() = 0;
  // Whether SIGCHLD has come since the last call.
  virtual bool process_ended() = 0;

  // The following start a process and throw std::system_error. What they give
  // of descriptors is non-blocking.
  struct Prog {
    OwnDescriptor input, output;  // our ends
    OwnProcess process;
  };
  virtual Prog start_prog(char* const* argv, const std::vector<char*>& environment) = 0;

  // What prog's queue program finds from here on (dialogue/annotation.hh). Throws
  // std::system_error: then what it finds can't be used.
  virtual void annotate(std::string_view octets) = 0;

  // spftls on descriptors 0 and 1, and our end of the socket to it.
  struct Tls {
    OwnDescriptor socket;
    OwnProcess process;
  };
  virtual Tls start_tls() = 0;

  virtual std::unique_ptr<RunningCheck> start_check(const Query& query) = 0;
  virtual std::unique_ptr<RunningCheck> start_exemption(const Query& query) = 0;

  // Descriptors 0 and 1 become copies of `fd`. Throws std::system_error.
  virtual void replace_client(int fd) = 0;

  virtual void kill(pid_t pid) = 0;                        // SIGKILL
  virtual std::optional<int> try_wait(pid_t pid) = 0;      // its wait status
  virtual void wait(pid_t pid) = 0;                        // for one that was killed

  // See base/log.hh.
  virtual void log(std::string_view line) = 0;
  virtual void warn(std::string_view what) = 0;
  virtual void fatal(std::string_view what) = 0;
};

inline void OwnDescriptor::reset() {
  if (fd_ >= 0) os_->close(std::exchange(fd_, -1));
}

inline OwnProcess::~OwnProcess() {
  if (pid_ <= 0) return;
  os_->kill(pid_);
  os_->wait(pid_);
}

inline void OwnProcess::kill() const {
  if (pid_ > 0) os_->kill(pid_);
}

inline std::optional<int> OwnProcess::try_wait() {
  if (pid_ <= 0) return {};
  const std::optional<int> status = os_->try_wait(pid_);
  if (status) pid_ = 0;
  return status;
}

}  // namespace spf
