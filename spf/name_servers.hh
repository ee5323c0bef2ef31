// Which name servers to ask, from the environment or resolv.conf(5).
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

namespace spf {

struct NameServer {
  sockaddr_storage address{};
  socklen_t size = 0;
};

struct NameServers {
  std::vector<NameServer> servers;  // 1 to 6, in the order to be asked
  std::string options;              // as resolv.conf writes them, for udns
};

// What udns' own dns_init() would use, which it does not tell: servers from
// NSCACHEIP or NAMESERVERS, else from the "nameserver" lines of `path`, else
// 127.0.0.1; options from `path`, then RES_OPTIONS. The port is 53 or what
// the options say (port:N). Servers to which there is no route are left out,
// unless there is none to any: udns gives a question up when it cannot send it.
NameServers name_servers(const char* path = "/etc/resolv.conf");

// Whether a packet from `from` comes from this server's address.
bool same_server(const NameServer& server, const sockaddr& from);

}  // namespace spf
