#include "spf/interfaces.hh"

#include <ifaddrs.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>

namespace spf {
namespace {

bool has_address(const ifaddrs& interface, const Address& address) {
  const sockaddr* own = interface.ifa_addr;
  if (own == nullptr || own->sa_family != (address.is_ip4() ? AF_INET : AF_INET6)) return false;
  const void* octets = address.is_ip4()
                           ? static_cast<const void*>(
                                 &reinterpret_cast<const sockaddr_in*>(own)->sin_addr)
                           : &reinterpret_cast<const sockaddr_in6*>(own)->sin6_addr;
  return std::memcmp(octets, address.octets(), address.bits() / 8) == 0;
}

}  // namespace

bool is_own_address(const Address& address) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return false;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next)
    if (has_address(*i, address)) return true;
  return false;
}

}  // namespace spf
