// A program under test: started with exactly the environment and descriptors
// named, in a process group of its own, and never outliving its Process.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/clock.hh"

namespace test {

using Environment = std::map<std::string, std::string>;
using Arguments = std::vector<std::string>;

// A descriptor that is closed once.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ != -1; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

Fd open_append(const std::string& path);
Fd open_null();

struct Streams {
  int in = -1, out = -1, err = -1;  // -1: closed in the program
};

class Process {
 public:
  // `environment` is all the program gets, but for PATH and what the
  // sanitizers read.
  Process(const Arguments& arguments, const Environment& environment, Streams streams);
  Process(Process&&) = delete;
  // Kills the whole group and reaps it.
  ~Process();

  pid_t pid() const { return pid_; }
  void signal(int number) const;

  // Its exit code, or 1000 + the signal that ended it; nothing if it still
  // runs at the limit.
  std::optional<int> wait(milliseconds limit = patience);

  // Whether no process of its group is left, itself included, by the limit.
  bool group_gone(milliseconds limit = patience);

  // How many processes the group has now, zombies not counted.
  int group_size() const;

 private:
  void reap();

  pid_t pid_ = -1;
  std::optional<int> status_;
  bool gone_ = false;  // all of the group: its number may be another's by now
};

// Runs a program to its end; returns its exit code and what it wrote.
struct Finished {
  int code = -1;
  std::string out = {}, err = {};
};
Finished run(const Arguments& arguments, const Environment& environment = {},
             milliseconds limit = patience);

// A process's descriptors, and what each is, as /proc tells.
std::map<int, std::string> descriptors(pid_t pid);

// Where the programs are that `make` built: SPFWRAP_BIN, SPFWRAP_BUILD.
std::string program(const std::string& name);         // spfwrap itself
std::string test_program(const std::string& name);    // of tests/programs
std::string built(const std::string& name);           // what else there is of tests

// Whether they have the sanitizers, which want time, memory and descriptors of their own.
bool sanitized();

}  // namespace test
