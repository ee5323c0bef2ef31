// What spfcheck says of a domain's own record.
#pragma once

#include <chrono>
#include <string>

#include "spf/explain/record_judge.hh"

namespace spf {

// The grade's name is in the first line.
std::string report_record(const std::string& domain, const RecordJudgement& judgement,
                          std::chrono::milliseconds took, std::chrono::seconds limit);

}  // namespace spf
