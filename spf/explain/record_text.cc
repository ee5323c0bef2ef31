#include "spf/explain/report_text.hh"

#include "spf/engine/limits.hh"
#include "spf/explain/terminal_text.hh"

namespace spf {
namespace {

std::string voids(const Cost& cost) {
  const std::string most = " of " + std::to_string(Limits::most_voids);
  if (cost.voids4 == cost.voids6) return std::to_string(cost.voids4) + most;
  return std::to_string(cost.voids4) + most + " for a client with an IPv4 address, " +
         std::to_string(cost.voids6) + most + " with an IPv6 address";
}

}  // namespace

std::string text_of(const RecordReport& report) {
  const RecordJudgement& judgement = report.judgement;
  const Cost& cost = judgement.cost;
  TerminalText out;
  out.verbatim(name(judgement.grade));
  out.item("domain", report.domain);
  out.item("terms", (cost.more ? "at least " : "") + std::to_string(cost.terms) + " of " + std::to_string(Limits::most_lookups) +
                        " that ask DNS, where nothing matches");
  std::string void_text = voids(cost);
  if (cost.possible_voids != 0)
    void_text += ", and up to " + std::to_string(cost.possible_voids) + " that depend on the client";
  out.item("voids", void_text);
  if (judgement.octets != 0) out.item("size", std::to_string(judgement.octets) + " octets");
  out.item("time", std::to_string(report.took.count()) + " ms of " + std::to_string(report.time_limit.count()) + " s");
  for (const std::string& error : judgement.errors) out.item("error", error);
  for (const std::string& warning : judgement.warnings) out.item("warning", warning);
  out.title("Record");
  out.tree(judgement.lines);
  return out.text();
}

}  // namespace spf
