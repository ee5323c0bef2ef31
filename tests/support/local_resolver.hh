// A resolver that asks the name servers of this process's environment, as
// DnsServer::use() puts them there.
#pragma once

#include <cstdlib>
#include <vector>

#include "spf/engine/limits.hh"
#include "spf/dns/name_servers.hh"
#include "spf/dns/dns_resolver.hh"

struct LocalServers {
  std::vector<spf::SocketAddress> addresses = spf::name_servers(std::getenv).servers;
  std::vector<const spf::SocketAddress*> pointers() const {
    std::vector<const spf::SocketAddress*> all;
    for (const spf::SocketAddress& address : addresses) all.push_back(&address);
    return all;
  }
};

class LocalResolver : LocalServers, public spf::DnsResolver {
 public:
  explicit LocalResolver(Clock::time_point deadline) : DnsResolver(deadline, pointers(), spf::Limits::most_questions) {}
};
