// A-labels for the U-labels of a domain (RFC 5890 section 2.3.2.1).
#pragma once

#include <string>
#include <string_view>

namespace spf {

// Every label that holds octets over 127 and is valid UTF-8 as xn-- and its
// Punycode (RFC 3492). Nothing is mapped or normalised: a U-label is lower
// case and in normal form by definition, and the name of anything else is
// another name. Labels that are ASCII or no UTF-8 stay as they are.
std::string to_a_labels(std::string_view domain);

}  // namespace spf
