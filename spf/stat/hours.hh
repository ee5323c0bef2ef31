// What was decided in each hour.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "spf/dialogue/policy.hh"

namespace spf {

class Hours {
 public:
  // Some two years. A log with more has stamps that are none.
  static constexpr std::size_t most = 20'000;

  using Counts = std::array<std::uint64_t, 3>;  // by Decision

  Hours() = default;
  Hours(const Hours&) = delete;

  // `hour`: hours since 1970. In any order.
  void add(std::int64_t hour, Decision decision) {
    if (last_ == hours_.end() || last_->first != hour) {
      if (hours_.size() >= most && !hours_.contains(hour)) {
        ++left_out_;
        return;
      }
      last_ = hours_.try_emplace(hour).first;
    }
    ++last_->second[std::size_t(decision)];
  }

  const std::map<std::int64_t, Counts>& hours() const { return hours_; }
  std::uint64_t left_out() const { return left_out_; }  // of hours beyond `most`

 private:
  std::map<std::int64_t, Counts> hours_;
  std::map<std::int64_t, Counts>::iterator last_ = hours_.end();
  std::uint64_t left_out_ = 0;
};

}  // namespace spf
