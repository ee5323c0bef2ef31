// How long checks took, exact to the millisecond.
#pragma once

#include <cstdint>
#include <vector>

namespace spf {

class Durations {
 public:
  // No check is longer (SPFTIMEOUT); one that says so counts as this long, but for
  // the sum.
  static constexpr unsigned most_milliseconds = 300'000;

  void add(unsigned milliseconds);

  std::uint64_t count() const { return count_; }
  std::uint64_t sum() const { return sum_; }  // milliseconds

  // How many took at most so long.
  std::uint64_t at_most(unsigned milliseconds) const;

  // The shortest time within which at least `percent` of 100 were over; 100 is the
  // longest of all. Needs count() > 0.
  unsigned percentile(unsigned percent) const;

 private:
  std::vector<std::uint64_t> counts_;  // by milliseconds, up to the longest that came
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
};

}  // namespace spf
