// What an observer of a check is told, in the order it happens.
#pragma once

#include <string_view>

#include "spf/engine/limits.hh"
#include "spf/dns/resolver.hh"
#include "spf/engine/verdict.hh"

namespace spf {

// A Trace itself does nothing: it is for who wants to know nothing. So there is
// no null, and nothing is made up for it alone, but for warnings. Text is as it
// was published or sent, unsanitised. `depth` is 0 for the domain checked and
// what it redirects to, one more inside each include.
class Trace {
 public:
  enum class Outcome { match, no_match, permerror, temperror };

  struct Term {
    enum class Kind {
      directive,   // of a record
      local_rule,  // a directive of spfrules or spfguess
      redirect,    // redirect=
    };
    Kind kind;
    std::string_view text;  // redirect: its domain-spec
  };

  virtual ~Trace() = default;

  // A record was chosen and will be evaluated, unless syntax_problem() follows.
  virtual void record(unsigned /*depth*/, std::string_view /*domain*/, std::string_view /*text*/) {}
  virtual void syntax_problem(unsigned /*depth*/, std::string_view /*term*/, std::string_view /*what*/) {}

  // A term is about to be evaluated. term_done() follows, after the record of an
  // include and after all its terms; after a redirect= it comes before the record
  // of the target.
  virtual void term(unsigned /*depth*/, const Term&) {}
  virtual void term_done(unsigned /*depth*/, const Term&, Outcome, const Limits& /*used so far*/) {}

  // The verdict is known; what is asked from here on is for the text of the
  // record's exp=, as published.
  virtual void explanation(std::string_view /*domain_spec*/) {}

  // DNS was asked, or the answer was still known.
  virtual void question(std::string_view /*name*/, RrType, const Answer&) {}

  // A refusal is due, and the record of a forwarder's domain is evaluated: what
  // follows is of another check, until forwarder_done().
  virtual void forwarder(std::string_view /*domain*/) {}
  virtual void forwarder_done(std::string_view /*domain*/, Result) {}

  // A refusal is due, and the DMARC policy of a domain is looked for. `found` is
  // what came of it, as "p=reject at example.org".
  virtual void dmarc(std::string_view /*domain*/) {}
  virtual void dmarc_done(std::string_view /*domain*/, std::string_view /*found*/) {}

  // Something the administrator should know: a local rule that was left out.
  virtual void warning(std::string_view /*text*/) {}
};

}  // namespace spf
