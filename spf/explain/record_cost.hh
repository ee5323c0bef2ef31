// What terms cost of the limits of RFC 7208 section 4.6.4.
#pragma once

#include <string>
#include <string_view>

namespace spf {

// The cost of a term, or of a record with all it leads to, for a client that
// no term of it matches (RFC 7208 section 4.6.4).
struct Cost {
  unsigned terms = 0;           // that ask DNS
  unsigned voids4 = 0;          // void lookups, for a client with an IPv4 address
  unsigned voids6 = 0;          // and with an IPv6 address
  unsigned possible_voids = 0;  // more of them, which depend on the client
  bool more = false;            // of all these: an include that depends on the client

  Cost& operator+=(const Cost& other);

  // "3 terms", "at least 3 terms"
  std::string counted_terms() const;

  // For a margin: "2 terms", "1 term, void" or "".
  std::string label() const;
};

// "1 term", "2 terms"
std::string counted(unsigned count, std::string_view what);

}  // namespace spf
