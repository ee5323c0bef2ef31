#include "spf/engine/forwarders.hh"

#include <algorithm>
#include <optional>
#include <utility>

#include "spf/base/ascii.hh"
#include "spf/base/dns_name.hh"
#include "spf/base/lines.hh"
#include "spf/base/mailbox.hh"
#include "spf/base/number.hh"
#include "spf/base/sanitise.hh"
#include "spf/engine/idna.hh"

namespace spf {

namespace {

constexpr std::size_t longest_shown = 80;  // of a line, in a problem

// The prefix of an IPv6 network of mapped addresses counts from there.
constexpr unsigned mapped_bits = 96;

// What begins with an address; nothing where the prefix is none of its family.
std::optional<Forwarders::Network> network(const Address& address, std::string_view line) {
  const auto slash = line.find('/');
  if (slash == line.npos) return Forwarders::Network{address, address.bits(), std::string(line)};
  const unsigned before = address.is_ip4() && line.find(':') != line.npos ? mapped_bits : 0;
  const auto prefix = parse_number(line.substr(slash + 1), before, before + address.bits());
  if (!prefix) return {};
  return Forwarders::Network{address, *prefix - before, std::string(line)};
}

bool is_number(std::string_view label) { return std::all_of(label.begin(), label.end(), is_digit); }

// Of two labels or more, as check_host() wants it; not the beginning of an
// address, nor a literal.
bool is_forwarder_domain(std::string_view name) {
  const auto dot = name.rfind('.');
  return is_domain(name) && is_dns_name(name) && dot != name.npos && !name.starts_with('[') &&
         !is_number(name.substr(dot + 1));
}

}  // namespace

Forwarders parse_forwarders(std::string_view text) {
  Forwarders result;
  bool full = false;
  for (const auto& [number, line] : list_lines(text)) {
    const auto problem = [&, number = number](std::string_view what) {
      result.problems.push_back("line " + std::to_string(number) + ": " + std::string(what));
    };
    if (const auto address = Address::parse(line.substr(0, line.find('/')))) {
      if (auto found = network(*address, line))
        result.networks.push_back(std::move(*found));
      else
        problem("bad prefix length: " + printable(line, longest_shown));
      continue;
    }
    std::string name = to_a_labels(without_trailing_dot(line));
    if (!is_forwarder_domain(name)) {
      problem("neither a domain nor an address: " + printable(line, longest_shown));
    } else if (std::none_of(result.domains.begin(), result.domains.end(), [&](const auto& known) {
                 return equal_ignoring_case(known, name);
               })) {
      if (result.domains.size() < most_forwarder_domains)
        result.domains.push_back(std::move(name));
      else if (!std::exchange(full, true))
        problem("more than " + std::to_string(most_forwarder_domains) +
                " domains: this one and those after it are left out");
    }
  }
  return result;
}

}  // namespace spf
