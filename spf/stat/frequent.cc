#include "spf/stat/frequent.hh"

#include <algorithm>
#include <functional>

namespace spf {

void Frequent::add(std::string_view name) {
  name = name.substr(0, max_item);
  ++total_;
  const std::size_t hash = std::hash<std::string_view>()(name);
  Slot* slot = &slot_of(name, hash);
  if (slot->entry.count == 0) {
    if (names_ == capacity_) forget_rare();
    if (2 * (names_ + 1) > slots_.size()) rebuild(2 * slots_.size());
    slot = &slot_of(name, hash);
    slot->hash = hash;
    slot->entry.name = name;
    ++names_;
  }
  ++slot->entry.count;
}

// The slot of `name`, or a free one for it.
Frequent::Slot& Frequent::slot_of(std::string_view name, std::size_t hash) {
  std::size_t at = hash;
  for (;; ++at) {
    Slot& slot = slots_[at & (slots_.size() - 1)];
    if (slot.entry.count == 0 || (slot.hash == hash && slot.entry.name == name)) return slot;
  }
}

void Frequent::rebuild(std::size_t slots) {
  std::vector<Slot> old(slots);
  old.swap(slots_);
  names_ = 0;
  for (Slot& slot : old) {
    if (slot.entry.count == 0) continue;
    slot_of(slot.entry.name, slot.hash) = std::move(slot);
    ++names_;
  }
}

void Frequent::forget_rare() {
  std::vector<std::uint64_t> counts;
  counts.reserve(names_);
  for (const Slot& slot : slots_)
    if (slot.entry.count > 0) counts.push_back(slot.entry.count);
  const auto middle = counts.begin() + std::ptrdiff_t(counts.size() / 2);
  std::nth_element(counts.begin(), middle, counts.end());
  const std::uint64_t median = *middle;
  for (Slot& slot : slots_) slot.entry.count -= std::min(slot.entry.count, median);
  rebuild(slots_.size());
  error_ += median;
}

std::vector<Frequent::Name> Frequent::top(std::size_t most) const {
  std::vector<Name> all;
  all.reserve(names_);
  for (const Slot& slot : slots_)
    if (slot.entry.count > error_) all.push_back(slot.entry);
  const auto end = all.begin() + std::ptrdiff_t(std::min(most, all.size()));
  std::partial_sort(all.begin(), end, all.end(), [](const Name& one, const Name& other) {
    return one.count != other.count ? one.count > other.count : one.name < other.name;
  });
  all.erase(end, all.end());
  return all;
}

}  // namespace spf
