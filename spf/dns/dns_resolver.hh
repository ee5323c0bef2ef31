// The resolver of a check: every question (dns_question.hh) is asked once, and
// this waits for its answer.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include "spf/dns/resolver.hh"
#include "spf/base/socket_address.hh"

namespace spf {

// A question goes to the first server, to the next one half a second later or
// as soon as that one fails, and again to all of them after 1, 2, 4 ... seconds
// until the deadline. A server that was silent, refused to serve or at whose
// port nobody listens is asked after the others from then on, and not waited
// for; one at whose port nobody listens twice, half a second apart, is given
// up. Where the others have failed (SERVFAIL), such a server has half a second
// and no more. An answer counts from whichever server it comes.
//
// At most `most_questions` are asked, each link of a chain of CNAMEs being one:
// what is beyond is trouble and over_bound.
class DnsResolver : public Resolver {
 public:
  using Clock = std::chrono::steady_clock;

  // Opens a UDP socket to each server, and later nothing but TCP connections to
  // the addresses at `servers`, which must outlive it. Throws std::bad_alloc.
  DnsResolver(Clock::time_point deadline, const std::vector<const SocketAddress*>& servers,
               unsigned most_questions);
  ~DnsResolver() override;

  void prefetch(std::string_view name, RrType type, Follow follow = {}) override;
  const Answer& lookup(std::string_view name, RrType type) override;

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace spf
