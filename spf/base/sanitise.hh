// The one way by which text from outside (HELO, sender, DNS, SPFEXP) gets into
// a log line, a header, a reply or the environment.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spf {

// Octets of one name, address or term in a header or the log.
inline constexpr std::size_t max_item = 255;

// `text` as printable ASCII: every octet outside 32-126 becomes '_', and
// what is over `limit` octets is cut off.
std::string printable(std::string_view text, std::size_t limit);

// The same without blanks: every octet outside 33-126 becomes '_'.
std::string printable_word(std::string_view text, std::size_t limit);

}  // namespace spf
