#include "spf/engine/check.hh"

#include <chrono>
#include <ctime>
#include <exception>
#include <optional>

#include "spf/engine/check_host.hh"
#include "spf/engine/idna.hh"
#include "spf/base/dns_name.hh"
#include "spf/base/lines.hh"
#include "spf/base/mailbox.hh"
#include "spf/engine/macro.hh"
#include "spf/engine/record.hh"

namespace spf {

namespace {

// The patch's %{xr} and %{xR} mean the receiver: %{r} and %{R} here. Only a
// macro is rewritten: in %%{xr} there is none.
std::string without_patch_macros(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    result += text[i];
    if (text[i] != '%' || i + 1 == text.size()) continue;
    result += text[++i];
    if (text[i] == '{' && i + 2 < text.size() && text[i + 1] == 'x' &&
        (text[i + 2] == 'r' || text[i + 2] == 'R'))
      ++i;
  }
  return result;
}

std::string text_of(const SyntaxProblem& problem) { return problem.term + ": " + problem.what; }

// In one line, and without a web page that would be gone one day.
std::string default_explanation(const Verdict& verdict, const Address& client) {
  const std::string start = "SPF " + std::string(name(verdict.result)) + ": ";
  const std::string domain = verdict.domain.empty() ? "unknown" : verdict.domain;
  const std::string who = verdict.local_policy ? "local policy for " + domain : domain;
  switch (verdict.result) {
    case Result::neutral:
      return start + who + " neither permits nor denies " + client.text() + " as sender";
    case Result::none:
      return start + who + " does not designate any senders, so not " + client.text();
    case Result::permerror:
      return start + verdict.problem + ", checking " + client.text() + " for " + domain;
    default:
      return start + who + " does not designate " + client.text() + " as permitted sender";
  }
}

std::string explain(const Verdict& verdict, const Finding& finding, const Query& query,
                    const CheckOptions& options, CheckHost& host) {
  if (verdict.result == Result::fail && finding.exp)
    if (auto text = host.explanation(*finding.exp, finding.domain)) return *text;
  if (!options.explanation.empty() && explanation_problem(options.explanation).empty()) {
    std::string text;
    for (const std::string_view line : lines_of(options.explanation)) {  // each a macro-string
      if (!text.empty()) text += '\n';
      text += host.expand(without_patch_macros(line), verdict.domain);
      if (text.size() >= longest_verdict_text) break;
    }
    return text;
  }
  return default_explanation(verdict, query.client);
}

void evaluate(const Query& query, const Subject& who, const CheckOptions& options,
              Resolver& resolver, Trace& trace, Verdict& verdict) {
  const Terms rules = parse_terms(options.rules), guess = parse_terms(options.guess);
  for (const Terms* terms : {&rules, &guess})
    for (const SyntaxProblem& problem : terms->problems) trace.warning(text_of(problem));
  CheckHost host(resolver, {query.client, who.sender, query.helo, options.receiver, std::time(nullptr)},
                 trace);
  Finding finding = host.check(who.domain, rules.directives);
  if (finding.result == Result::none) {
    std::vector<Directive> terms = guess.directives;
    terms.insert(terms.end(), rules.directives.begin(), rules.directives.end());
    finding = host.guess(who.domain, terms);
  }
  verdict.result = finding.result;
  verdict.mechanism = finding.mechanism;
  verdict.problem = finding.problem;
  verdict.local_policy = finding.local_policy;
  verdict.lookups = host.record_limits().lookups + host.local_limits().lookups;
  verdict.voids = host.record_limits().voids + host.local_limits().voids;
  if (verdict.result != Result::pass && verdict.result != Result::temperror)
    verdict.explanation = explain(verdict, finding, query, options, host);
}

// A record's terms have any length that fits into a TXT record.
void bound(std::string& text) {
  if (text.size() > longest_verdict_text) text.resize(longest_verdict_text);
}

}  // namespace

Subject subject(const Query& query) {
  const auto without_dot = [](std::string_view domain) {
    return to_a_labels(without_trailing_dot(domain));
  };
  const auto at = domain_separator(query.sender);
  if (at != query.sender.npos && at + 1 < query.sender.size()) {
    std::string domain = without_dot(std::string_view(query.sender).substr(at + 1));
    // RFC 7208 section 4.3: no local-part is "postmaster".
    std::string sender = (at == 0 ? "postmaster" : query.sender.substr(0, at)) + "@" + domain;
    return {Identity::mailfrom, std::move(domain), std::move(sender)};
  }
  std::string domain = without_dot(query.helo);
  std::string sender = "postmaster@" + domain;
  return {Identity::helo, std::move(domain), std::move(sender)};
}

Verdict no_verdict(const Query& query) {
  const Subject about = subject(query);
  Verdict verdict;
  verdict.result = Result::temperror;
  verdict.identity = about.identity;
  verdict.domain = about.domain;
  return verdict;
}

Verdict check(const Query& query, const CheckOptions& options, Resolver& resolver) {
  Trace nobody;
  return check(query, options, resolver, nobody);
}

Verdict check(const Query& query, const CheckOptions& options, Resolver& resolver, Trace& trace) {
  const auto start = std::chrono::steady_clock::now();
  Verdict verdict;
  try {
    const Subject who = subject(query);
    verdict.identity = who.identity;
    verdict.domain = who.domain;
    if (query.client.is_loopback() || options.own_address) {
      verdict.result = Result::pass;
      verdict.local_policy = true;
    } else {
      evaluate(query, who, options, resolver, trace, verdict);
    }
  } catch (const std::exception&) {
    verdict.result = Result::temperror;
    verdict.mechanism.reset();
    verdict.explanation.clear();
  }
  if (verdict.result == Result::temperror)
    verdict.problem = "error in processing during lookup of " + verdict.domain + ": DNS problem";
  bound(verdict.domain);
  bound(verdict.problem);
  bound(verdict.explanation);
  if (verdict.mechanism) bound(*verdict.mechanism);
  verdict.milliseconds = unsigned(std::chrono::duration_cast<std::chrono::milliseconds>(
                                      std::chrono::steady_clock::now() - start).count());
  return verdict;
}

std::vector<std::string> rule_problems(std::string_view terms) {
  std::vector<std::string> problems;
  for (const SyntaxProblem& problem : parse_terms(terms).problems)
    problems.push_back(text_of(problem));
  return problems;
}

std::string explanation_problem(std::string_view explanation) {
  for (const std::string_view line : lines_of(explanation))
    if (auto problem = macro_problem(without_patch_macros(line), MacroUse::explanation))
      return *problem;
  return {};
}

std::vector<std::string> option_problems(const CheckOptions& options) {
  std::vector<std::string> problems;
  for (const std::string& problem : rule_problems(options.rules))
    problems.push_back("spfrules: left out: " + problem);
  for (const std::string& problem : rule_problems(options.guess))
    problems.push_back("spfguess: left out: " + problem);
  if (const std::string problem = explanation_problem(options.explanation); !problem.empty())
    problems.push_back("spfexp: not used: " + problem);
  return problems;
}

}  // namespace spf
