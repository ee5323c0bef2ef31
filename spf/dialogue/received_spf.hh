// The Received-SPF header field (RFC 7208 section 9.1).
#pragma once

#include <string>
#include <string_view>

#include "spf/engine/check.hh"
#include "spf/engine/verdict.hh"

namespace spf {

// The header's value in one line of at most 1,000 octets of printable ASCII. No
// text in it that came from outside looks like a key, with quotes or without. Of
// the HELO name beside MAIL's domain it has no envelope-from, which it is not about.
// `receiver` is R (see Config).
std::string header_value(const Query& query, const Verdict& verdict, std::string_view receiver);

// "Received-SPF: value" folded at 78 columns where possible, with CRLF.
std::string received_spf(std::string_view value);

}  // namespace spf
