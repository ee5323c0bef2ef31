// The figures in Prometheus' text form, version 0.0.4, for the textfile collector of
// its node_exporter.
#pragma once

#include <string>

#include "spf/stat/statistics.hh"

namespace spf {

// Nothing in it is text from the log.
std::string prometheus_text(const Statistics& statistics);

}  // namespace spf
