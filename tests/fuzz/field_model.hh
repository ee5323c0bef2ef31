// What the filter of header fields has to leave of a message, told once more:
// of the whole message, without states.
#pragma once

#include <string>

#include "spf/settings/config.hh"

namespace fuzz {

// `message` has LF after CR only, and no field that hides its ID for over 4 kB.
std::string without_fields(std::string message, spf::Strip strip, const std::string& authserv_id);

}  // namespace fuzz
