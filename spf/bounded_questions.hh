// A resolver for walks that strangers' records lead: it asks only so many
// questions.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "spf/resolver.hh"

namespace spf {

// The same for all spellings of a name: lower case, no trailing dot.
std::string canonical_name(std::string_view name);

class BoundedQuestions {
 public:
  // The resolver must outlive it.
  BoundedQuestions(Resolver& resolver, std::size_t most) : resolver_(resolver), most_(most) {}

  // As the resolver's own; one over the bound is not asked, and ask() then
  // returns null.
  void prefetch(const std::string& name, RrType type);
  const Answer* ask(const std::string& name, RrType type);

 private:
  bool may_ask(const std::string& name, RrType type);

  Resolver& resolver_;
  const std::size_t most_;
  std::set<std::pair<std::string, RrType>> asked_;
};

}  // namespace spf
