// Which name servers to ask, from the environment or resolv.conf(5).
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "spf/base/socket_address.hh"

namespace spf {

inline constexpr std::size_t most_name_servers = 6;

struct NameServers {
  std::vector<SocketAddress> servers;  // 1 to most_name_servers, in the order to be asked
  std::vector<std::string> problems;   // what can't be used, each for a warning
};

// The servers that NSCACHEIP lists, else NAMESERVERS, else the "nameserver"
// lines of `path`, else 127.0.0.1: of each the addresses that can be used. The
// port is 53, or what the last "port:N" says, in `path`'s options or in
// RES_OPTIONS. `getenv` gives a variable of the environment, null where it is
// not set. Other options of resolv.conf(5) have no meaning here.
NameServers name_servers(const std::function<const char*(const char*)>& getenv,
                         const char* path = "/etc/resolv.conf");

}  // namespace spf
