// The two parts of a mailbox (RFC 5321 section 4.1.2).
#pragma once

#include <cstddef>
#include <string_view>

namespace spf {

// Where the @ stands that parts local-part and domain: the last one outside
// quotes. npos where there is none.
std::size_t domain_separator(std::string_view mailbox);

}  // namespace spf
