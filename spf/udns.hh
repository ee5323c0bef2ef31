// DNS over udns (UDP), with a retry over TCP that udns does not have.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "spf/resolver.hh"

namespace spf {

// Everything that needs a file or the environment happens in the constructor:
// name servers as name_servers() finds them, one UDP socket. Later only TCP
// retries open anything, a socket each, closed with its answer.
//
// A question goes to each server in turn, half a second apart, and again after
// 1, 2, 4 ... seconds until the deadline. A truncated answer is asked for
// again over TCP, at each server in turn. A lone server at whose port nobody
// listens is given up when that is so again at the second attempt.
//
// Query ids are udns' own: seeded from the clock's microseconds when the
// resolver is made. The kernel picks the source port, anew for each resolver,
// so make one for each check. Responses are held against id, question, server
// and port.
class UdnsResolver : public Resolver {
 public:
  using Clock = std::chrono::steady_clock;

  // Throws std::bad_alloc only; without a socket all answers are trouble.
  explicit UdnsResolver(Clock::time_point deadline);
  ~UdnsResolver() override;

  void prefetch(std::string_view name, RrType type, Follow follow = {}) override;
  const Answer& lookup(std::string_view name, RrType type) override;

 private:
  struct Question;
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace spf
