#include "spf/engine/check_host.hh"

#include <utility>

#include "spf/base/dns_name.hh"
#include "spf/engine/prefetch.hh"

namespace spf {

namespace {

Result result_of(Qualifier qualifier) {
  switch (qualifier) {
    case Qualifier::pass: return Result::pass;
    case Qualifier::fail: return Result::fail;
    case Qualifier::softfail: return Result::softfail;
    case Qualifier::neutral: break;
  }
  return Result::neutral;
}

// Section 4.3: not malformed, and of several labels. An address literal, as
// HELO may have one, is no domain.
bool is_checkable(std::string_view domain) {
  domain = without_trailing_dot(domain);
  return is_dns_name(domain) && domain.find('.') != domain.npos && !domain.starts_with('[');
}

}  // namespace

struct CheckHost::Stop {
  Result result;
  std::string problem;  // permerror
};

// Tells the trace of every answer, notes the void ones, and ends an evaluation
// that asks too much, be it for a name that may be unknown.
class CheckHost::Observed : public Resolver {
 public:
  Observed(Resolver& resolver, Prefetch& ahead, Trace& trace)
      : resolver_(resolver), ahead_(ahead), trace_(trace) {}

  void prefetch(std::string_view name, RrType type, Follow follow) override {
    resolver_.prefetch(name, type, std::move(follow));
  }
  const Answer& lookup(std::string_view name, RrType type) override {
    ahead_.used(name, type);
    const Answer& answer = resolver_.lookup(name, type);
    // What DNS cannot carry was not asked, so it got no void answer.
    if (answer.is_void() && is_dns_name(name)) saw_void_ = true;
    trace_.question(name, type, answer);
    if (answer.over_bound && evaluating) throw Stop{Result::temperror, {}};
    return answer;
  }
  // Whether an answer was void since the last call.
  bool take_void() { return std::exchange(saw_void_, false); }

  bool evaluating = true;  // false once the result is known

