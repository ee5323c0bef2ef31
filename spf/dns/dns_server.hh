// What a check has found out about one name server, and its door to it.
#pragma once

#include <chrono>
#include <optional>

#include "spf/base/socket_address.hh"
#include "spf/dns/udns.hh"

namespace spf {

struct DnsServer {
  using Clock = std::chrono::steady_clock;

  // How long nothing from it is no news yet.
  static constexpr std::chrono::milliseconds hedge{500};

  // `at` must outlive it. Throws std::bad_alloc.
  explicit DnsServer(const SocketAddress* at) : address(at), udp(*at), gone(!udp.usable()) {}

  // Asked after the others, and not waited for.
  bool doubtful() const { return silent || refuses || closed; }

  // A packet has come.
  void note_heard() {
    heard = Clock::now();
    silent = false;
    closed.reset();
  }

  // Nobody listens at its port. That may be just for the moment in which it is
  // started again.
  void note_closed() {
    const auto now = Clock::now();
    if (!closed) closed = now;
    gone = now - *closed >= hedge;
  }

  const SocketAddress* address;
  DnsUdp udp;
  bool gone;              // not asked any more in this check
  bool silent = false;    // when it was asked last
  bool refuses = false;   // to serve us, as it said once
  std::optional<Clock::time_point> closed;  // since when nobody listens at its port
  Clock::time_point heard{};                // its last packet
};

}  // namespace spf
