// The DNS questions an SPF check asks. The one real implementation is dns_resolver.hh;
// tests have one in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/base/address.hh"
#include "spf/base/dns_name.hh"

namespace spf {

// Values as on the wire (RFC 1035 section 3.2.2, RFC 3596 section 2.1).
enum class RrType : std::uint16_t { a = 1, ptr = 12, mx = 15, txt = 16, aaaa = 28 };

// The type of the addresses that `client`'s can be compared with.
inline RrType address_type(const Address& client) {
  return client.is_ip4() ? RrType::a : RrType::aaaa;
}

struct Answer {
  enum class Status {
    ok,        // records of the type asked for, in the order they arrived
    no_name,   // NXDOMAIN
    no_data,   // the name exists, records of this type do not
    trouble,   // SERVFAIL, REFUSED, nonsense, or time ran out
  };
  Status status = Status::trouble;
  std::vector<Address> addresses;  // a, aaaa
  std::vector<std::string> texts;  // txt: strings of a record joined (RFC 7208
                                   // section 3.3), any octets; mx: exchange
                                   // names, most preferred first; ptr: names.
                                   // Names have no trailing dot; the root, and
                                   // a name with a dot or NUL inside a label,
                                   // is "", which nothing resolves.
  bool over_bound = false;         // trouble: the resolver has asked enough
                                   // already, links of CNAMEs included
  unsigned milliseconds = 0;       // from question to answer

  // RFC 7208 section 4.6.4
  bool is_void() const { return status == Status::no_name || status == Status::no_data; }
};

// One check's view of DNS: every answer is kept until the resolver is
// destroyed, so a question asked again costs nothing.
class Resolver {
 public:
  virtual ~Resolver() = default;

  // Called once with an answer, from inside prefetch() or lookup(). It may
  // prefetch more, but must not look up.
  using Follow = std::function<void(const Answer&)>;

  // Sends the question, unless it was already asked, and does not wait; when
  // the answer is there, during whatever lookup() waits then, calls `follow`.
  // What is prefetched and never looked up leaves no other trace, and the
  // resolver may ignore it: `follow` is then never called.
  virtual void prefetch(std::string_view name, RrType type, Follow follow = {}) = 0;

  // Waits for the answer, until the check's deadline at the latest; from then
  // on everything is `trouble`. The reference lives as long as the resolver.
  // A name that is no is_dns_name() is `no_name`, and is not asked.
  virtual const Answer& lookup(std::string_view name, RrType type) = 0;
};

}  // namespace spf
