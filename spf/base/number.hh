// Decimal numbers as settings and protocols have them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "spf/base/ascii.hh"

namespace spf {

// A text of digits and nothing else, from `lowest` to `highest`; leading zeros
// don't count. Nothing for any other text.
constexpr std::optional<unsigned> parse_number(std::string_view text, unsigned lowest,
                                               unsigned highest) {
  if (text.empty()) return {};
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return {};
    value = value * 10 + unsigned(c - '0');
    if (value > highest) return {};
  }
  if (value < lowest) return {};
  return unsigned(value);
}

}  // namespace spf
