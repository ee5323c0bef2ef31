#include "spf/base/address.hh"

#include <arpa/inet.h>

#include <algorithm>

namespace spf {

std::optional<Address> Address::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN || text.find('\0') != text.npos) return {};
  const std::string terminated(text);
  std::uint8_t octets[16];
  if (inet_pton(AF_INET, terminated.c_str(), octets) == 1)
    return ip4({octets[0], octets[1], octets[2], octets[3]});
  if (inet_pton(AF_INET6, terminated.c_str(), octets) == 1) return ip6(octets);
  return {};
}

Address Address::ip4(const std::uint8_t (&octets)[4]) {
  Address address;
  std::copy_n(octets, 4, address.octets_.begin());
  return address;
}

Address Address::ip6(const std::uint8_t (&octets)[16]) {
  constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(mapped, mapped + 12, octets))
    return ip4({octets[12], octets[13], octets[14], octets[15]});
  Address address;
  address.ip4_ = false;
  std::copy_n(octets, 16, address.octets_.begin());
  return address;
}

// libc writes IPv4 addresses with printf, whose code and stack a process that
// has just been forked would have to get first.
std::string Address::text() const {
  if (ip4_)
    return std::to_string(octets_[0]) + "." + std::to_string(octets_[1]) + "." +
           std::to_string(octets_[2]) + "." + std::to_string(octets_[3]);
  char buffer[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, octets(), buffer, sizeof buffer);
}

bool Address::is_loopback() const {
  return ip4_ ? octets_[0] == 127
              : octets_[15] == 1 &&
                    std::all_of(octets_.begin(), octets_.end() - 1,
                                [](std::uint8_t octet) { return octet == 0; });
}

bool Address::is_unspecified() const {
  return std::all_of(octets_.begin(), octets_.end(), [](std::uint8_t octet) { return octet == 0; });
}

bool Address::in_network(const Address& network, unsigned prefix) const {
  return ip4_ == network.ip4_ && in_network(network.octets(), prefix);
}

bool Address::in_network(const std::uint8_t* network, unsigned prefix) const {
  if (prefix > bits()) return false;
  const unsigned whole = prefix / 8;
  if (!std::equal(octets(), octets() + whole, network)) return false;
  if (prefix % 8 == 0) return true;
  const std::uint8_t mask = 0xff << (8 - prefix % 8);
  return ((octets_[whole] ^ network[whole]) & mask) == 0;
}

}  // namespace spf
