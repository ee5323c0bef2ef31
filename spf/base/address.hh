// An IP address of a client, and networks of them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spf {

class Address {
 public:
  // Reads dotted IPv4 or any textual IPv6 form; ::ffff:a.b.c.d is the IPv4
  // address a.b.c.d (RFC 7208 section 5). Nothing for any other text.
  static std::optional<Address> parse(std::string_view text);
  static Address ip4(const std::uint8_t (&octets)[4]);
  static Address ip6(const std::uint8_t (&octets)[16]);  // mapped: IPv4

  bool is_ip4() const { return ip4_; }
  // The 4 or 16 octets in network order.
  const std::uint8_t* octets() const { return octets_.data(); }
  unsigned bits() const { return ip4_ ? 32 : 128; }

  // As inet_ntop writes it.
  std::string text() const;

  // 127.0.0.0/8 or ::1.
  bool is_loopback() const;
  // 0.0.0.0 or ::.
  bool is_unspecified() const;

  // Whether the first `prefix` bits (at most bits()) are the same; false for
  // addresses of different families.
  bool in_network(const Address& network, unsigned prefix) const;

  // The same, with as many octets at `network` as this address has.
  bool in_network(const std::uint8_t* network, unsigned prefix) const;

  bool operator==(const Address&) const = default;

 private:
  std::array<std::uint8_t, 16> octets_{};
  bool ip4_ = true;
};

}  // namespace spf
