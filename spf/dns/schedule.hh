// When one DNS question is asked, and whom, and when and whom again. It has no
// clock, no socket and no message: it is told what has come and what time it is.
//
// A question goes to the first server, and to the next one as soon as that one
// fails or an answer is later than it is wont to come (round_trip.hh); after the
// last one to all of them again, each pause twice the one before. A server in
// doubt (standing.hh) is asked after the others. Where all that are not in doubt
// have failed, the rest is not waited for until the deadline. A truncated answer
// is asked for over TCP, and so is one that does not come over UDP.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "spf/dns/standing.hh"

namespace spf {

class Schedule {
 public:
  using Time = Standing::Time;
  enum class Way { udp, tcp };

  // One packet to one server, or one connection.
  struct Attempt {
    unsigned number;  // no other of this question has it
    std::size_t server;
    Way way;
    Time sent;
    bool in_doubt;    // the server was
  };

  // `servers` are those of the check, and must outlive it.
  Schedule(std::vector<Standing>& servers, Time now);

  // What is to be sent now, and counts as sent. To be called at first, after
  // each event, and at next(). Without `may_connect` it is never TCP: then to be
  // called as soon as it may.
  std::vector<Attempt> due(Time now, bool may_connect);
  // When to call due() although nothing has come.
  Time next() const;
  // Nothing is worth waiting for: the answer is trouble.
  bool over() const { return over_; }

  // What has become of an attempt. One that is not known any more is no news.
  void answered(unsigned number, Time now);   // with records, or that there are none
  void failed(unsigned number, Time now);     // SERVFAIL, nonsense, or it could not be sent
  void refused(unsigned number, Time now);    // REFUSED
  void truncated(unsigned number, Time now);  // to be asked over TCP
  void broke(unsigned number);                // TCP: the connection, or what it brought, is no use

  // Nobody listens at this server's port: what was sent there is lost.
  void lost(std::size_t server);

 private:
  void ask(std::size_t server, Way way, Time now);
  std::optional<Attempt> forget(unsigned number);
  std::optional<Attempt> take(unsigned number, Time now);
  void due_over_udp(Time now);
  void step(Time now, bool late);
  void due_over_tcp(Time now, bool may_connect);
  void note_silence();
  bool is_left(std::size_t server) const;
  bool is_settling() const;
  bool is_waiting(Way way) const;
  Time next_over_udp() const;
  Time next_over_tcp() const;
  Time last_chance() const;
  std::optional<std::size_t> server_over_tcp() const;

  std::vector<Standing>& servers_;
  const Time asked_;
  std::vector<Attempt> attempts_;     // that may still bring an answer
  std::vector<Attempt> due_;
  unsigned numbers_ = 0;
  std::vector<bool> failed_;          // servers that have no answer to this question
  bool has_failure_ = false;          // a server said so
  bool over_ = false;

  // UDP
  std::vector<bool> in_round_;        // servers asked in this round
  unsigned round_ = 0;
  bool round_over_ = false;           // all were asked that should be
  unsigned doublings_ = 0;
  Time stepped_;                      // somebody was asked last

  // TCP
  std::optional<std::size_t> truncated_;  // by this server: UDP is over
  std::vector<unsigned> connections_; // to each server
  std::vector<bool> broken_;          // servers whose TCP is no use
  Time connected_{};                  // last
  bool held_ = false;                 // it would, and may not
};

}  // namespace spf
