// Asks DNS early for what a record's terms will need, so that a check costs the
// depth of its includes in round trips and not their number.
//
// A name without macros, or with none but %{d}, tells whoever answers for it no
// more than that somebody reads the record: it is asked for as soon as the record
// is there. A name with other macros tells him of client and sender, and where an
// earlier term matches he would never have heard of them. Such a name is asked
// for early only
//
// - in a record that is due: one that is evaluated, whatever is still to come from
//   DNS. That is the record of the domain checked; the one that a due record
//   includes or redirects to by the first of its terms that asks DNS; and any
//   other from when its evaluation begins, for what stands before it has then not
//   matched. What another include brought early is not due: an earlier term may
//   match.
// - where all terms before it ask DNS, or are known not to match. One that matches
//   without DNS, be it ip4, ip6 or all, ends it all, for names without macros too.
// - ten times at most for an identity, and never for a term that can't count any
//   more, since ten have been evaluated before it.
//
// %{p} has DNS to be asked first, and waits for its turn.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spf/engine/macro.hh"
#include "spf/engine/record.hh"
#include "spf/dns/resolver.hh"

namespace spf {

// Asks TXT for include and redirect (and in turn what those records need as they
// arrive), addresses for a, MX for mx and addresses for the names that arrive, A
// for exists; nothing for ptr.
//
// Its answers wait in the resolver; nothing here counts against a limit of RFC
// 7208 or is seen by anyone. No more than `most` answers wait that nobody has
// asked for. Held by shared_ptr because the resolver keeps hold of it while answers
// are out; the resolver must outlive it. Local terms must last until over().
class Prefetch : public std::enable_shared_from_this<Prefetch> {
 public:
  Prefetch(Resolver& resolver, const Identities& identities, std::size_t most)
      : resolver_(resolver), identities_(identities), most_(most) {}

  // Asks for the record of the domain that will be checked. `rules` are tried in
  // it, and `without_record` where there is none.
  void begin(const std::string& domain, const std::vector<Directive>& rules,
             const std::vector<Directive>& without_record);

  // The evaluation of a record begins, after `lookups` terms that asked DNS. Null
  // `rules`: none are tried in it.
  void record(const Record& record, const std::string& domain, unsigned lookups,
              const std::vector<Directive>* rules);

  // The evaluation of local terms at a domain without a record begins.
  void local_terms(const std::vector<Directive>& terms, const std::string& domain);

  // The text of an exp= will be wanted.
  void explanation(const std::string& domain_spec, const std::string& domain);

  // An answer was asked for.
  void used(std::string_view name, RrType type);

  // What was evaluated has its result: answers that come from now on lead to no
  // more questions. Another evaluation may begin.
  void over() { ++evaluation_; }

 private:
  // A record that is asked for.
  struct Expected {
    std::string domain;
    bool due = false;
    unsigned lookups = 0;  // terms before it that count, if it is due
    const std::vector<Directive>* rules = nullptr;
    const std::vector<Directive>* without_record = nullptr;
  };
  // On the way through terms of one domain.
  struct Walk {
    const std::string& domain;
    bool due;
    unsigned lookups;
    bool counts;        // these terms were not counted before
    bool first = true;  // no term before asks DNS
  };
  struct Name {
    std::string text;
    bool tells = false;  // of client or sender
  };

  void walk(const Record& record, const Expected& place);
  bool walk(const Directive* begin, const Directive* end, Walk& walk);
  bool count(Walk& walk);
  void term(const Directive& directive, const Walk& walk);
  std::optional<Name> name(const std::string& domain_spec, const Walk& walk) const;
  void ask(const Name& name, RrType type, Resolver::Follow follow = {});
  void ask_record(const Name& name, Expected expected);
  void arrived(const Answer& answer, const Expected& expected);
  void ask_exchanges(const Name& name);

  Resolver& resolver_;
  const Identities identities_;
  const std::size_t most_;
  std::set<std::string> records_;  // the domains whose records were here
  unsigned evaluation_ = 0;        // number of the one that is going on
  unsigned terms_ = 0;             // in them, that ask DNS
  unsigned telling_ = 0;           // names that tell of client or sender
  std::map<std::pair<std::string, RrType>, bool> asked_;  // whether it was used
  std::size_t unused_ = 0;                                // of them
};

}  // namespace spf
