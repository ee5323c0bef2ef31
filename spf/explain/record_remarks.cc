#include "spf/explain/record_remarks.hh"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "spf/base/ascii.hh"
#include "spf/explain/record_hints.hh"

namespace spf {
namespace {

const Directive* first_all(const Record& record) {
  for (const Directive& directive : record.directives)
    if (directive.mechanism == Mechanism::all) return &directive;
  return nullptr;
}

// As it is compared with another.
std::string compared(const Directive& directive) {
  std::string result(without_qualifier(directive.text));
  for (char& c : result) c = lower(c);
  return result;
}

struct Network {
  std::string_view address;
  unsigned prefix;
};

// Whose addresses no client on the Internet has (RFC 6890).
constexpr Network private_networks[] = {
    {"0.0.0.0", 8},     {"10.0.0.0", 8},     {"100.64.0.0", 10}, {"127.0.0.0", 8}, {"169.254.0.0", 16},
    {"172.16.0.0", 12}, {"192.168.0.0", 16}, {"::1", 128},       {"fc00::", 7},    {"fe80::", 10},
};

bool is_private(const Directive& directive) {
  if (directive.mechanism != Mechanism::ip4 && directive.mechanism != Mechanism::ip6) return false;
  const bool ip4 = directive.mechanism == Mechanism::ip4;
  const unsigned prefix = ip4 ? directive.prefix4 : directive.prefix6;
  return std::any_of(std::begin(private_networks), std::end(private_networks), [&](const Network& network) {
    const auto address = Address::parse(network.address);
    return address->is_ip4() == ip4 && prefix >= network.prefix &&
           address->in_network(directive.network.data(), network.prefix);
  });
}

// Nobody has a wider network of his own.
constexpr unsigned widest4 = 8, widest6 = 16;

// Of a network that is let through.
std::string width_remark(unsigned prefix, unsigned widest, std::string_view family) {
  if (prefix == 0) return "everybody with an " + std::string(family) + " address may send in this name";
  if (prefix < widest) return "a /" + std::to_string(prefix) + " is wider than any sender's network";
  return {};
}

}  // namespace

bool is_private(const Address& address) {
  return std::any_of(std::begin(private_networks), std::end(private_networks), [&](const Network& network) {
    return address.in_network(*Address::parse(network.address), network.prefix);
  });
}

std::vector<std::string> directive_remarks(const Directive& directive) {
  std::vector<std::string> remarks;
  const auto add = [&](const std::string& text) {
    if (!text.empty()) remarks.push_back(directive.text + ": " + text);
  };
  const Mechanism mechanism = directive.mechanism;
  const bool has_addresses = mechanism == Mechanism::a || mechanism == Mechanism::mx;
  if (directive.qualifier == Qualifier::pass) {
    if (mechanism == Mechanism::ip4 || has_addresses) add(width_remark(directive.prefix4, widest4, "IPv4"));
    if (mechanism == Mechanism::ip6 || has_addresses) add(width_remark(directive.prefix6, widest6, "IPv6"));
  }
  if (is_private(directive))
    add("no client on the Internet has such an address");
  if (mechanism == Mechanism::ptr) add("slow, and not to be used (RFC 7208 section 5.5)");
  if (mechanism == Mechanism::exists && directive.domain_spec.find('%') == std::string::npos)
    add("no macro in it, so it matches every client or none");
  return remarks;
}

std::vector<std::string> record_remarks(const Record& record) {
  std::vector<std::string> remarks;
  const auto add = [&remarks](const std::string& text) { remarks.push_back(text); };
  const Directive* const all = first_all(record);
  if (!all && !record.redirect)
    add("no all and no redirect=: whoever is not listed gets neutral");
  if (all && all->qualifier == Qualifier::pass)
    add(all->text + ": everybody may send in this name");
  if (all && all->qualifier == Qualifier::neutral)
    add(all->text + ": nothing is said of whoever is not listed; ~all or -all would");
  if (all && record.redirect) add("redirect= is not used where there is all");
  if (all)
    for (const Directive& directive : record.directives)
      if (directive.position > all->position) add(directive.text + ": never reached, after all");
  std::set<std::string> terms;
  for (const Directive& directive : record.directives)
    if (directive.mechanism != Mechanism::include && !terms.insert(compared(directive)).second)
      add(directive.text + ": stands there twice");
  for (const UnknownModifier& modifier : record.unknown)
    if (const std::string meant = suggestion(modifier.name, modifier.value); !meant.empty())
      add(modifier.name + "=" + modifier.value + ": an unknown modifier, ignored; " + meant);
  return remarks;
}

}  // namespace spf
