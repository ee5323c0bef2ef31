// What the text of one record says that its owner might not have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spf/engine/record.hh"

namespace spf {

// One line for each; no DNS is asked.
std::vector<std::string> record_remarks(const Record& record);

// `did you mean "ip4:"?` for the name of a term that is nearly one of RFC 7208;
// "" for any other.
std::string suggestion(std::string_view name);

// The name a term begins with: qualifier and argument are taken off.
std::string_view term_name(std::string_view term);

}  // namespace spf
