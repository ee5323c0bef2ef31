// One DNS question, from when it is asked until there is an answer: what the
// schedule says is to be sent, over UDP or TCP, what comes back, and the names
// that CNAMEs lead to.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/base/socket_address.hh"
#include "spf/dns/dns_tcp.hh"
#include "spf/dns/resolver.hh"
#include "spf/dns/schedule.hh"
#include "spf/dns/udns.hh"

namespace spf {

// A check's door to one name server.
struct DnsServer {
  // `at` must outlive it. Throws std::bad_alloc.
  explicit DnsServer(const SocketAddress* at) : address(at), udp(*at) {}

  const SocketAddress* address;
  DnsUdp udp;
};

// What the questions of one check share.
struct DnsMeans {
  // A walled process has 64 descriptors (wall.hh).
  static constexpr unsigned most_connections = 32;

  std::vector<std::unique_ptr<DnsServer>> servers;
  std::vector<Standing> standings;  // of each of the servers
  unsigned questions_left;          // that may be asked, each link of CNAMEs being one
  unsigned connections = 0;         // open over TCP
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
  // the connections to watch besides the servers' own sockets. It is to be
  // called too when another question is done, which may leave it a connection.
  Clock::time_point next() const { return schedule_->next(); }
  void watch(std::vector<pollfd>& fds) const;

  // Takes what has come, and asks on where it is time.
  void advance();

  // Nobody listens at this server's port: what was sent there is lost.
  void forget(std::size_t server);

  // It is trouble from now on.
  void give_up() { finish({}); }

 private:
  // One of DnsMeans::most_connections.
  struct Connection {
    Connection(DnsMeans& means, std::size_t server, std::string_view query)
        : means(means), tcp(*means.servers[server]->address, query) {
      ++means.connections;
    }
    ~Connection() { --means.connections; }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    DnsMeans& means;
    DnsTcp tcp;
  };

  // An attempt of the schedule's on its way: one of the two.
  struct Attempt {
    unsigned number;
    std::size_t server;
    std::unique_ptr<DnsUdp::Query> query;
    std::unique_ptr<Connection> connection;
    std::uint16_t id;  // over the connection
  };

  void begin();
  void take_what_has_come();
  bool is_waiting(Attempt& attempt);
  void take(const Attempt& attempt);
  void take_packet(const Attempt& attempt);
  void take_response(const Attempt& attempt);
  void ask_what_is_due();
  void send(const Schedule::Attempt& due);
  void read(std::string_view message);
  void finish(Answer answer);

  DnsMeans& means_;
  const RrType type_;
  std::vector<std::string> names_;  // wire form: the one asked last, after the
                                    // aliases that led to it
  const Clock::time_point asked_ = Clock::now();
  std::optional<Schedule> schedule_;  // of that name
  std::vector<Attempt> attempts_;     // that may still bring an answer
  bool done_ = false;
  Answer answer_;
};

}  // namespace spf
