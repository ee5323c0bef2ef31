#include "spf/base/mailbox.hh"

#include <algorithm>

#include "spf/base/ascii.hh"
#include "spf/base/dns_name.hh"

namespace spf {
namespace {

constexpr std::size_t max_domain = 255;  // RFC 5321 section 4.5.3.1.2

bool is_8bit(char c) { return static_cast<unsigned char>(c) >= 0x80; }

// Whether a decoder that is lax about RFC 3629 section 3 could read an ASCII
// character in 8-bit octets: '@' in C1 80.
bool has_overlong_form(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]), next = static_cast<unsigned char>(text[i + 1]);
    const unsigned too_low = first == 0xc0 || first == 0xc1 ? 0xc0
                             : first == 0xe0                ? 0xa0
                             : first == 0xf0                ? 0x90
                             : first == 0xf8                ? 0x88
                             : first == 0xfc                ? 0x84
                                                            : 0;
    if (next >= 0x80 && next < too_low) return true;
  }
  return false;
}

// RFC 3629 section 4
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto octet = [&](std::size_t at) -> unsigned {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
    };
    const unsigned first = octet(i++);
    if (first < 0x80) continue;
    if (first < 0xc2 || first > 0xf4) return false;
    const unsigned lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (octet(i) < lowest || octet(i) > highest) return false;
    const std::size_t end = i + (first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3);
    while (++i < end)
      if (octet(i) < 0x80 || octet(i) > 0xbf) return false;
  }
  return true;
}

// With dots anywhere: senders have them doubled and at both ends.
bool is_dot_string(std::string_view local) {
  return !local.empty() && std::all_of(local.begin(), local.end(), [](char c) {
    return is_atext(c) || c == '.' || is_8bit(c);
  });
}

// Neither angle brackets in it, since some servers know no quotes there, nor
// what is a source route, or nothing, to those that take the quotes away first.
bool is_quoted_string(std::string_view local) {
  if (local.size() < 3 || local.front() != '"' || local.back() != '"') return false;
  local = local.substr(1, local.size() - 2);
  bool first = true;
  for (std::size_t i = 0; i < local.size(); ++i) {
    if (local[i] == '"') return false;
    if (local[i] == '\\' && ++i == local.size()) return false;
    const char c = local[i];
    if (is_control(c) || c == '<' || c == '>' || (first && c == '@')) return false;
    first = false;
  }
  return true;
}

}  // namespace

std::size_t domain_separator(std::string_view mailbox) {
  std::size_t separator = mailbox.npos;
  bool quoted = false;
  for (std::size_t i = 0; i < mailbox.size(); ++i) {
    if (mailbox[i] == '\\')
      ++i;
    else if (mailbox[i] == '"')
      quoted = !quoted;
    else if (mailbox[i] == '@' && !quoted)
      separator = i;
  }
  return separator;
}

bool is_mailbox(std::string_view mailbox) {
  const std::size_t separator = domain_separator(mailbox);
  const std::string_view local = mailbox.substr(0, separator);
  if (has_overlong_form(local)) return false;
  // "victim%x" and "x!victim" are mailboxes in a domain to postfix.
  if (separator == mailbox.npos)
    return is_dot_string(local) && local.find_first_of("%!") == local.npos;
  return (is_dot_string(local) || is_quoted_string(local)) && is_domain(mailbox.substr(separator + 1));
}

bool is_domain(std::string_view domain) {
  if (domain.size() > max_domain || !is_utf8(domain)) return false;
  if (domain.starts_with('[')) return address_literal(domain).has_value();
  domain = without_trailing_dot(domain);
  char before = '.';
  for (const char c : domain) {
    const bool in_label = is_alphanum(c) || c == '-' || c == '_' || is_8bit(c);
    if (c == '.' ? before == '.' : !in_label) return false;
    before = c;
  }
  return before != '.';
}

std::optional<Address> address_literal(std::string_view domain) {
  if (!domain.starts_with('[') || !domain.ends_with(']')) return {};
  std::string_view text = domain.substr(1, domain.size() - 2);
  const bool ip6 = starts_with_ignoring_case(text, "IPv6:");
  if (ip6) text.remove_prefix(5);
  if (ip6 != (text.find(':') != text.npos)) return {};
  return Address::parse(text);
}

}  // namespace spf
