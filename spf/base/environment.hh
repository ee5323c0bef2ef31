// Entries of an environment, "NAME=value", as exec takes them.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>

namespace spf {

// Whether `entry` sets one of the variables so named.
inline bool sets_one_of(std::string_view entry, std::span<const std::string_view> names) {
  const std::string_view name = entry.substr(0, entry.find('='));
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace spf
