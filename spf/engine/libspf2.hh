// libspf2 behind one door: whether a term matches, and what %{p} stands for.
//
// libspf2 1.2.10 is old, and wrong or unsafe in places that a stranger's
// record, name or sender reaches: its compiler has an integer underflow
// (CVE-2023-42118) and refuses what compiles to over 511 octets; its macro
// transformers lose octets, do not know the delimiters "," and "/", and write
// past their buffer when they URL-escape an octet over 127. So nothing that
// came from outside is ever compiled. It sees only records put together here
// from constants and checked numbers, at most a few dozen octets long: the name
// that a term is about is put in as the current domain. Macros are macro.hh's;
// only the name of %{p}, which DNS knows, is asked for here.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "spf/base/address.hh"
#include "spf/engine/record.hh"
#include "spf/dns/resolver.hh"

namespace spf {

// The exit status of a process in which libspf2 met what it takes for a
// programming error or has no memory left: it cannot return from that, and a
// C++ exception cannot cross it. Whoever runs a check takes it as trouble.
constexpr int exit_libspf2_gave_up = 70;

class Libspf2 {
 public:
  // `resolver` answers all its questions and must outlive it.
  // Throws std::bad_alloc, as all members do; they also throw what the
  // resolver throws.
  Libspf2(Resolver& resolver, const Address& client);
  ~Libspf2();
  Libspf2(const Libspf2&) = delete;
  Libspf2& operator=(const Libspf2&) = delete;

  enum class Match { yes, no, dns_trouble, too_many_mx };

  // Matches one a, mx, ptr or exists (RFC 7208 sections 5.3 to 5.5, 5.7).
  // `target` is the name it is about: the expanded domain-spec, or the current
  // domain; octets from its first NUL on are not seen. An MX set of more than
  // ten is too_many_mx, whoever is in it: the order of an answer is chance.
  Match match(const Directive& directive, const std::string& target);

  // What %{p} stands for where `domain` is the current domain (section 7.3).
  // The same domain is looked into once.
  const std::string& validated_name(const std::string& domain);

 private:
  struct Seam;
  Seam& seam();

  Resolver& resolver_;
  const Address client_;
  std::unique_ptr<Seam> seam_;  // made when a term needs it: most records have none that does
  std::map<std::string, std::string> validated_names_;  // one for each record evaluated
};

}  // namespace spf
