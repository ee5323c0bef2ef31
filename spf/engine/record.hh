// The text of an SPF record by the grammar of RFC 7208 section 12: text in,
// terms out, or what is wrong with it. No I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "spf/base/address.hh"

namespace spf {

// RFC 7208 section 4.6.2
enum class Qualifier { pass, fail, softfail, neutral };

// RFC 7208 section 5
enum class Mechanism { all, include, a, mx, ptr, ip4, ip6, exists };

struct Directive {
  Qualifier qualifier = Qualifier::pass;
  Mechanism mechanism = Mechanism::all;
  std::string text;         // as published, qualifier included
  std::string domain_spec;  // "" where there is none: the current domain
  std::array<std::uint8_t, 16> network{};  // ip4: the first four octets; ip6
  unsigned prefix4 = 32;    // a, mx, ip4: bits
  unsigned prefix6 = 128;   // a, mx, ip6: bits
  std::size_t position = 0; // of its first octet in the text it was read from

  // Whether it counts against the limit of ten (RFC 7208 section 4.6.4).
  bool asks_dns() const {
    return mechanism != Mechanism::all && mechanism != Mechanism::ip4 &&
           mechanism != Mechanism::ip6;
  }

  // Whether it is an ip4 or ip6 that matches (section 5.6).
  bool has_in_network(const Address& client) const {
    if (mechanism != (client.is_ip4() ? Mechanism::ip4 : Mechanism::ip6)) return false;
    return client.in_network(network.data(), client.is_ip4() ? prefix4 : prefix6);
  }
};

struct UnknownModifier {
  std::string name;
  std::string value;
};

struct Record {
  std::vector<Directive> directives;    // in the order published
  std::optional<std::string> redirect;  // domain-spec (section 6.1)
  std::optional<std::string> exp;       // domain-spec (section 6.2)
  std::vector<UnknownModifier> unknown; // ignored (section 6)
};

struct SyntaxProblem {
  std::string term;         // as published
  std::string what;         // for people, e.g. "unknown mechanism"
  std::size_t position = 0; // of the term's first octet
};

// Whether a TXT record is an SPF record (section 4.5): it starts with v=spf1,
// in any case, and a space or the end follows.
bool is_spf_record(std::string_view text);

// The SPF records among a domain's TXT records (section 4.5): how many there
// are, and the first; null where there is none.
struct RecordSelection {
  std::size_t count = 0;
  const std::string* text = nullptr;
};
RecordSelection select_record(const std::vector<std::string>& texts);

// Reads a whole record. One wrong term anywhere makes all of it a problem
// (section 4.6).
std::variant<Record, SyntaxProblem> parse_record(std::string_view text);

// Before which directive local rules are tried: that which begins the trailing run
// of equally qualified -, ~ or ? directives that ends in all. The number of
// directives where they have no place.
std::size_t place_of_rules(const std::vector<Directive>& directives);

// Reads terms without a version, as spfrules and spfguess hold them; a leading
// v=spf1 is skipped. What has a syntax error, and any modifier, is left out
// and reported.
struct Terms {
  std::vector<Directive> directives;
  std::vector<SyntaxProblem> problems;
};
Terms parse_terms(std::string_view text);

}  // namespace spf
