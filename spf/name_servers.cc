#include "spf/name_servers.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

namespace spf {

namespace {

constexpr std::size_t most_servers = 6;  // udns takes no more

std::string read_file(const char* path) {
  std::string text;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[4096];
  for (ssize_t size; text.size() < 65536 && (size = read(fd, buffer, sizeof buffer)) > 0;)
    text.append(buffer, std::size_t(size));
  close(fd);
  return text;
}

std::string_view next_word(std::string_view& text) {
  const auto begin = std::min(text.find_first_not_of(" \t\r"), text.size());
  const auto end = std::min(text.find_first_of(" \t\r", begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

std::optional<NameServer> parse_server(std::string_view text) {
  NameServer server;
  const std::string address(text);
  auto* ip4 = reinterpret_cast<sockaddr_in*>(&server.address);
  auto* ip6 = reinterpret_cast<sockaddr_in6*>(&server.address);
  if (inet_pton(AF_INET, address.c_str(), &ip4->sin_addr) == 1) {
    ip4->sin_family = AF_INET;
    server.size = sizeof *ip4;
  } else if (inet_pton(AF_INET6, address.c_str(), &ip6->sin6_addr) == 1) {
    ip6->sin6_family = AF_INET6;
    server.size = sizeof *ip6;
  } else {
    return {};
  }
  return server;
}

// The last port:N, as dns_set_opts() reads it.
unsigned port_option(std::string_view options) {
  unsigned port = 53;
  for (std::string_view word; !(word = next_word(options)).empty();)
    if (word.starts_with("port:") || word.starts_with("port="))
      port = unsigned(std::clamp(std::atoi(std::string(word.substr(5)).c_str()), 1, 65535));
  return port;
}

// Connecting a UDP socket sends nothing, but needs a route.
bool has_route(const NameServer& server) {
  const int fd = socket(server.address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool reached =
      connect(fd, reinterpret_cast<const sockaddr*>(&server.address), server.size) == 0;
  close(fd);
  return reached;
}

}  // namespace

NameServers name_servers(const char* path) {
  NameServers found;
  const auto add = [&](std::string_view text) {
    if (const auto server = parse_server(text); server && found.servers.size() < most_servers)
      found.servers.push_back(*server);
  };
  const char* listed = std::getenv("NSCACHEIP");
  if (!listed) listed = std::getenv("NAMESERVERS");
  if (listed) {
    std::string_view rest = listed;
    for (std::string_view word; !(word = next_word(rest)).empty();) add(word);
  }
  const std::string file = read_file(path);
  for (std::string_view rest = file; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::string_view key = next_word(line);
    if (key == "options") found.options.append(line).append(" ");
    if (key == "nameserver" && !listed) add(next_word(line));
  }
  if (const char* options = std::getenv("RES_OPTIONS")) found.options += options;
  if (found.servers.empty()) add("127.0.0.1");
  const in_port_t port = htons(std::uint16_t(port_option(found.options)));
  for (NameServer& server : found.servers) {
    if (server.address.ss_family == AF_INET)
      reinterpret_cast<sockaddr_in*>(&server.address)->sin_port = port;
    else
      reinterpret_cast<sockaddr_in6*>(&server.address)->sin6_port = port;
  }
  const auto lost = std::stable_partition(found.servers.begin(), found.servers.end(), has_route);
  if (lost != found.servers.begin()) found.servers.erase(lost, found.servers.end());
  return found;
}

bool same_server(const NameServer& server, const sockaddr& from) {
  if (server.address.ss_family == from.sa_family && from.sa_family == AF_INET)
    return std::memcmp(&reinterpret_cast<const sockaddr_in&>(server.address).sin_addr,
                       &reinterpret_cast<const sockaddr_in&>(from).sin_addr, 4) == 0;
  if (from.sa_family != AF_INET6) return false;
  const auto& address = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
  if (server.address.ss_family == AF_INET6)
    return std::memcmp(&reinterpret_cast<const sockaddr_in6&>(server.address).sin6_addr, &address, 16) == 0;
  // udns maps IPv4 servers when it has IPv6 ones too.
  return std::memcmp(&reinterpret_cast<const sockaddr_in&>(server.address).sin_addr,
                     address.s6_addr + 12, 4) == 0;
}

}  // namespace spf
