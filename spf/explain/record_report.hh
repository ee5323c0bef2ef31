// What spfcheck finds of a domain's own record.
#pragma once

#include <chrono>
#include <string>

#include "spf/dns/resolver.hh"
#include "spf/explain/record_judge.hh"

namespace spf {

struct RecordReport {
  std::string domain;
  RecordJudgement judgement;  // of long lists the beginning
  std::chrono::milliseconds took;
  std::chrono::seconds time_limit;
};

// As judge_record().
RecordReport report_record(const std::string& domain, std::chrono::seconds time_limit, Resolver& resolver);

}  // namespace spf
