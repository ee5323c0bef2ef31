// Where a server listens: an IP address, its scope and a port, as sockets take them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spf {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  // Reads dotted IPv4, or any textual IPv6 form, with the name or number of an
  // interface behind a % where it is link-local (RFC 4007 section 11). Nothing
  // for other text, and for an interface that is not there.
  static std::optional<SocketAddress> parse(std::string_view text, std::uint16_t port);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }

  // "127.0.0.1 port 53", "fe80::1%2 port 53"
  std::string text() const;
};

}  // namespace spf
