// What can be said of a domain's SPF record without a client: its syntax, what
// it costs where nothing matches, and what its owner might want to know.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/record.hh"
#include "spf/resolver.hh"
#include "spf/writer.hh"

namespace spf {

// The cost of a term, or of a record with all it leads to, for a client that
// no term of it matches (RFC 7208 section 4.6.4).
struct Cost {
  unsigned terms = 0;           // that ask DNS
  unsigned voids4 = 0;          // void lookups, for a client with an IPv4 address
  unsigned voids6 = 0;          // and with an IPv6 address
  unsigned possible_voids = 0;  // more of them, which depend on the client

  Cost& operator+=(const Cost& other);
};

// The worst of what was found.
enum class Grade {
  good,
  warnings,
  none,       // there is no record
  temperror,  // DNS did not tell
  permerror,  // some clients get it, or all
};
std::string_view name(Grade grade);

struct RecordJudgement {
  Grade grade = Grade::good;
  Cost cost;
  std::size_t octets = 0;              // name and texts of the TXT set
  std::vector<TreeLine> lines;         // records and terms; labels say the cost
  std::vector<std::string> errors;     // what gives permerror or temperror
  std::vector<std::string> warnings;
};

// `domain` is an is_dns_name(). Follows include and redirect, and asks for the
// names of all terms, as far as no macro but %{d} and %{o} is in them; at most
// 200 questions and 100 records. Throws what the resolver throws.
RecordJudgement judge_record(const std::string& domain, Resolver& resolver);

}  // namespace spf
