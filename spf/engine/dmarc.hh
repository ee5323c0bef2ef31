// The DMARC policy that a domain or one above it publishes (RFC 9989): the
// record's text, and the tree walk that finds it. Nothing of DMARC is checked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/dns/resolver.hh"
#include "spf/engine/trace.hh"

namespace spf {

enum class DmarcPolicy { none, quarantine, reject };

// As section 4.7 spells it.
std::string_view name(DmarcPolicy policy);

struct DmarcRecord {
  DmarcPolicy p = DmarcPolicy::none;
  std::optional<DmarcPolicy> sp, np;
  enum class Psd { unknown, no, yes } psd = Psd::unknown;
  bool testing = false;  // t=y

  // What it asks for the domain where it stands, or for one below, which may
  // not exist; one less where it is being tested (section 4.7).
  DmarcPolicy policy() const;
  DmarcPolicy policy_below(bool exists) const;
};

// Reads a TXT record: nothing unless it begins with v=DMARC1, which alone is in
// that case. Where p= is missing, or one of p=, sp= and np= is there twice or
// has no policy for a value, the record asks for nothing (section 4.10.1). Tags
// that are unknown, as the pct= of old, are passed over.
std::optional<DmarcRecord> parse_dmarc_record(std::string_view text);

// The names of the walk in its order, eight at most (section 4.10): the domain
// and those above it, with "_dmarc." in front. None for what is no domain name.
std::vector<std::string> dmarc_names(std::string_view domain);

struct DmarcFinding {
  std::string domain;  // where the record is that counts; "": there is none
  DmarcPolicy policy = DmarcPolicy::none;
  bool trouble = false;  // an answer that may count is missing
};

// Which policy `domain` has (section 4.10.1). What a lookup costs nothing for
// is what was asked before: all dmarc_names(), and the domain's own TXT, which
// tells whether it exists where there is an np= (section 3.2.13).
DmarcFinding find_dmarc_policy(const std::string& domain, Resolver& resolver, Trace& trace);

}  // namespace spf