 private:
  Resolver& resolver_;
  Prefetch& ahead_;
  Trace& trace_;
  bool saw_void_ = false;
};

CheckHost::CheckHost(Resolver& resolver, const Identities& identities, Trace& trace, unsigned ahead)
    : identities_(identities),
      prefetch_(std::make_shared<Prefetch>(resolver, identities, ahead)),
      resolver_(std::make_unique<Observed>(resolver, *prefetch_, trace)),
      libspf2_(*resolver_, identities.client),
      trace_(trace) {}

CheckHost::~CheckHost() { prefetch_->over(); }

// Ends what is asked early for an evaluation, however that ends.
struct CheckHost::Asking {
  Prefetch& prefetch;
  ~Asking() { prefetch.over(); }
};

void CheckHost::ask_ahead(const std::string& domain, const std::vector<Directive>& rules,
                          const std::vector<Directive>& guess) {
  if (is_checkable(domain))
    prefetch_->begin(domain, rules, guess);
  else
    prefetch_->local_terms(guess, domain);
}

Finding CheckHost::check(const std::string& domain, const std::vector<Directive>& rules) {
  const Asking asking{*prefetch_};
  try {
    return evaluate(domain, 0, &rules);
  } catch (const Stop& stop) {
    Finding finding{.result = stop.result, .mechanism = {}, .problem = stop.problem,
                    .local_policy = false, .domain = domain, .exp = {}};
    if (evaluating_) finding.mechanism = "default";
    return finding;
  }
}

Finding CheckHost::guess(const std::string& domain, const std::vector<Directive>& terms) {
  Finding finding;
  finding.domain = domain;
  const Asking asking{*prefetch_};
  prefetch_->local_terms(terms, domain);
  try {
    try_rules(terms, domain, 0, finding);
  } catch (const Stop& stop) {
    finding.result = stop.result;
  }
  return finding;
}

// Tells the trace of a term around its evaluation.
template <class Evaluate>
bool CheckHost::observe(const Trace::Term& term, unsigned depth, Evaluate evaluate) {
  trace_.term(depth, term);
  const auto done = [&](Trace::Outcome outcome) {
    trace_.term_done(depth, term, outcome, *limits_);
  };
  try {
    const bool match = evaluate();
    done(match ? Trace::Outcome::match : Trace::Outcome::no_match);
    return match;
  } catch (const Stop& stop) {
    done(stop.result == Result::permerror ? Trace::Outcome::permerror : Trace::Outcome::temperror);
    throw;
  }
}

// Sections 4.6 and 4.7
Finding CheckHost::evaluate(std::string domain, unsigned depth, const std::vector<Directive>* rules) {
  std::optional<Record> record = fetch(domain, depth);
  for (;;) {
    Finding finding;
    finding.domain = domain;
    if (!record) return finding;
    evaluating_ = true;
    finding.exp = record->exp;
    prefetch_->record(*record, domain, limits_->lookups, rules);
    const auto& directives = record->directives;
    const auto place = rules ? place_of_rules(directives) : directives.size();
    for (std::size_t i = 0; i < directives.size(); ++i) {
      if (i == place && try_rules(*rules, domain, depth, finding)) return finding;
      if (!matches(directives[i], domain, depth, Trace::Term::Kind::directive)) continue;
      finding.result = result_of(directives[i].qualifier);
      finding.mechanism = directives[i].text;
      return finding;
    }
    if (!record->redirect) {
      finding.result = Result::neutral;
      finding.mechanism = "default";
      return finding;
    }
    // Section 6.1
    const std::string target = follow_redirect(*record->redirect, domain, depth);
    record = fetch(target, depth);
    if (!record) throw Stop{Result::permerror, "no SPF record at " + target + ", where " + domain + " redirects to"};
    domain = target;
  }
}

std::string CheckHost::follow_redirect(const std::string& spec, const std::string& domain,
                                       unsigned depth) {
  std::string target;
  observe({Trace::Term::Kind::redirect, spec}, depth, [&] {
    count_lookup(domain);
    target = target_name(spec, domain);
    count_void(domain);
    return true;
  });
  return target;
}

// Sections 4.3 to 4.5: nothing where there is no record.
std::optional<Record> CheckHost::fetch(const std::string& domain, unsigned depth) {
  if (!is_checkable(domain)) return {};
  const Answer& answer = resolver_->lookup(domain, RrType::txt);
  resolver_->take_void();  // this is not a term's lookup
  if (answer.status == Answer::Status::trouble) throw Stop{Result::temperror, {}};
  const RecordSelection found = select_record(answer.texts);
  if (found.count == 0) return {};
  if (found.count > 1) throw Stop{Result::permerror, "more than one SPF record at " + domain};
  trace_.record(depth, domain, *found.text);
  auto parsed = parse_record(*found.text);
  if (const auto* problem = std::get_if<SyntaxProblem>(&parsed)) {
    trace_.syntax_problem(depth, problem->term, problem->what);
    throw Stop{Result::permerror, "parse error in SPF record at " + domain};
  }
  return std::get<Record>(std::move(parsed));
}

bool CheckHost::try_rules(const std::vector<Directive>& rules, const std::string& domain,
                          unsigned depth, Finding& finding) {
  struct Restore {
    Limits*& limits;
    Limits* before;
    ~Restore() { limits = before; }
  } restore{limits_, std::exchange(limits_, &local_limits_)};
  for (const Directive& rule : rules) {
    try {
      if (!matches(rule, domain, depth, Trace::Term::Kind::local_rule)) continue;
    } catch (const Stop& stop) {
      if (stop.result == Result::temperror) throw;
      // The domain's owner has not erred, so the verdict is not permerror.
      trace_.warning("local rule " + rule.text + " left out: " + stop.problem);
      continue;
    }
    finding.result = result_of(rule.qualifier);
    finding.mechanism = rule.text;
    finding.local_policy = true;
    finding.exp.reset();  // the domain did not say this
    return true;
  }
  return false;
}

bool CheckHost::matches(const Directive& directive, const std::string& domain, unsigned depth,
                        Trace::Term::Kind kind) {
  return observe({kind, directive.text}, depth,
                 [&] { return evaluate_term(directive, domain, depth); });
}

bool CheckHost::evaluate_term(const Directive& directive, const std::string& domain,
                              unsigned depth) {
  if (directive.mechanism == Mechanism::all) return true;
  if (!directive.asks_dns()) return directive.has_in_network(identities_.client);
  count_lookup(domain);
  if (directive.mechanism == Mechanism::include) return includes(directive, domain, depth);
  const std::string target = target_name(directive.domain_spec, domain);
  switch (libspf2_.match(directive, target)) {
    case Libspf2::Match::yes: resolver_->take_void(); return true;
    case Libspf2::Match::no: break;
    case Libspf2::Match::dns_trouble: throw Stop{Result::temperror, {}};
    case Libspf2::Match::too_many_mx:
      throw Stop{Result::permerror, "too many MX records at " + target};
  }
  count_void(domain);
  return false;
}

// Section 5.2
bool CheckHost::includes(const Directive& directive, const std::string& domain, unsigned depth) {
  const std::string target = target_name(directive.domain_spec, domain);
  count_void(domain);
  switch (evaluate(target, depth + 1, nullptr).result) {
    case Result::pass: return true;
    case Result::none:
      throw Stop{Result::permerror, "no SPF record at " + target + ", which " + domain + " includes"};
    default: return false;  // permerror and temperror do not return
  }
}

void CheckHost::ask_explanation(const std::string& exp, const std::string& domain) {
  prefetch_->explanation(exp, domain);
}

std::optional<std::string> CheckHost::explanation(const std::string& exp, const std::string& domain) {
  trace_.explanation(exp);
  resolver_->evaluating = false;
  const Answer& answer = resolver_->lookup(target_name(exp, domain), RrType::txt);
  if (answer.texts.size() != 1) return {};
  const std::string& text = answer.texts.front();
  if (text.empty() || macro_problem(text, MacroUse::explanation)) return {};
  return expand(text, domain);
}

std::string CheckHost::expand(std::string_view explain_string, const std::string& domain) {
  resolver_->evaluating = false;
  return expand_text(explain_string, longest_verdict_text, values(domain));
}

MacroValue CheckHost::values(const std::string& domain) {
  return [this, &domain](char letter) {
    return letter == 'p' ? libspf2_.validated_name(domain) : macro_value(letter, identities_, domain);
  };
}

// Section 4.8
std::string CheckHost::target_name(const std::string& domain_spec, const std::string& domain) {
  return domain_spec.empty() ? domain : expand_name(domain_spec, values(domain));
}

void CheckHost::count_lookup(const std::string& domain) {
  if (limits_->lookups == Limits::most_lookups)
    throw Stop{Result::permerror, "too many DNS lookups in SPF record at " + domain};
  ++limits_->lookups;
}

// Called when a term has not matched: it counts once, however many of its
// questions had a void answer, as section 4.6.4 limits the terms.
void CheckHost::count_void(const std::string& domain) {
  if (!resolver_->take_void()) return;
  if (limits_->voids == Limits::most_voids)
    throw Stop{Result::permerror, "too many void DNS lookups in SPF record at " + domain};
  ++limits_->voids;
}

}  // namespace spf
