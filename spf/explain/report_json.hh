// Reports for scripts: JSON (RFC 8259) in ASCII, with the keys that spfcheck(1)
// lists. All of them are always there; what there is none of is null.
#pragma once

#include <string>

#include "spf/explain/check_report.hh"
#include "spf/explain/config_report.hh"
#include "spf/explain/record_report.hh"

namespace spf {

// Octets that are not UTF-8 become U+FFFD. Throws std::bad_alloc.
std::string json_of(const CheckReport& report);
std::string json_of(const RecordReport& report);
std::string json_of(const ConfigReport& report);

}  // namespace spf
