// One whole SPF check, as spfwrap and spfcheck make it: which identity, the
// client that needs no check, check_host, the local rules, the explanation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spf/base/address.hh"
#include "spf/dns/resolver.hh"
#include "spf/engine/trace.hh"
#include "spf/engine/verdict.hh"

namespace spf {

// What is asked. `sender` is the reverse-path without its angle brackets and
// source route, "" for the null sender; `helo` is the HELO or EHLO name as the
// client gave it, "" where it gave none. Both are the client's bytes, unsanitised.
struct Query {
  Address client;
  std::string helo;
  std::string sender;
};

// What the administrator configured (see spfwrap(8)).
struct CheckOptions {
  std::string receiver;       // R: this host's name, for %{r} and the header
  std::string rules;          // spfrules: terms; "" is off
  std::string guess;          // spfguess: terms; "" is off
  std::string explanation;    // spfexp: a macro-string; "" is off
  bool own_address = false;   // the client is one of this machine's own addresses
  bool helo = false;          // the HELO name is judged too, beside MAIL's domain
};

// RFC 7208 sections 2.4 and 4. Never throws: trouble of ours (libspf2, memory)
// is temperror. In memory trouble libspf2 may end the process, with status
// exit_libspf2_gave_up (libspf2.hh). The explanation is
// the domain's exp= (on fail only), else options.explanation, else the default
// text; pass and temperror have none.
// Each text is cut at longest_verdict_text.
//
// The verdict on the HELO name is the one that the null sender would get. It has
// limits of its own; resolver and deadline are shared, and MAIL's domain comes
// first. Trouble with one of the two names leaves the other's verdict alone.
//
// `trace` is told how it goes, and `helo_trace` how the HELO name beside MAIL's
// domain does, whose questions may have been asked while the other was waited for.
Judgement check(const Query& query, const CheckOptions& options, Resolver& resolver, Trace& trace,
                Trace& helo_trace);
// The same, and nobody is told.
Judgement check(const Query& query, const CheckOptions& options, Resolver& resolver);

// The judgement where there is none, because the check crashed, overstayed or
// could not be started. `helo` as in CheckOptions.
Judgement no_verdict(const Query& query, bool helo);

// The domain and identity a query is about: MAIL's domain (after the last @,
// without a trailing dot); the HELO name for the null sender, and for a sender
// without a domain.
struct Subject {
  Identity identity;
  std::string domain;  // lower case left as it is; U-labels made A-labels
  std::string sender;  // what %{s} expands to: local-part@domain
};
Subject subject(const Query& query);

// What check() will leave out of a text of local terms because its syntax is
// wrong, each for a warning: `term: what is wrong`. Needs no DNS.
std::vector<std::string> rule_problems(std::string_view terms);

// Why CheckOptions::explanation will not be used; "" when it is good.
std::string explanation_problem(std::string_view explanation);

// All of these for the options, each as a warning that names the setting.
std::vector<std::string> option_problems(const CheckOptions& options);

}  // namespace spf
