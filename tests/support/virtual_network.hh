// Name servers on a network that delays and loses packets, in a time of its own:
// thousands of checks a second, and the same ones each time. What is asked, whom
// and when is spf/dns/schedule.hh as it is; sockets and messages are left out.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "spf/dns/resolver.hh"
#include "spf/dns/schedule.hh"
#include "tests/support/fake_resolver.hh"

namespace test {

struct VirtualServer {
  using milliseconds = std::chrono::milliseconds;

  milliseconds round_trip{20};
  bool silent = false;                  // to packets
  bool tcp = true;                      // takes connections
  bool tcp_silent = false;              // and says nothing over them
  bool refuses = false;
  std::optional<milliseconds> listens;  // nobody does before this time, for ever where it is max()
  std::set<std::string> fails;          // SERVFAIL for these names,
  std::set<std::string> truncates;      // TC for these,
  std::map<std::string, unsigned> loses;  // and as many packets with these get lost
  // How long it looks for what it is asked for the first time; packets for that
  // meanwhile wait too.
  std::function<milliseconds(const FakeResolver::Key&)> search;

  // What it was sent, lost or not.
  struct Packet {
    milliseconds at;
    std::string name;
    spf::Schedule::Way way;
  };
  std::vector<Packet> packets = {};

  std::map<FakeResolver::Key, milliseconds> found = {};  // when
};

struct VirtualNetwork {
  using milliseconds = std::chrono::milliseconds;

  FakeResolver zone;                   // what they all know
  std::vector<VirtualServer> servers;
  double loss = 0;                     // of the packets in each direction
  std::mt19937 random{1};
  std::chrono::microseconds time{0};   // now

  bool chance(double share) { return random() < share * 4294967296.0; }
  milliseconds now() const { return std::chrono::duration_cast<milliseconds>(time); }
  std::size_t packets() const;
};

// One check's resolver there.
class VirtualResolver : public spf::Resolver {
 public:
  VirtualResolver(VirtualNetwork& network, std::chrono::milliseconds patience,
                  unsigned most_connections = 32);

  void prefetch(std::string_view name, spf::RrType type, Follow follow = {}) override;
  const spf::Answer& lookup(std::string_view name, spf::RrType type) override;

  unsigned questions() const { return unsigned(questions_.size()); }

 private:
  using Key = FakeResolver::Key;
  using Attempt = spf::Schedule::Attempt;
  struct Question {
    spf::Schedule schedule;
    std::vector<Follow> followers = {};
    std::map<unsigned, Attempt> attempts = {};
    std::optional<spf::Answer> answer = {};
  };
  enum class News { answer, failure, refusal, truncation, closed, broken };
  struct Event {
    Key key;
    Attempt attempt;
    News news;
  };

  spf::Schedule::Time now() const { return spf::Schedule::Time(network_.time); }
  Question& ask(const Key& key);
  void send(const Key& key, const Attempt& attempt);
  void send_packet(const Key& key, const Attempt& attempt);
  void connect(const Key& key, const Attempt& attempt);
  void take(const Event& event);
  void ask_what_is_due();
  void wait();
  void finish(Question& question, const spf::Answer& answer);

  VirtualNetwork& network_;
  const std::chrono::microseconds deadline_;
  const unsigned most_connections_;
  std::vector<spf::Standing> standings_;
  std::map<Key, Question> questions_;
  std::multimap<std::chrono::microseconds, Event> events_;
};

}  // namespace test
