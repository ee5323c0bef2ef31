#include "spf/stat/durations.hh"

#include <algorithm>
#include <numeric>

namespace spf {

void Durations::add(unsigned milliseconds) {
  const std::size_t at = std::min(milliseconds, most_milliseconds);
  if (at >= counts_.size()) counts_.resize(at + 1);
  ++counts_[at];
  ++count_;
  sum_ += milliseconds;
}

std::uint64_t Durations::at_most(unsigned milliseconds) const {
  const std::size_t end = std::min(std::size_t(std::min(milliseconds, most_milliseconds)) + 1, counts_.size());
  return std::accumulate(counts_.begin(), counts_.begin() + std::ptrdiff_t(end), std::uint64_t(0));
}

unsigned Durations::percentile(unsigned percent) const {
  const std::uint64_t wanted = (count_ / 100) * percent + ((count_ % 100) * percent + 99) / 100;
  std::uint64_t over = 0;
  unsigned milliseconds = 0;
  while ((over += counts_[milliseconds]) < wanted) ++milliseconds;
  return milliseconds;
}

}  // namespace spf
