// Names as DNS has them, in text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spf {

inline constexpr std::size_t longest_name = 253;
inline constexpr std::size_t longest_label = 63;

std::string_view without_trailing_dot(std::string_view name);

// Whether DNS can carry the name (RFC 1035 section 2.3.4): 1 to 253 octets in
// labels of 1 to 63, a trailing dot ignored.
bool is_dns_name(std::string_view name);

// The same for all spellings of a name: lower case, no trailing dot.
std::string canonical_name(std::string_view name);

// Whether `name` is `domain` or below it; in any case, and a trailing dot of
// `domain` ignored. Nothing is within "".
bool is_within(std::string_view name, std::string_view domain);

}  // namespace spf
