// One question to a resolver of its own, for tests of dns_resolver.hh.
#pragma once

#include <algorithm>
#include <chrono>
#include <string_view>

#include "tests/support/local_resolver.hh"
#include "tests/support/dns_server.hh"

using Clock = std::chrono::steady_clock;

inline spf::Answer ask(std::string_view name, spf::RrType type,
                       std::chrono::milliseconds patience = std::chrono::seconds(5)) {
  LocalResolver resolver(Clock::now() + patience);
  return resolver.lookup(name, type);
}

inline std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

// How many of the questions that a server has seen came over TCP.
inline std::size_t over_tcp(DnsServer& server) {
  const auto seen = server.seen();
  return std::size_t(std::count_if(seen.begin(), seen.end(), [](const auto& q) { return q.tcp; }));
}
