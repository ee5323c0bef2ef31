#include "spf/base/socket_address.hh"

#include <arpa/inet.h>
#include <net/if.h>

#include "spf/base/number.hh"

namespace spf {
namespace {

// RFC 4007 section 11.2: an implementation takes numbers, and names it knows.
std::uint32_t scope_id(const std::string& zone) {
  const auto number = parse_number(zone, 0, 999999999);
  return number ? *number : if_nametoindex(zone.c_str());
}

}  // namespace

std::optional<SocketAddress> SocketAddress::parse(std::string_view text, std::uint16_t port) {
  SocketAddress result;
  const std::size_t percent = text.find('%');
  const std::string address(text.substr(0, percent));
  auto& ip4 = reinterpret_cast<sockaddr_in&>(result.storage);
  auto& ip6 = reinterpret_cast<sockaddr_in6&>(result.storage);
  if (percent == text.npos && inet_pton(AF_INET, address.c_str(), &ip4.sin_addr) == 1) {
    ip4.sin_family = AF_INET;
    ip4.sin_port = htons(port);
    result.size = sizeof ip4;
    return result;
  }
  if (inet_pton(AF_INET6, address.c_str(), &ip6.sin6_addr) != 1) return {};
  ip6.sin6_family = AF_INET6;
  ip6.sin6_port = htons(port);
  if (percent != text.npos) ip6.sin6_scope_id = scope_id(std::string(text.substr(percent + 1)));
  if (percent != text.npos && ip6.sin6_scope_id == 0) return {};
  result.size = sizeof ip6;
  return result;
}

std::string SocketAddress::text() const {
  char buffer[INET6_ADDRSTRLEN] = "";
  const auto& ip4 = reinterpret_cast<const sockaddr_in&>(storage);
  const auto& ip6 = reinterpret_cast<const sockaddr_in6&>(storage);
  const bool is_ip4 = family() == AF_INET;
  inet_ntop(family(), is_ip4 ? static_cast<const void*>(&ip4.sin_addr) : &ip6.sin6_addr, buffer,
            sizeof buffer);
  std::string result = buffer;
  if (!is_ip4 && ip6.sin6_scope_id != 0) result += '%' + std::to_string(ip6.sin6_scope_id);
  return result + " port " + std::to_string(ntohs(is_ip4 ? ip4.sin_port : ip6.sin6_port));
}

}  // namespace spf
