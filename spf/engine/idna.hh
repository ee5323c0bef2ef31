// A-labels for the U-labels of a domain (RFC 5890 section 2.3.2.1).
#pragma once

#include <string>
#include <string_view>

namespace spf {

// Every label that holds octets over 127, looked up as IDNA2008 does (mapped
// to lower case and normal form, then xn--). A label that is ASCII, or no
// valid UTF-8, or none that IDNA allows, stays as it is.
std::string to_a_labels(std::string_view domain);

}  // namespace spf
