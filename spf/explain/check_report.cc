#include "spf/explain/check_report.hh"

#include <algorithm>
#include <utility>

#include "spf/base/header_field.hh"
#include "spf/base/lines.hh"
#include "spf/dialogue/header_fields.hh"
#include "spf/dialogue/reply.hh"
#include "spf/explain/check_trace.hh"

namespace spf {
namespace {

std::vector<std::string> lines_of_wire(std::string wire) {
  const std::string text = without_cr(std::move(wire));
  const auto lines = lines_of(text);
  return {lines.begin(), lines.end()};
}

// As the session answers MAIL, where nothing is decided yet if recipients may differ,
// and RCPT from a recipient with this level.
std::vector<Answered> answers(const JudgedMail& mail, std::optional<Decision> at_mail, unsigned level) {
  const std::vector<std::string> by_prog, later = {std::string(reply::lookup_failure)};
  if (at_mail == Decision::accept) return {{"MAIL", by_prog}, {"RCPT", by_prog}};
  if (at_mail == Decision::defer) return {{"MAIL", later}};
  const Answered ok = {"MAIL", {std::string(reply::ok)}};
  switch (mail.decision(level)) {
    case Decision::accept: return {ok, {"RCPT", by_prog}};
    case Decision::defer: return {ok, {"RCPT", later}};
    case Decision::reject: break;
  }
  return {ok, {"RCPT", lines_of_wire(rejection(mail.refusing_verdict(level)).wire())}};
}

// As if there were no level but one.
std::vector<LevelReplies> replies_by_level(const JudgedMail& mail) {
  const auto at = [&mail](unsigned level) { return answers(mail, mail.decision(level), level); };
  std::vector<LevelReplies> replies = {{0, 0, at(0)}};
  for (unsigned level = 1; level <= max_level; ++level) {
    auto here = at(level);
    if (level > 1 && here == replies.back().answers)
      replies.back().last = level;
    else
      replies.push_back({level, level, std::move(here)});
  }
  return replies;
}

std::vector<RecipientReply> replies_by_spfto(const JudgedMail& mail, const Levels& rules) {
  std::vector<RecipientReply> replies;
  for (unsigned level = 0; level <= max_level; ++level)
    if (rules.have(level)) replies.push_back({level, mail.decision(level)});
  return replies;
}

ReportedLevel reported(const GivenLevel& given, const std::vector<Setting>& found) {
  static constexpr const char* settings[] = {"SPFBEHAVIOR", "spffrom", "spfto"};
  ReportedLevel result;
  result.level = given.level;
  result.setting = settings[std::size_t(given.by)];
  for (const Setting& setting : found)
    if (setting.name == result.setting) result.source = setting.source;
  if (!given.rule) return result;
  result.line = given.rule->line;
  result.rule = given.rule->pattern + ':' + std::to_string(given.level);
  return result;
}

// Each once: some of what the check warns of is known from the configuration.
std::vector<std::string> all_warnings(const Config& config, const CheckTrace& trace) {
  std::vector<std::string> warnings = config.warnings;
  for (std::string& problem : option_problems(check_options(config)))
    warnings.push_back(std::move(problem));
  for (const std::string& text : trace.warnings())
    if (std::none_of(warnings.begin(), warnings.end(),
                     [&](const std::string& known) { return known.ends_with(text); }))
      warnings.push_back(text);
  for (std::string& warning : warnings) warning = shortened(std::move(warning));
  return bounded(std::move(warnings));
}

std::string_view why_nothing_was_asked(const Verdict& verdict) {
  return verdict.local_policy ? "nothing: this machine's own addresses pass without DNS"
                              : "nothing: this is no domain name of two labels or more";
}

}  // namespace

CheckReport report_check(const CheckedMail& asked, const Config& config,
                         const std::vector<Setting>& found, Resolver& resolver) {
  CheckOptions options = check_options(config);
  options.own_address = asked.own_address;
  CheckTrace trace, helo_trace;
  const RecipientLevels levels(config, asked.query.sender);
  JudgedMail mail{asked.query, check(asked.query, options, resolver, trace, helo_trace), levels, {}};
  CheckReport report;
  if (trace.lines().empty()) report.nothing_evaluated = why_nothing_was_asked(mail.judgement.verdict);

  // At level 0 of SPFBEHAVIOR spfwrap reads no other.
  const bool aside = config.level == 0;
  const GivenLevel given = aside             ? GivenLevel{0}
                           : asked.recipient ? levels.given(*asked.recipient)
                                             : levels.given_by_sender();
  std::optional<Decision> at_mail = aside ? Decision::accept : mail.common_decision();
  const bool due = mail.decision(given.level) == Decision::reject;
  if (due && has_exemptions(config)) {
    mail.exemption = exemption(asked.query, exemption_options(config), resolver, trace);
    if (at_mail) at_mail = mail.common_decision();
  }

  report.query = asked.query;
  report.recipient = asked.recipient;
  report.level = reported(given, found);
  report.exemption_not_asked = !asked.recipient && !mail.exemption && has_exemptions(config) &&
                               decide(max_level, mail.judgement, config.helo_check) == Decision::reject;
  report.shadow_level = config.shadow_level;
  report.shadow_code = mail.shadow_code();
  report.used = trace.record_limits();
  if (trace.local_rules_tried()) report.used_by_local_rules = trace.local_limits();
  report.time_limit = config.check_timeout;
  report.warnings = all_warnings(config, trace);
  report.evaluation = bounded(trace.lines());
  report.helo_evaluation = bounded(helo_trace.lines());
  const HeaderValues values = header_values(asked.query, mail.judgement, config);
  report.header = without_cr(header_fields(values, config.header_type));
  report.environment = variables(mail, values);
  if (asked.recipient) {
    report.replies = {{given.level, given.level, answers(mail, at_mail, given.level)}};
  } else {
    report.replies = replies_by_level(mail);
    if (!aside) report.recipient_replies = replies_by_spfto(mail, config.recipient_levels);
  }
  report.judgement = std::move(mail.judgement);
  report.exemption = std::move(mail.exemption);
  return report;
}

}  // namespace spf
