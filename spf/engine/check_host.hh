// check_host() of RFC 7208 section 4: which record, term after term, include
// and redirect, and the limits. Terms are matched by libspf2.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spf/engine/libspf2.hh"
#include "spf/engine/limits.hh"
#include "spf/engine/macro.hh"
#include "spf/engine/record.hh"
#include "spf/dns/resolver.hh"
#include "spf/engine/trace.hh"
#include "spf/engine/verdict.hh"

namespace spf {

class Prefetch;

struct Finding {
  Result result = Result::none;
  std::optional<std::string> mechanism;  // as in Verdict
  std::string problem;                   // permerror, temperror
  bool local_policy = false;             // one of the local rules matched
  std::string domain;                    // of the record that decided
  std::optional<std::string> exp;        // that record's exp=: a domain-spec
};

class CheckHost {
 public:
  // The resolver must outlive it, and so must `trace`. Of what is asked early, at
  // most `ahead` answers wait that nobody has asked for.
  CheckHost(Resolver& resolver, const Identities& identities, Trace& trace,
            unsigned ahead = Limits::most_ahead);
  ~CheckHost();

  // Asks for what check() and, where there is no record, guess() will need, and does
  // not wait: for one that comes later, while another is waited for. The terms must
  // last until that one is over.
  void ask_ahead(const std::string& domain, const std::vector<Directive>& rules,
                 const std::vector<Directive>& guess);

  // Evaluates the record of `domain`. `rules` are local terms, tried at this
  // record and what it redirects to, where place_of_rules() says. Throws std::exception for
  // trouble of our own only.
  Finding check(const std::string& domain, const std::vector<Directive>& rules);

  // Tries local terms where `domain` has no record: none if none matches.
  Finding guess(const std::string& domain, const std::vector<Directive>& terms);

  // Asks for what explanation() will need, and does not wait.
  void ask_explanation(const std::string& exp, const std::string& domain);

  // Fetches and expands the text of an exp= (section 6.2), found in the record
  // of `domain`; nothing if anything is wrong with it.
  std::optional<std::string> explanation(const std::string& exp, const std::string& domain);

  // Expands an explain-string that macro_problem() accepts, as far as a verdict
  // has room for it.
  std::string expand(std::string_view explain_string, const std::string& domain);

  // Of the records' terms and of the local terms, which have limits of their
  // own: what the administrator adds must not turn a good record into an error.
  const Limits& record_limits() const { return record_limits_; }
  const Limits& local_limits() const { return local_limits_; }

 private:
  struct Stop;  // permerror and temperror leave an evaluation at once
  class Observed;
  struct Asking;

  Finding evaluate(std::string domain, unsigned depth, const std::vector<Directive>* rules);
  std::optional<Record> fetch(const std::string& domain, unsigned depth);
  bool try_rules(const std::vector<Directive>& rules, const std::string& domain, unsigned depth,
                 Finding& finding);
  template <class Evaluate>
  bool observe(const Trace::Term& term, unsigned depth, Evaluate evaluate);
  bool matches(const Directive& directive, const std::string& domain, unsigned depth,
               Trace::Term::Kind kind);
  bool includes(const Directive& directive, const std::string& domain, unsigned depth);
  bool evaluate_term(const Directive& directive, const std::string& domain, unsigned depth);
  std::string follow_redirect(const std::string& spec, const std::string& domain, unsigned depth);
  std::string target_name(const std::string& domain_spec, const std::string& domain);
  MacroValue values(const std::string& domain);
  void count_lookup(const std::string& domain);
  void count_void(const std::string& domain);

  const Identities identities_;
  std::shared_ptr<Prefetch> prefetch_;
  std::unique_ptr<Observed> resolver_;
  Libspf2 libspf2_;
  Trace& trace_;
  Limits record_limits_, local_limits_;
  Limits* limits_ = &record_limits_;  // of what is being evaluated
  bool evaluating_ = false;           // the first record was good
};

}  // namespace spf
