// The tables, for people at a terminal.
#pragma once

#include <string>

#include "spf/stat/statistics.hh"

namespace spf {

// Lines of at most 79 columns: printable ASCII whatever the log has, but for the
// chart if `blocks` (chart.hh).
std::string screen(const Statistics& statistics, bool blocks);

}  // namespace spf
