#include "spf/stat/durations.hh"

#include <algorithm>
#include <numeric>

namespace spf {

void Durations::add(unsigned milliseconds) {
  ++counts_[std::min(milliseconds, most_milliseconds)];
  ++count_;
  sum_ += milliseconds;
}

std::uint64_t Durations::at_most(unsigned milliseconds) const {
  const auto end = counts_.begin() + std::min(milliseconds, most_milliseconds) + 1;
  return std::accumulate(counts_.begin(), end, std::uint64_t(0));
}

unsigned Durations::percentile(unsigned percent) const {
  const std::uint64_t wanted = (count_ / 100) * percent + ((count_ % 100) * percent + 99) / 100;
  std::uint64_t over = 0;
  unsigned milliseconds = 0;
  while ((over += counts_[milliseconds]) < wanted) ++milliseconds;
  return milliseconds;
}

}  // namespace spf
