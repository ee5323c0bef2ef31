// Figures and names in columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace spf {

// "1,234,567"
std::string grouped(std::uint64_t number);

// "61.0 %"; only nothing is "0.0 %", and only all "100.0 %". Needs part <= whole.
std::string percent(std::uint64_t part, std::uint64_t whole);

// Filled with blanks up to `width` columns. What is longer stays whole.
std::string right(std::string_view text, std::size_t width);
std::string left(std::string_view text, std::size_t width);

// `text` in printable ASCII and at most `width` columns: the end of a name, which
// tells whose it is, or the beginning of a text; "..." for the rest.
std::string end_of(std::string_view name, std::size_t width);
std::string beginning_of(std::string_view text, std::size_t width);

}  // namespace spf
