// DNS messages (RFC 1035 section 4): names and questions in wire form, and
// what an answer says. No I/O. Reads whatever a server sends, safely.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "spf/dns/resolver.hh"

namespace spf {

// `name` in wire form (section 3.1), its octets as they are and no escapes;
// it must be an is_dns_name().
std::string to_wire(std::string_view name);

// The octets that EDNS offers over UDP: no more than passes everywhere without
// fragments (RFC 9715).
inline constexpr std::uint16_t edns_payload = 1232;

// A query with recursion desired, for TCP: without an OPT record, which would
// offer a size (RFC 6891) that has no meaning there.
std::string make_query(std::uint16_t id, std::string_view wire_name, RrType type);

// Whether `message` is a response with this id to this one question; letters
// match in either case. `truncated` is left to the caller.
bool answers(std::string_view message, std::uint16_t id, std::string_view wire_name, RrType type);

// The flags of a message of at least 12 octets.
bool is_response(std::string_view message);
bool is_truncated(std::string_view message);

// Whether it says what there is, be it nothing: NOERROR or NXDOMAIN.
bool is_decided(std::string_view message);

// Whether two names in wire form are the same; letters match in either case.
bool equal_names(std::string_view one, std::string_view other);

struct Reading {
  Answer answer;      // `milliseconds` is left 0
  std::string alias;  // wire form: not empty where the answer is only a chain
                      // of CNAMEs that ends at this name, which has to be asked
};

// Reads a response that answers() the question. Follows CNAMEs inside it;
// records of other names, types and classes are passed over, and anything
// malformed, or a chain that does not end, is `trouble`.
Reading read_response(std::string_view message, RrType type);

}  // namespace spf
