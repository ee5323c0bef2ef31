// Why a message that is to be refused is let through all the same: its client
// forwards mail for our users, or its sender's domain has a DMARC policy for a
// checker behind us. The SPF result stays what it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/dns/resolver.hh"
#include "spf/engine/check.hh"
#include "spf/engine/trace.hh"

namespace spf {

// What the administrator configured (see spfwrap(8)). What check() was told of
// the client holds here too: one that needs no check is never refused.
struct ExemptionOptions {
  std::string forwarders;  // spfforwarders: the file as it is, comments and all; "" is off
  bool dmarc = false;      // SPFDMARC
};

struct Exemption {
  // Why the message is let through, in one word without blanks; "" where there
  // is no reason:
  //   forwarder:192.0.2.0/24      the line of spfforwarders, a network
  //   forwarder:example.org       a domain (with A-labels) whose record passes the client
  //   dmarc:example.org:reject    where the policy was found, and it: or quarantine
  // At most 263 octets. Not sanitised: the domain of a policy is the client's.
  std::string reason;

  // There is no reason, but DNS did not say so (temperror of a forwarder's
  // record, no answer for a DMARC record): a refusal could be wrong for ever, so
  // the message is to be deferred (451) instead. Never with a reason.
  bool trouble = false;
  // With trouble: what got no answer, as "forwarder:example.org" or
  // "dmarc:example.org", of the sender's domain; "" where memory ran out.
  std::string problem{};

  bool operator==(const Exemption&) const = default;
};

// Whether the message that `query` is about is let through although its level
// refuses it. To be asked only then. Networks are decided first, without DNS;
// then the domains' records and DMARC's are asked for together, and evaluated in
// the order of the file. The resolver's deadline and bound on questions are those
// of all together; if it is that of the check(), what it knows is not asked again.
// Never throws: trouble of ours is trouble. In memory trouble libspf2 may end the
// process, as in check().
Exemption exemption(const Query& query, const ExemptionOptions& options, Resolver& resolver,
                    Trace& trace);

// The same where it takes no DNS: the client is in a network, or nothing else
// could let it through. Nothing where exemption() is to be asked. Reads the
// administrator's text only; throws std::bad_alloc.
std::optional<Exemption> exemption_without_dns(const Query& query, const ExemptionOptions& options);

// What exemption() can't use of spfforwarders, each as a warning that names the
// setting and the line's number: `spfforwarders: line 3: ...`. Needs no DNS.
std::vector<std::string> forwarder_problems(std::string_view forwarders);

}  // namespace spf
