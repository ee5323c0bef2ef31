#include "spf/base/own_address.hh"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>

#include "spf/base/descriptor.hh"
#include "spf/base/socket_address.hh"

namespace spf {
namespace {

std::optional<Address> ip_address(const sockaddr_storage& storage) {
  if (storage.ss_family == AF_INET) {
    std::uint8_t octets[4];
    std::memcpy(octets, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, sizeof octets);
    return Address::ip4(octets);
  }
  if (storage.ss_family == AF_INET6) {
    std::uint8_t octets[16];
    std::memcpy(octets, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, sizeof octets);
    return Address::ip6(octets);
  }
  return {};
}

// The address from which this machine would send to `address`; nothing where
// there is no way. No packet is sent: connecting a UDP socket only asks the
// routing table.
std::optional<Address> source_towards(const Address& address) {
  constexpr std::uint16_t discard = 9;  // any port will do
  std::optional<SocketAddress> place = SocketAddress::parse(address.text(), discard);
  if (!place) return {};
  auto* const generic = reinterpret_cast<sockaddr*>(&place->storage);
  const Descriptor socket(::socket(place->family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || connect(socket.get(), generic, place->size) != 0) return {};
  if (getsockname(socket.get(), generic, &place->size) != 0) return {};
  return ip_address(place->storage);
}

bool is_link_local(const Address& address) {
  return address.in_network(*Address::parse("fe80::"), 10);
}

bool is_listed(const Address& address) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET6) continue;
    const auto& ip6 = reinterpret_cast<const sockaddr_in6&>(*i->ifa_addr);
    if (std::equal(ip6.sin6_addr.s6_addr, ip6.sin6_addr.s6_addr + 16, address.octets())) return true;
  }
  return false;
}

}  // namespace

// To itself a machine sends from the very address it sends to. This costs a
// tenth of listing all interfaces, which a link-local address needs: without
// its interface there is no way to it.
bool is_own_address(const Address& address) {
  return is_link_local(address) ? is_listed(address) : source_towards(address) == address;
}

std::optional<Address> peer_address(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return ip_address(storage);
}

}  // namespace spf
