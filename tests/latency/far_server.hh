// A name server at the far end of a line that is slow and loses packets, on
// loopback, for many checks at once, each with a line of its own.
//
// It is a process of its own: what the checkers do must not make it late. A
// check asks it at addresses that no other check has, so that its packets can
// be told from those of others, and be lost alike in each run of a seed.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "spf/base/socket_address.hh"
#include "tests/support/dns_server.hh"

namespace latency {

struct Line {
  std::chrono::microseconds round_trip{0};
  double loss = 0;          // the share of packets lost, in each direction
  std::uint64_t seed = 1;   // the same: the same packets of a check are lost
};

// What went over the line of one check.
struct Traffic {
  std::atomic<unsigned> sent;       // packets of the checker; over TCP one for the connection
                                    // and one for each question
  std::atomic<unsigned> answered;   // that came back to it
  std::atomic<unsigned> lost;       // in either direction
  std::atomic<unsigned> questions;  // that differ in name or type
};

// How much later than due the answers left, in classes of 0.1 ms, the last one
// for all above; and what came in too fast for the kernel's buffer, and is lost
// to nobody's seed.
struct Lateness {
  static constexpr std::size_t classes = 1001;
  std::atomic<unsigned> answers[classes];
  std::atomic<unsigned> overflows;

  // The time within which this share of the answers left.
  double milliseconds(double share) const;
};

class FarServer {
 public:
  static constexpr unsigned most_servers = 3;

  // Serves what `publish` puts into the zone, for checks numbered from 0 to
  // `most_checks` - 1 (at most a million), at `port` or, if 0, at any that is
  // free. Throws std::runtime_error.
  FarServer(const std::function<void(DnsServer&)>& publish, unsigned most_checks, unsigned port = 0);
  ~FarServer();
  FarServer(const FarServer&) = delete;
  FarServer& operator=(const FarServer&) = delete;

  unsigned port() const { return port_; }

  // Where check `check` finds its server number 0, 1 or 2; all of them are this one.
  static std::string address(unsigned check, unsigned server = 0);

  // To be called before the check asks.
  void set(unsigned check, const Line& line);
  const Traffic& traffic(unsigned check) const;
  const Lateness& lateness() const;

 private:
  struct Shared;
  friend class FarServerProcess;

  Shared* shared_;
  std::size_t shared_size_;
  unsigned most_checks_, port_ = 0;
  pid_t process_;
};

}  // namespace latency
