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

// A record's terms have any length that fits into a TXT record.
void bound(std::string& text) {
  if (text.size() > longest_verdict_text) text.resize(longest_verdict_text);
}

// What the local rules come to.
struct LocalTerms {
  explicit LocalTerms(const CheckOptions& options)
      : rules(parse_terms(options.rules)), guess(parse_terms(options.guess)) {
    without_record = guess.directives;
    without_record.insert(without_record.end(), rules.directives.begin(), rules.directives.end());
  }

  Terms rules, guess;
  std::vector<Directive> without_record;  // tried where a domain has none
};

Verdict blank(const Subject& who) {
  Verdict verdict;
  verdict.identity = who.identity;
  verdict.domain = who.domain;
  return verdict;
}

// The evaluation of one identity. Its trouble is its verdict's: nothing throws.
class Evaluation {
 public:
  // All that it is given must outlive it; `ahead` as in CheckHost.
  Evaluation(const Query& query, Subject who, const CheckOptions& options, const LocalTerms& local,
             Resolver& resolver, Trace& trace, unsigned ahead)
      : client_(query.client), options_(options), local_(local), who_(std::move(who)), verdict_(blank(who_)) {
    attempt([&] {
      const Identities identities = {query.client, who_.sender, query.helo, options.receiver,
                                     std::time(nullptr)};
      host_.emplace(resolver, identities, trace, ahead);
    });
  }

  // Asks for what find() will need, and for what explain() will; neither waits.
  void ask_ahead() {
    attempt([&] { host_->ask_ahead(who_.domain, local_.rules.directives, local_.without_record); });
  }
  void ask_explanation() {
    attempt([&] {
      if (verdict_.result == Result::fail && finding_.exp)
        host_->ask_explanation(*finding_.exp, finding_.domain);
    });
  }

  void find() {
    attempt([&] {
      finding_ = host_->check(who_.domain, local_.rules.directives);
      if (finding_.result == Result::none) finding_ = host_->guess(who_.domain, local_.without_record);
      verdict_.result = finding_.result;
      verdict_.mechanism = finding_.mechanism;
      verdict_.problem = finding_.problem;
      verdict_.local_policy = finding_.local_policy;
      verdict_.lookups = host_->record_limits().lookups + host_->local_limits().lookups;
      verdict_.voids = host_->record_limits().voids + host_->local_limits().voids;
    });
  }

  void explain() {
    attempt([&] {
      if (verdict_.result != Result::pass && verdict_.result != Result::temperror)
        verdict_.explanation = explanation();
    });
  }

  Verdict take_verdict() { return std::move(verdict_); }

 private:
  template <class Step>
  void attempt(Step step) {
    if (verdict_.result == Result::temperror) return;
    try {
      step();
    } catch (const std::exception&) {
      verdict_ = blank(who_);
      verdict_.result = Result::temperror;
    }
  }

  std::string explanation() {
    if (verdict_.result == Result::fail && finding_.exp)
      if (auto text = host_->explanation(*finding_.exp, finding_.domain)) {
        verdict_.domains_own_words = true;
        return *text;
      }
    if (!options_.explanation.empty() && explanation_problem(options_.explanation).empty()) {
      std::string text;
      for (const std::string_view line : lines_of(options_.explanation)) {  // each a macro-string
        if (!text.empty()) text += '\n';
        text += host_->expand(without_patch_macros(line), verdict_.domain);
        if (text.size() >= longest_verdict_text) break;
      }
      return text;
    }
    return default_explanation(verdict_, client_);
  }

  const Address client_;
  const CheckOptions& options_;
  const LocalTerms& local_;
  const Subject who_;
  std::optional<CheckHost> host_;
  Finding finding_;
  Verdict verdict_;
};

// The HELO name, where it is to be judged beside MAIL's domain.
std::optional<Subject> second_subject(const Query& query, const Subject& first, bool wanted) {
  if (!wanted || first.identity == Identity::helo) return {};
  return subject({query.client, query.helo, ""});
}

Judgement evaluate(const Query& query, const Subject& first, const std::optional<Subject>& second,
                   const CheckOptions& options, Resolver& resolver, Trace& trace, Trace& helo_trace) {
  const LocalTerms local(options);
  for (const Terms* terms : {&local.rules, &local.guess})
    for (const SyntaxProblem& problem : terms->problems) trace.warning(text_of(problem));
  const unsigned for_helo = second ? Limits::most_ahead_for_helo : 0;
  Evaluation mail(query, first, options, local, resolver, trace, Limits::most_ahead - for_helo);
  std::optional<Evaluation> helo;
  if (second) helo.emplace(query, *second, options, local, resolver, helo_trace, for_helo);
  // One after the other, but what is asked early makes them wait together.
  if (helo) helo->ask_ahead();
  mail.find();
  if (helo) helo->find();
  if (helo) helo->ask_explanation();
  mail.explain();
  if (helo) helo->explain();
  Judgement judgement = mail.take_verdict();
  if (helo) judgement.helo = helo->take_verdict();
  return judgement;
}

// The same verdict on both.
Judgement without_dns(const Subject& first, const std::optional<Subject>& second, Result result) {
  const auto verdict = [&](const Subject& who) {
    Verdict verdict = blank(who);
    verdict.result = result;
    verdict.local_policy = result == Result::pass;
    return verdict;
  };
  Judgement judgement = verdict(first);
  if (second) judgement.helo = verdict(*second);
  return judgement;
}

void finish(Verdict& verdict, unsigned milliseconds) {
  if (verdict.result == Result::temperror)
    verdict.problem = "error in processing during lookup of " + verdict.domain + ": DNS problem";
  bound(verdict.domain);
  bound(verdict.problem);
  bound(verdict.explanation);
  if (verdict.mechanism) bound(*verdict.mechanism);
  verdict.milliseconds = milliseconds;
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

Judgement no_verdict(const Query& query, bool helo) {
  const Subject who = subject(query);
  return without_dns(who, second_subject(query, who, helo), Result::temperror);
}

Judgement check(const Query& query, const CheckOptions& options, Resolver& resolver) {
  Trace nobody;
  return check(query, options, resolver, nobody, nobody);
}

Judgement check(const Query& query, const CheckOptions& options, Resolver& resolver, Trace& trace,
                Trace& helo_trace) {
  const auto start = std::chrono::steady_clock::now();
  Judgement judgement;
  try {
    const Subject who = subject(query);
    const std::optional<Subject> helo = second_subject(query, who, options.helo);
    judgement = query.client.is_loopback() || options.own_address
                    ? without_dns(who, helo, Result::pass)
                    : evaluate(query, who, helo, options, resolver, trace, helo_trace);
  } catch (const std::exception&) {
    judgement = no_verdict(query, options.helo);
  }
  const auto milliseconds = unsigned(std::chrono::duration_cast<std::chrono::milliseconds>(
                                         std::chrono::steady_clock::now() - start).count());
  finish(judgement.verdict, milliseconds);
  if (judgement.helo) finish(*judgement.helo, milliseconds);
  return judgement;
}

std::vector<std::string> rule_problems(std::string_view terms) {
  std::vector<std::string> problems;
  if (terms.empty()) return problems;
  for (const SyntaxProblem& problem : parse_terms(terms).problems)
    problems.push_back(text_of(problem));
  return problems;
}

std::string explanation_problem(std::string_view explanation) {
  if (explanation.empty()) return {};
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
