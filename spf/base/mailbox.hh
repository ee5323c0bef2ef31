// A mailbox (RFC 5321 section 4.1.2): its two parts, and what it may be.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "spf/base/address.hh"

namespace spf {

// Where the @ stands that parts local-part and domain: the last one outside
// quotes. npos where there is none.
std::size_t domain_separator(std::string_view mailbox);

// Whether `mailbox` is one that all servers read alike. Its local part is a
// quoted string or any atext, 8-bit octets and dots, its domain what is_domain()
// says. Without a domain it has no quotes, '%' or '!' either.
bool is_mailbox(std::string_view mailbox);

// Labels of letters, digits, '-', '_' and UTF-8, single dots between them and
// at most one at the end; or an address literal.
bool is_domain(std::string_view domain);

// The address of a literal, [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 section
// 4.1.3). Nothing where `domain` is none, or one with another tag.
std::optional<Address> address_literal(std::string_view domain);

}  // namespace spf
