// How far a long reading is, on a terminal.
#pragma once

#include <chrono>
#include <cstdint>

namespace spf {

// A bar on one line of descriptor 2, if that is a terminal and the reading lasts
// longer than a second; gone when it is destroyed.
class Progress {
 public:
  // `total` octets, or 0 if nobody knows.
  explicit Progress(std::uint64_t total);
  Progress(const Progress&) = delete;
  ~Progress();

  void show(std::uint64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  std::uint64_t total_;
  bool terminal_;
  bool shown_ = false;
  Clock::time_point next_;
};

}  // namespace spf
