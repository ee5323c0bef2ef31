// Reports for people at a terminal.
#pragma once

#include <string>

#include "spf/explain/check_report.hh"
#include "spf/explain/config_report.hh"
#include "spf/explain/record_report.hh"

namespace spf {

// The first line is one word: the result's name, or the grade's.
std::string text_of(const CheckReport& report);
std::string text_of(const RecordReport& report);
std::string text_of(const ConfigReport& report);

}  // namespace spf
