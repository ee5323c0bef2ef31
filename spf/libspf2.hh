// libspf2 behind one door: whether a term matches, and what a macro expands to.
//
// libspf2 1.2.10 is old, and wrong or unsafe in places that a stranger's
// record, name or sender reaches: its compiler has an integer underflow
// (CVE-2023-42118) and refuses what compiles to over 511 octets; its macro
// transformers lose octets, do not know the delimiters "," and "/", and write
// past their buffer when they URL-escape an octet over 127. So nothing that
// came from outside is ever compiled. It sees only records and macro-strings
// put together here from constants and checked numbers and addresses, at most
// a few dozen octets long: the name that a term is about is put in as the
// current domain, and the transformers and URL-escaping of RFC 7208 section
// 7.3 are applied here to the plain value libspf2 gives for a macro letter.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "spf/address.hh"
#include "spf/record.hh"
#include "spf/resolver.hh"

namespace spf {

// The exit status of a process in which libspf2 met what it takes for a
// programming error or has no memory left: it cannot return from that, and a
// C++ exception cannot cross it. Whoever runs a check takes it as trouble.
constexpr int exit_libspf2_gave_up = 70;

// What is the same during a whole check (RFC 7208 section 7.2). Octets from
// the first NUL on are not seen.
struct Identities {
  Address client;
  std::string sender;    // local-part@domain
  std::string helo;
  std::string receiver;  // "" is "unknown"
};

class Libspf2 {
 public:
  // `resolver` answers all its questions and must outlive it.
  // Throws std::bad_alloc, as all members do; they also throw what the
  // resolver throws.
  Libspf2(Resolver& resolver, const Identities& identities);
  ~Libspf2();
  Libspf2(const Libspf2&) = delete;
  Libspf2& operator=(const Libspf2&) = delete;

  enum class Match { yes, no, dns_trouble, too_many_mx };

  // Matches one a, mx, ptr, exists, ip4 or ip6 (RFC 7208 sections 5.3 to 5.7).
  // `target` is the name it is about: the expanded domain-spec, or the current
  // domain. ip4 and ip6 need none.
  Match match(const Directive& directive, const std::string& target);

  // Expands a macro-string that macro_problem() accepts (section 7); `domain`
  // is the current domain. Not cut to the length of a name.
  std::string expand(std::string_view macro_string, const std::string& domain);

 private:
  struct Seam;
  std::unique_ptr<Seam> seam_;
};

}  // namespace spf
