// A DNS server on loopback, in a thread of the test's own process, for tests
// that want real packets: a small zone, UDP and TCP on one free port, and
// every fault a name server can have.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

class DnsServer {
 public:
  enum Type : std::uint16_t { A = 1, CNAME = 5, PTR = 12, MX = 15, TXT = 16, AAAA = 28, SPF = 99 };

  // Listens at 127.0.0.1, or at `address` (127.0.0.2, ::1, ...); at a given
  // `port`, or at any that is free. Throws std::runtime_error.
  explicit DnsServer(const std::string& address = "127.0.0.1", unsigned port = 0);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  const std::string& address() const { return address_; }
  unsigned port() const { return port_; }

  // Makes this server, and the others at the same port, the ones that
  // name_servers() finds in this process.
  void use(const std::vector<const DnsServer*>& others = {}) const;

  // The zone: everything that is not in it is NXDOMAIN. Names as text, any
  // octets; dots separate labels.
  void clear();
  void add(std::string_view name, std::uint16_t type, const std::string& rdata);
  void a(std::string_view name, const std::string& address);
  void aaaa(std::string_view name, const std::string& address);
  void mx(std::string_view name, unsigned preference, std::string_view exchange);
  void ptr(std::string_view name, std::string_view target);
  void cname(std::string_view name, std::string_view target);
  void txt(std::string_view name, std::string_view text);  // cut into strings of 255
  void txt_strings(std::string_view name, const std::vector<std::string>& strings);
  static std::string wire(std::string_view name);

  // Faults. This one holds for questions about `name` (of `type`, or of every
  // type that has no records there when 0), `times` times.
  enum class Fault { silence, servfail, refused, truncated };
  void fault(std::string_view name, Fault fault, std::uint16_t type = 0, unsigned times = ~0u);
  void delay(std::chrono::milliseconds pause);  // before every answer
  void udp_limit(std::size_t octets);           // at most, whatever EDNS offers
  void tcp(bool on);                            // off: connections are closed at once
  void cname_alone(bool on);                    // answers hold no more than the CNAME

  // Answers whatever it likes: given the query, the messages to send (over
  // TCP without their lengths); nothing: as the zone says.
  using Script = std::function<std::optional<std::vector<std::string>>(const std::string&, bool tcp)>;
  void script(Script script);

  struct Question {
    std::string name;  // lower case
    std::uint16_t type;
    bool tcp;
    bool operator==(const Question&) const = default;
  };
  std::vector<Question> seen();  // and forgets them

  // The same as they came over the wire, with the port over UDP, 0 over TCP.
  struct Packet {
    std::string message;
    unsigned port;
  };
  std::vector<Packet> packets();  // and forgets them

  // The zone's answer to a query, for a script to spoil.
  std::string answer(const std::string& query, bool tcp);

 private:
  struct Connection {
    int fd;
    std::string in;
  };
  struct Reply {
    std::chrono::steady_clock::time_point due;
    int fd;
    std::string to;  // sockaddr; empty: TCP
    std::string message;
  };
  struct Faulty {
    Fault fault;
    std::uint16_t type;
    unsigned times;
  };

  void run();
  void handle(const std::string& query, int fd, const std::string& from);
  void send_due();
  std::string answer_unlocked(const std::string& query, bool tcp, bool& silent);

  std::string address_;
  unsigned port_ = 0;
  int udp_ = -1, tcp_ = -1, stop_[2] = {-1, -1};
  std::vector<Connection> connections_;
  std::vector<Reply> replies_;
  std::thread thread_;

  std::mutex mutex_;  // guards what follows
  std::map<std::pair<std::string, std::uint16_t>, std::vector<std::string>> zone_;
  std::multimap<std::string, Faulty> faults_;
  std::chrono::milliseconds delay_{0};
  std::size_t udp_limit_ = 65535;
  bool tcp_on_ = true, cname_alone_ = false;
  Script script_;
  std::vector<Question> seen_;
  std::vector<Packet> packets_;
};
