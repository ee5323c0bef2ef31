// A resolver that asks the name servers of this process's environment, as
// DnsServer::use() puts them there.
#pragma once

#include <cstdlib>
#include <vector>

#include "spf/limits.hh"
#include "spf/name_servers.hh"
#include "spf/udns.hh"

struct LocalServers {
  std::vector<spf::SocketAddress> addresses = spf::name_servers(std::getenv).servers;
  std::vector<const spf::SocketAddress*> pointers() const {
    std::vector<const spf::SocketAddress*> all;
    for (const spf::SocketAddress& address : addresses) all.push_back(&address);
    return all;
  }
};

class LocalResolver : LocalServers, public spf::UdnsResolver {
 public:
  explicit LocalResolver(Clock::time_point deadline) : UdnsResolver(deadline, pointers(), spf::Limits::most_questions) {}
};
