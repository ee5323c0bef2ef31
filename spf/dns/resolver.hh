// The DNS questions an SPF check asks. The one real implementation is dns_resolver.hh;
// tests have one in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/base/address.hh"
#include "spf/base/ascii.hh"

namespace spf {

// Values as on the wire (RFC 1035 section 3.2.2, RFC 3596 section 2.1).
enum class RrType : std::uint16_t { a = 1, ptr = 12, mx = 15, txt = 16, aaaa = 28 };

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

inline constexpr std::size_t longest_name = 253;

// Whether DNS can carry the name (RFC 1035 section 2.3.4): 1 to 253 octets in
// labels of 1 to 63, a trailing dot ignored.
inline bool is_dns_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > longest_name) return false;
  for (std::size_t begin = 0, end; begin <= name.size(); begin = end + 1) {
    end = name.find('.', begin);
    if (end == name.npos) end = name.size();
    if (end == begin || end - begin > 63) return false;
  }
  return true;
}

// The same for all spellings of a name: lower case, no trailing dot.
inline std::string canonical_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string result(name);
  for (char& c : result) c = lower(c);
  return result;
}

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
