#include "spf/explain/record_report.hh"

#include <utility>

namespace spf {

RecordReport report_record(const std::string& domain, std::chrono::seconds time_limit, Resolver& resolver) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  RecordJudgement judgement = judge_record(domain, resolver);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
  judgement.lines = bounded(std::move(judgement.lines));
  judgement.errors = bounded(std::move(judgement.errors));
  judgement.warnings = bounded(std::move(judgement.warnings));
  return {domain, std::move(judgement), took, time_limit};
}

}  // namespace spf
