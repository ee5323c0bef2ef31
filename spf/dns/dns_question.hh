// One DNS question, from when it is asked until there is an answer: which name
// server is asked, when the next one is, TCP where an answer was truncated, and
// the names that CNAMEs lead to.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "spf/dns/dns_server.hh"
#include "spf/dns/dns_tcp.hh"
#include "spf/dns/resolver.hh"
#include "spf/dns/udns.hh"

namespace spf {

// What the questions of one check share.
struct DnsMeans {
  std::vector<std::unique_ptr<DnsServer>> servers;
  std::chrono::steady_clock::time_point deadline;
  unsigned questions_left;  // that may be asked, each link of CNAMEs being one
};

// It does not wait: who owns it does, and calls advance() then.
class DnsQuestion {
 public:
  using Clock = std::chrono::steady_clock;

  // Asks at once. `name` is an is_dns_name(); `means` must outlive it. Throws
  // std::bad_alloc, as advance() does.
  DnsQuestion(DnsMeans& means, std::string_view name, RrType type);

  bool done() const { return done_; }
  // Once done.
  Answer& answer() { return answer_; }

  // While it is not done: when to call advance() although nothing has come, and
  // the connection to watch, null where there is none, besides the servers' own
  // sockets.
  Clock::time_point next() const { return next_; }
  const DnsTcp* tcp() const { return tcp_.get(); }

  // Takes what has come, and asks on where it is time.
  void advance();

  // Nobody listens at this server's port: what was sent there is lost.
  void forget(std::size_t server);

  // It is trouble from now on.
  void give_up() { finish({}); }

 private:
  // One packet to one server.
  struct Attempt {
    std::size_t server;
    Clock::time_point sent;
    std::unique_ptr<DnsUdp::Query> query;
  };

  void begin();
  void send();
  void send_to(std::size_t server);
  void take(const Attempt& attempt);
  void note_silence();
  void settle_doubtful();
  bool is_left(std::size_t server) const;
  bool anybody_left() const;
  bool anybody_good() const;
  void begin_tcp(std::size_t first);
  void next_tcp();
  void advance_tcp();
  void read(std::string_view message);
  void finish(Answer answer);

  DnsMeans& means_;
  const RrType type_;
  std::vector<std::string> names_;  // wire form: the one asked last, after the
                                    // aliases that led to it
  const Clock::time_point asked_ = Clock::now();
  bool done_ = false;
  Answer answer_;

  // UDP
  std::vector<Attempt> attempts_;   // that may still bring an answer
  std::vector<bool> failed_;        // servers that have no answer to this question
  std::vector<bool> in_round_;      // servers asked in this round
  unsigned round_ = 0;
  bool round_over_ = false;         // all were asked
  bool has_failure_ = false;        // a server said so
  Clock::time_point next_;

  // TCP
  std::unique_ptr<DnsTcp> tcp_;          // not null: it is asked there
  std::vector<std::size_t> tcp_servers_; // still to be asked, the next one last
  std::uint16_t id_ = 0;
};

}  // namespace spf
