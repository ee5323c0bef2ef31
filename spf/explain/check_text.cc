#include "spf/explain/report_text.hh"

#include <string_view>
#include <utility>

#include "spf/base/lines.hh"

namespace spf {
namespace {

std::string share(unsigned used, unsigned most) {
  return std::to_string(used) + " of " + std::to_string(most);
}

std::string used(const Limits& limits) {
  return share(limits.lookups, Limits::most_lookups) + " terms that ask DNS, " +
         share(limits.voids, Limits::most_voids) + " voids";
}

std::string or_none(const std::string& text) { return text.empty() ? "none" : text; }

std::string matched(const Verdict& verdict) {
  return *verdict.mechanism + (verdict.local_policy ? " (local rule)" : "");
}

void write_verdict(TerminalText& out, const CheckReport& report) {
  const auto& [verdict, helo] = report.judgement;
  out.item("client", report.query.client.text());
  out.item("HELO", or_none(report.query.helo));
  out.item("sender", report.query.sender.empty() ? "<>" : report.query.sender);
  if (report.recipient) out.item("recipient", *report.recipient);
  out.item("checked", or_none(verdict.domain) + " (identity " + std::string(name(verdict.identity)) + ")");
  if (verdict.mechanism) out.item("matched", matched(verdict));
  if (!verdict.problem.empty()) out.item("reason", verdict.problem);
  out.item("used", used(report.used) + ", " + std::to_string(verdict.milliseconds) + " ms of " +
                       std::to_string(report.time_limit.count()) + " s");
  if (report.used_by_local_rules) out.item("", "local rules: " + used(*report.used_by_local_rules));
  if (!helo) return;
  std::string text(name(helo->result));
  if (helo->mechanism) text += ": " + matched(*helo);
  if (!helo->problem.empty()) text += ": " + helo->problem;
  out.item("HELO result", text);
}

std::string level_text(const ReportedLevel& level) {
  std::string text = std::to_string(level.level) + (level.level == 0 ? ", off (" : " (");
  text += level.source == "environment" ? level.setting : level.source;
  if (!level.rule.empty()) text += " line " + std::to_string(level.line) + ": \"" + level.rule + '"';
  return text + ')';
}

void write_policy(TerminalText& out, const CheckReport& report) {
  out.item("level", level_text(report.level));
  if (report.exemption) {
    const auto& [reason, trouble, problem] = *report.exemption;
    out.item("policy", trouble           ? "unknown, so 451: no answer for " + or_none(problem)
                       : reason.empty() ? "none: nothing lets it through"
                                        : reason);
  }
  if (report.shadow_code)
    out.item("shadow", std::to_string(*report.shadow_code) + " at level " + std::to_string(*report.shadow_level));
}

// Answers of prog alone in a line, ours with the command before it.
void write_answers(TerminalText& out, std::string label, const std::vector<Answered>& answers) {
  const auto line = [&](const std::string& text) { out.item(std::exchange(label, {}), text); };
  if (answers.front().lines.empty()) return line("MAIL and RCPT go to prog, which answers");
  for (const auto& [command, lines] : answers) {
    if (lines.empty()) line(command + "  goes to prog after the MAIL, and prog answers");
    for (const std::string& text : lines) line(command + "  " + text);
  }
}

void write_replies(TerminalText& out, const CheckReport& report) {
  for (const auto& [first, last, answers] : report.replies) {
    std::string label = "level " + std::to_string(first);
    if (last > first) label = "levels " + std::to_string(first) + '-' + std::to_string(last);
    if (first == 0 && (!report.recipient || report.level.setting == "SPFBEHAVIOR"))
      out.item(label, "spfwrap steps aside");
    else
      write_answers(out, label, answers);
  }
  std::string label = "by spfto";
  for (const auto& [level, decision] : report.recipient_replies)
    out.item(std::exchange(label, {}),
             "level " + std::to_string(level) + ": " +
                 (decision == Decision::accept ? "RCPT goes to prog" : std::to_string(code(decision)) + " to RCPT"));
  if (report.exemption_not_asked) out.item("", "before a 550, spfforwarders and SPFDMARC would be asked");
}

}  // namespace

std::string text_of(const CheckReport& report) {
  TerminalText out;
  out.verbatim(name(report.judgement.verdict.result));
  write_verdict(out, report);
  write_policy(out, report);
  for (const std::string& warning : report.warnings) out.item("warning", warning);

  out.title("Evaluation");
  if (!report.nothing_evaluated.empty()) out.item("", report.nothing_evaluated);
  out.tree(report.evaluation);
  if (!report.helo_evaluation.empty()) {
    out.title("Evaluation of the HELO name");
    out.tree(report.helo_evaluation);
  }

  out.title("Header");
  for (const std::string_view line : lines_of(report.header)) out.verbatim(line);

  out.title("Environment of prog");
  for (const std::string& variable : report.environment) {
    const auto equals = variable.find('=');
    out.item(variable.substr(0, equals), variable.substr(equals + 1));
  }

  out.title("Replies");
  write_replies(out, report);
  return out.text();
}

}  // namespace spf
