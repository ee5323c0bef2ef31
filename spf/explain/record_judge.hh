// What can be said of a domain's SPF record without a client: its syntax, what
// it costs where nothing matches, and what its owner might want to know.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "spf/explain/record_cost.hh"
#include "spf/dns/resolver.hh"
#include "spf/explain/terminal_text.hh"

namespace spf {

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
  std::string record;                  // the domain's own, where it has one
  std::size_t octets = 0;              // name and texts of the TXT set
  std::vector<TreeLine> lines;         // records and terms; labels say the cost
  std::vector<std::string> errors;     // what gives permerror or temperror
  std::vector<std::string> warnings;
};

// What a resolver for a judgement should ask at most.
inline constexpr unsigned most_judged_questions = 200;

// `domain` is an is_dns_name(). Follows include and redirect, and asks for the
// names of all terms, as far as no macro but %{d} and %{o} is in them; at most
// 100 records. Throws what the resolver throws.
RecordJudgement judge_record(const std::string& domain, Resolver& resolver);

}  // namespace spf
