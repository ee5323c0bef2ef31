// Which of any number of names are the most frequent, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
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
  // Not those with a count of error() or less: one that was forgotten may have come
  // as often. So whoever came more than 2 * error() times is there.
  std::vector<Name> top(std::size_t most) const;

  std::uint64_t total() const { return total_; }
  std::uint64_t error() const { return error_; }  // 0: the counts are exact
  std::size_t names() const { return names_; }    // how many are known
  std::size_t capacity() const { return capacity_; }

 private:
  struct Slot {
    std::size_t hash = 0;
    Name entry = {{}, 0};  // count 0: free
  };

  Slot& slot_of(std::string_view name, std::size_t hash);
  void rebuild(std::size_t slots);
  void forget_rare();

  std::size_t capacity_;
  std::vector<Slot> slots_ = std::vector<Slot>(64);  // a power of two, at most half are used
  std::size_t names_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t error_ = 0;
};

}  // namespace spf
