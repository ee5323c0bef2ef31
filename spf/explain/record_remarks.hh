// What the text of one record says that its owner might not have meant.
#pragma once

#include <string>
#include <vector>

#include "spf/base/address.hh"
#include "spf/engine/record.hh"

namespace spf {

// One line for each; no DNS is asked.
std::vector<std::string> record_remarks(const Record& record);

// Of a term by itself, also in a record that is somebody else's.
std::vector<std::string> directive_remarks(const Directive& directive);

// Whether it is one that no client on the Internet has.
bool is_private(const Address& address);

}  // namespace spf
