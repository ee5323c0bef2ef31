// What somebody meant who wrote something that is no SPF record, or no term of one.
#pragma once

#include <string>
#include <string_view>

#include "spf/engine/record.hh"

namespace spf {

// A term without the qualifier that it may begin with (RFC 7208 section 4.6.1).
std::string_view without_qualifier(std::string_view term);

// `did you mean "ip4:"?` for the name of a term that is nearly one of RFC 7208; ""
// for any other. `value` is what stands behind the name and its : or =.
std::string suggestion(std::string_view name, std::string_view value);

// What was meant by the term with the problem in the record `text`; "" where
// that is anybody's guess.
std::string hint(std::string_view text, const SyntaxProblem& problem);

// Whether a TXT record that is no SPF record was to be one.
bool is_mistyped_record(std::string_view text);

}  // namespace spf
