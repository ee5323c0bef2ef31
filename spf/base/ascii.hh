// Characters as protocols see them: ASCII only, whatever the process's locale.
#pragma once

#include <algorithm>
#include <string_view>

namespace spf {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alphanum(char c) { return is_alpha(c) || is_digit(c); }
constexpr bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

// What a word may have without quotes (RFC 5322 section 3.2.3).
constexpr bool is_atext(char c) {
  return is_alphanum(c) ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

// What no token has (RFC 2045 section 5.1), besides blanks and control characters.
constexpr bool is_tspecial(char c) {
  return std::string_view("()<>@,;:\\\"/[]?=").find(c) != std::string_view::npos;
}

// The first word of `rest`, which it is taken off, with the blank behind it.
constexpr std::string_view take_word(std::string_view& rest) {
  const std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size() + (word.size() < rest.size()));
  return word;
}

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; }

constexpr bool equal_ignoring_case(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

constexpr bool starts_with_ignoring_case(std::string_view text, std::string_view start) {
  return equal_ignoring_case(text.substr(0, start.size()), start);
}

constexpr bool ends_with_ignoring_case(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

}  // namespace spf
