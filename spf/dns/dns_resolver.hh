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

// Whom it asks and when is schedule.hh. An answer counts from whichever server
// and to whichever attempt it comes.
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
