#include "spf/stat/frequent.hh"

#include <algorithm>

namespace spf {

void Frequent::add(std::string_view name) {
  name = name.substr(0, max_item);
  ++total_;
  if (const auto known = counts_.find(name); known != counts_.end()) {
    ++known->second;
    return;
  }
  if (counts_.size() == capacity_) forget_rare();
  counts_.emplace(name, 1);
}

void Frequent::forget_rare() {
  std::vector<std::uint64_t> counts;
  counts.reserve(counts_.size());
  for (const auto& [name, count] : counts_) counts.push_back(count);
  const auto middle = counts.begin() + std::ptrdiff_t(counts.size() / 2);
  std::nth_element(counts.begin(), middle, counts.end());
  const std::uint64_t median = *middle;
  std::erase_if(counts_, [median](const auto& entry) { return entry.second <= median; });
  for (auto& [name, count] : counts_) count -= median;
  error_ += median;
}

std::vector<Frequent::Name> Frequent::top(std::size_t most) const {
  std::vector<Name> all;
  all.reserve(counts_.size());
  for (const auto& [name, count] : counts_) all.push_back({name, count});
  const auto end = all.begin() + std::ptrdiff_t(std::min(most, all.size()));
  std::partial_sort(all.begin(), end, all.end(), [](const Name& one, const Name& other) {
    return one.count != other.count ? one.count > other.count : one.name < other.name;
  });
  all.erase(end, all.end());
  return all;
}

}  // namespace spf
