#include "spf/explain/check_report.hh"

#include <algorithm>
#include <vector>

#include "spf/explain/check_trace.hh"
#include "spf/dialogue/header_fields.hh"
#include "spf/dialogue/variables.hh"
#include "spf/dialogue/policy.hh"
#include "spf/dialogue/reply.hh"
#include "spf/explain/terminal_text.hh"

namespace spf {
namespace {

// The replies at one level, each with the command that it answers; none where
// prog answers.
struct Answered {
  std::string command, reply;
  bool operator==(const Answered&) const = default;
};

std::vector<Answered> replies(unsigned level, const Verdict& verdict) {
  switch (level == 0 ? Decision::accept : decide(level, verdict.result)) {
    case Decision::accept: return {};
    case Decision::defer: return {{"MAIL", std::string(reply::lookup_failure)}};
    case Decision::reject: break;
  }
  std::vector<Answered> result = {{"MAIL", std::string(reply::ok)}};
  std::string wire = rejection(verdict).wire();
  for (std::size_t end; (end = wire.find("\r\n")) != wire.npos; wire.erase(0, end + 2))
    result.push_back({"RCPT", wire.substr(0, end)});
  return result;
}

void write_replies(TerminalText& out, const Verdict& verdict) {
  out.item("level 0", "spfwrap steps aside");
  for (unsigned first = 1, last; first <= max_level; first = last + 1) {
    const auto same = replies(first, verdict);
    for (last = first; last < max_level && replies(last + 1, verdict) == same;) ++last;
    std::string label = "level " + std::to_string(first);
    if (last > first) label = "levels " + std::to_string(first) + '-' + std::to_string(last);
    if (same.empty()) out.item(label, "MAIL and RCPT go to prog, which answers");
    for (const Answered& answered : same) {
      out.item(label, answered.command + "  " + answered.reply);
      label.clear();
    }
  }
}

std::string share(unsigned used, unsigned most) {
  return std::to_string(used) + " of " + std::to_string(most);
}

void write_limits(TerminalText& out, const CheckTrace& trace, const Verdict& verdict,
                  const Config& config) {
  const auto used = [](const Limits& limits) {
    return share(limits.lookups, Limits::most_lookups) + " terms that ask DNS, " +
           share(limits.voids, Limits::most_voids) + " voids";
  };
  out.item("used", used(trace.record_limits()) + ", " + std::to_string(verdict.milliseconds) +
                       " ms of " + std::to_string(config.check_timeout.count()) + " s");
  if (trace.local_rules_tried()) out.item("", "local rules: " + used(trace.local_limits()));
}

void write_verdict(TerminalText& out, const Query& query, const Verdict& verdict) {
  const auto or_none = [](const std::string& text) { return text.empty() ? "none" : text; };
  out.item("client", query.client.text());
  out.item("HELO", or_none(query.helo));
  out.item("sender", query.sender.empty() ? "<>" : query.sender);
  out.item("checked", or_none(verdict.domain) + " (identity " +
                          std::string(name(verdict.identity)) + ")");
  if (verdict.mechanism)
    out.item("matched", *verdict.mechanism + (verdict.local_policy ? " (local rule)" : ""));
  if (!verdict.problem.empty()) out.item("reason", verdict.problem);
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
  return warnings;
}

std::string_view why_nothing_was_asked(const Verdict& verdict) {
  return verdict.local_policy ? "nothing: this machine's own addresses pass without DNS"
                              : "nothing: this is no domain name of two labels or more";
}

}  // namespace

CheckReport report_check(const Query& query, const Config& config, bool own_address,
                         Resolver& resolver) {
  CheckOptions options = check_options(config);
  options.own_address = own_address;
  CheckTrace trace;
  Trace nobody;
  const Verdict verdict = check(query, options, resolver, trace, nobody).verdict;
  const HeaderValues values = header_values(query, verdict, config);

  TerminalText out;
  out.verbatim(name(verdict.result));
  write_verdict(out, query, verdict);
  write_limits(out, trace, verdict, config);
  out.item("level", config.level == 0 ? "0, off" : std::to_string(config.level));
  for (const std::string& warning : all_warnings(config, trace)) out.item("warning", warning);

  out.title("Evaluation");
  out.tree(trace.lines());
  if (trace.lines().empty()) out.item("", why_nothing_was_asked(verdict));

  out.title("Header");
  std::string header = header_fields(values, config.header_type);
  for (std::size_t end; (end = header.find("\r\n")) != header.npos; header.erase(0, end + 2))
    out.verbatim(header.substr(0, end));

  out.title("Environment of prog");
  for (const std::string& variable : variables(verdict, {values.received_spf, values.authentication_results})) {
    const auto equals = variable.find('=');
    out.item(variable.substr(0, equals), variable.substr(equals + 1));
  }

  out.title("Replies");
  write_replies(out, verdict);
  return {verdict, out.text()};
}

}  // namespace spf
