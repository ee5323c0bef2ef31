// The Authentication-Results header field (RFC 8601).
#pragma once

#include <string>
#include <string_view>

#include "spf/engine/verdict.hh"

namespace spf {

// The header's value in one line of at most 1,000 octets of printable ASCII:
// `ID; spf=RESULT smtp.mailfrom=DOMAIN`, or smtp.helo=NAME. ID is `authserv_id`
// (see Config). Where the name that was checked is none, or too long, the result
// stands alone.
std::string authentication_results_value(const Verdict& verdict, std::string_view authserv_id);

// "Authentication-Results: value" folded at 78 columns where possible, with CRLF.
std::string authentication_results(std::string_view value);

}  // namespace spf
