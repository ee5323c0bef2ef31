// What a check has found out about one name server.
#pragma once

#include <chrono>
#include <optional>

#include "spf/dns/round_trip.hh"

namespace spf {

struct Standing {
  using Time = std::chrono::steady_clock::time_point;

  // That nobody listens may be just for the moment in which it is started again.
  static constexpr std::chrono::milliseconds restart{500};

  // Asked after the others, and not waited for.
  bool doubtful() const { return silent || refuses || closed; }

  // A packet has come.
  void note_heard(Time now) {
    heard = now;
    silent = only_tcp = false;
    closed.reset();
  }

  // An answer has come over TCP.
  void note_tcp() {
    silent = false;
    only_tcp = !heard;
  }

  // Nobody listens at its port.
  void note_closed(Time now) {
    if (!closed) closed = now;
    gone = now - *closed >= restart;
  }

  RoundTrip round_trip;
  bool gone = false;            // not asked any more in this check
  bool silent = false;          // when it was asked last
  bool refuses = false;         // to serve us, as it said once
  bool only_tcp = false;        // answers there, and was never heard over UDP
  std::optional<Time> closed;   // since when nobody listens at its port
  std::optional<Time> heard;    // its last packet
};

}  // namespace spf
