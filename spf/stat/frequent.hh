// Which of any number of names are the most frequent, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "spf/base/sanitise.hh"

namespace spf {

// After J. Misra and D. Gries, "Finding repeated elements" (1982). Exact until there
// are more than `capacity` different names. Then the median of all counts is taken
// off each, and the names that are left without one are forgotten. So a count is
// never too high, and too low by error() at most, which is at most
// 2 * total() / capacity: each time at least half of the names lose as much.
class Frequent {
 public:
  explicit Frequent(std::size_t capacity = 8192) : capacity_(capacity) {}

  // Of a name longer than max_item octets what is beyond is dropped.
  void add(std::string_view name);

  struct Name {
    std::string name;
    std::uint64_t count;
  };
  // At most `most` of them, the most frequent first; of equals in alphabetical order.
  std::vector<Name> top(std::size_t most) const;

  std::uint64_t total() const { return total_; }
  std::uint64_t error() const { return error_; }   // 0: the counts are exact
  std::size_t names() const { return counts_.size(); }  // how many are known
  std::size_t capacity() const { return capacity_; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  void forget_rare();

  std::size_t capacity_;
  std::unordered_map<std::string, std::uint64_t, Hash, std::equal_to<>> counts_;
  std::uint64_t total_ = 0;
  std::uint64_t error_ = 0;
};

}  // namespace spf
