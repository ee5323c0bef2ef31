// Reports for people at a terminal.
#pragma once

#include <string>

#include "spf/explain/check_report.hh"

namespace spf {

// The result's name is in the first line.
std::string text_of(const CheckReport& report);

}  // namespace spf
