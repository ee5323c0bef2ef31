#include "tests/support/name_server.hh"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/support/zones.hh"

namespace test {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A bound socket and its port; port 0 asks the kernel for a free one.
Fd bound(int type, int& port) {
  Fd fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address = loopback(port);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd.get(), generic, size) == -1) return Fd();
  getsockname(fd.get(), generic, &size);
  port = ntohs(address.sin_port);
  return fd;
}

// A port that is free for UDP and TCP alike, at the moment.
int free_port() {
  for (;;) {
    int port = 0;
    const Fd udp = bound(SOCK_DGRAM, port);
    if (udp && bound(SOCK_STREAM, port)) return port;
  }
}

// Whether a question for the root is answered, with whatever.
bool answers(int port) {
  static const char question[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1";
  const Fd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  sendto(fd.get(), question, sizeof question - 1, 0,
         reinterpret_cast<const sockaddr*>(&address), sizeof address);
  pollfd p{fd.get(), POLLIN, 0};
  return poll(&p, 1, 100) == 1;
}

Environment resolver_environment(int port) {
  return {{"NAMESERVERS", "127.0.0.1"}, {"RES_OPTIONS", "port:" + std::to_string(port)}};
}

std::string configuration(const TempDir& files, int port, const std::vector<Zone>& zones) {
  const std::string& home = files.path();
  std::string text =
      "server:\n  ip-address: 127.0.0.1@" + std::to_string(port) +
      "\n  username: \"\"\n  chroot: \"\"\n  database: \"\"\n  server-count: 1\n"
      "  ipv4-edns-size: 512\n  refuse-any: yes\n  rrl-ratelimit: 0\n  rrl-size: 1\n  xfrd-tcp-max: 1\n"
      "  zonesdir: \"" + home + "\"\n  xfrdir: \"" + home + "\"\n  pidfile: \"" + home +
      "/pid\"\n  xfrdfile: \"" + home + "/xfrd\"\n  zonelistfile: \"" + home + "/zones\"\n"
      "  cookie-secret-file: \"" + home + "/cookie\"\n"
      "remote-control:\n  control-enable: no\n";
  for (const Zone& zone : zones)
    text += "zone:\n  name: " + zone.name + "\n  zonefile: " + zone.name + ".zone\n";
  return text;
}

}  // namespace

NameServer::NameServer(const std::vector<Zone>& zones) {
  for (const Zone& zone : zones)
    files_.write(zone.name + ".zone",
                 "$ORIGIN " + zone.name + ".\n$TTL 300\n"
                 "@ SOA ns hostmaster 1 3600 600 86400 300\n@ NS ns\nns A 127.0.0.1\n" + zone.text);
  for (int tries = 0; tries < 5; ++tries)  // the port may be taken meanwhile
    if (start(zones)) return;
  throw std::runtime_error("nsd does not start: " + read_file(files_.file("log")));
}

bool NameServer::start(const std::vector<Zone>& zones) {
  port_ = free_port();
  const std::string conf = files_.write("conf", configuration(files_, port_, zones));
  const Fd log = open_append(files_.file("log")), null = open_null();
  // For transfers that never come it would read each certificate that the host trusts.
  const Environment no_certificates = {{"SSL_CERT_FILE", "/dev/null"}, {"SSL_CERT_DIR", "/nonexistent"}};
  nsd_ = std::make_unique<Process>(Arguments{"/usr/sbin/nsd", "-d", "-c", conf}, no_certificates,
                                   Streams{null.get(), log.get(), log.get()});
  wait_until([this] { return nsd_->wait(0ms) || answers(port_); });
  return !nsd_->wait(0ms);
}

Environment NameServer::environment() const { return resolver_environment(port_); }

NameServer& name_server() {
  static NameServer server(standard_zones());
  return server;
}

SilentNameServer::SilentNameServer() : socket_(bound(SOCK_DGRAM, port_)) {}

Environment SilentNameServer::environment() const { return resolver_environment(port_); }

}  // namespace test
