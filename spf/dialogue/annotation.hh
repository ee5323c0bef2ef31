// What spfqueue is told of the message in hand: the octets behind SPFFD. spfwrap
// writes them before prog sees MAIL, and none at all for a MAIL that is not
// checked.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spf {

struct Annotation {
  std::vector<std::string> variables;  // "NAME=value", of variable_names
  std::string header;                  // whole fields, lines ending in LF; or ""
  bool operator==(const Annotation&) const = default;
};

// Octets at most; what a verdict comes to is far from this.
inline constexpr std::size_t max_annotation = 65536;

// The octets for what prog is to see of a verdict; the header may have CRLF too.
// What is no such thing (a value over its bounds, half a field) is encoded all
// the same, and refused by decode_annotation(): never taken for a MAIL that is not checked.
std::string encode_annotation(const Annotation& annotation);

// Nothing where `octets` are not the whole of what encode_annotation() has made. Of no
// octets: an annotation without anything.
std::optional<Annotation> decode_annotation(std::string_view octets);

}  // namespace spf
