#include <array>

#include "spf/dialogue/policy.hh"
#include "spf/explain/report_text.hh"
#include "spf/explain/terminal_text.hh"

namespace spf {
namespace {

constexpr std::array all_results = {Result::fail,      Result::softfail,  Result::neutral, Result::none,
                                    Result::permerror, Result::temperror, Result::pass};

// The results that meet with a decision at a level, or "".
std::string results_with(unsigned level, Decision decision) {
  std::string text;
  for (const Result result : all_results) {
    if (decide(level, result) != decision) continue;
    if (!text.empty()) text += ", ";
    text += name(result);
  }
  return text;
}

std::string level_text(unsigned level, bool smtps) {
  if (level == 0) return smtps ? "0: checks nothing" : "0: spfwrap steps aside";
  std::string text = std::to_string(level) + ": checks";
  if (const auto results = results_with(level, Decision::defer); !results.empty())
    text += "; 451 on " + results;
  const auto rejected = results_with(level, Decision::reject);
  return text + (rejected.empty() ? "; refuses nothing" : "; 550 on " + rejected);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Who may read what another may not.
std::string user_text(uid_t user) {
  return user == 0 ? "root, who can read what spfwrap's user may not"
                   : "user " + std::to_string(user);
}

}  // namespace

std::string text_of(const ConfigReport& report) {
  TerminalText out;
  out.verbatim(name(report.grade));
  for (const std::string& error : report.errors) out.item("error", error);
  for (const std::string& warning : report.warnings) out.item("warning", warning);

  out.title("Settings");
  for (const Setting& setting : report.settings)
    out.item(setting.name, setting.problem.empty()
                               ? (setting.value.empty() ? "none" : setting.value) + " (" + setting.source + ")"
                               : "can't be read");

  out.title("What they mean");
  out.item("level", report.level ? level_text(*report.level, report.smtps) : "unknown: no mail is taken");
  out.item("this host", report.receiver);
  out.item("TLS", report.tls);
  if (report.auth_needs_tls) out.item("AUTH", "only in TLS (SPFAUTH)");
  if (report.certificate) {
    const auto& hosts = report.certificate->names;
    out.item("certificate", hosts.empty() ? "names no host" : joined(hosts));
    out.item("valid until", report.validity.until);
  }
  if (report.tried_by) out.item("tried by", user_text(*report.tried_by));
  out.item("name servers", joined(report.name_servers));
  return out.text();
}

}  // namespace spf
