// CheckHost on example.org's record in a fake zone, for 192.0.2.1.
#pragma once

#include <string>

#include "spf/engine/check_host.hh"
#include "tests/support/fake_resolver.hh"

inline spf::Trace nobody;  // wants to know nothing

inline const spf::Identities anyone{*spf::Address::parse("192.0.2.1"), "joe@example.org",
                                    "helo.example", "mx.local"};

struct Judged {
  spf::Finding finding;
  spf::Limits limits;
};

inline Judged judge(FakeResolver& resolver, const std::string& rules = "",
                    const spf::Identities& who = anyone) {
  spf::CheckHost host(resolver, who, nobody);
  const spf::Finding finding = host.check("example.org", spf::parse_terms(rules).directives);
  return {finding, host.record_limits()};
}

// A finding as `result mechanism`, and ` local` where a local rule decided.
inline std::string told(const spf::Finding& finding) {
  return std::string(name(finding.result)) + " " + finding.mechanism.value_or("-") +
         (finding.local_policy ? " local" : "");
}
