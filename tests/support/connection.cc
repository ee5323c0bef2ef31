#include "tests/support/connection.hh"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <stdexcept>

namespace test {

namespace {

Fd tcp_socket(int family) { return Fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

sockaddr_in ip4(const char* address) {
  sockaddr_in ip{};
  ip.sin_family = AF_INET;
  inet_pton(AF_INET, address, &ip.sin_addr);
  return ip;
}

sockaddr_in6 ip6(const in6_addr& address) {
  sockaddr_in6 ip{};
  ip.sin6_family = AF_INET6;
  ip.sin6_addr = address;
  return ip;
}

template <class Ip>
bool bind_to(const Fd& fd, const Ip& ip) {
  return bind(fd.get(), reinterpret_cast<const sockaddr*>(&ip), sizeof ip) == 0;
}

// In network order; it stands at the same place in both families.
template <class Ip>
in_port_t& port_in(Ip& ip) { return reinterpret_cast<sockaddr_in&>(ip).sin_port; }

template <class Ip>
bool connect_to(const Fd& fd, Ip ip, in_port_t port) {
  port_in(ip) = port;
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&ip), sizeof ip) == 0;
}

in_port_t port_of(const Fd& fd) {
  sockaddr_storage ip{};
  socklen_t size = sizeof ip;
  getsockname(fd.get(), reinterpret_cast<sockaddr*>(&ip), &size);
  return port_in(ip);
}

Connection tcp(Over over) {
  const Fd listener = tcp_socket(over == Over::ip4 ? AF_INET : AF_INET6);
  const int on = 1, off = 0;
  if (over == Over::mapped)
    setsockopt(listener.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  const bool bound = over == Over::ip4   ? bind_to(listener, ip4("127.0.0.1"))
                     : over == Over::ip6 ? bind_to(listener, ip6(in6addr_loopback))
                                         : bind_to(listener, ip6(in6addr_any));
  Connection ends{tcp_socket(over == Over::ip6 ? AF_INET6 : AF_INET), {}};
  const bool connected =
      bound && listen(listener.get(), 1) == 0 &&
      (over == Over::ip6
           ? connect_to(ends.client, ip6(in6addr_loopback), port_of(listener))
           : bind_to(ends.client, ip4("127.0.0.2")) &&
                 connect_to(ends.client, ip4("127.0.0.1"), port_of(listener)));
  if (connected) ends.server = Fd(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!ends.server) throw std::runtime_error("no TCP connection");
  // Each piece goes out by itself.
  setsockopt(ends.client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return ends;
}

}  // namespace

Connection connection(Over over) {
  if (over != Over::pair && over != Over::packets) return tcp(over);
  int pair[2];
  const int type = over == Over::packets ? SOCK_SEQPACKET : SOCK_STREAM;
  if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) != 0) throw std::runtime_error("no socket pair");
  return {Fd(pair[0]), Fd(pair[1])};
}

}  // namespace test
