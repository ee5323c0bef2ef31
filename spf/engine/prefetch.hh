// Asks DNS early for what a record's terms will need, so that a check costs the
// depth of its includes in round trips and not their number.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "spf/base/address.hh"
#include "spf/engine/record.hh"
#include "spf/dns/resolver.hh"

namespace spf {

// Its answers wait in the resolver; nothing here counts against a limit or is
// seen by anyone. Held by shared_ptr because the resolver keeps hold of it
// while answers are out; the resolver must outlive it.
class Prefetch : public std::enable_shared_from_this<Prefetch> {
 public:
  Prefetch(Resolver& resolver, const Address& client) : resolver_(resolver), client_(client) {}

  // Asks what the macro-free terms of `record`, found at `domain`, will ask:
  // TXT for include and redirect (and in turn what those records need as they
  // arrive), addresses for a, MX for mx and addresses for the names that
  // arrive, A for exists; nothing for ptr. Ends with the term that matches without
  // DNS, and altogether after as many terms as one check may use, asked here or
  // not, and as many questions as can be spared.
  void record(const Record& record, const std::string& domain);

  // Asks for the record of `domain`, and then what that needs.
  void ask_record(const std::string& domain);

 private:
  void term(const Directive& directive, const std::string& domain);
  void ask(const std::string& name, RrType type, Resolver::Follow follow = {});
  void ask_exchanges(const std::string& name);

  Resolver& resolver_;
  const Address client_;
  std::set<std::string> records_;  // the domains whose records were here
  unsigned terms_ = 0;             // in them, that ask DNS
  std::set<std::pair<std::string, RrType>> asked_;
};

}  // namespace spf
