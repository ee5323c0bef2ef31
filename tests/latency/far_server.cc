#include "tests/latency/far_server.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace latency {

namespace {

// Of the kernel's clock, since that is what it stamps packets with.
using Time = std::chrono::nanoseconds;

Time time_of(const timespec& t) { return std::chrono::seconds(t.tv_sec) + Time(t.tv_nsec); }

Time now() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return time_of(t);
}

// 127.0.0.0/8 has 24 bits: two for the server, so that no address ends in all
// zeros or ones, and the check.
constexpr unsigned check_bits = 20;

std::uint32_t address_of(unsigned check, unsigned server) {
  return 127u << 24 | (server + 1) << 22 | (check << 1 | 1);
}
unsigned check_of(std::uint32_t address) { return (address & ((2u << check_bits) - 1)) >> 1; }

// TCP repeats a lost packet, as Linux does: of the handshake after a second, of
// the rest after a round trip and 200 ms, twice as long each time.
constexpr Time first_handshake_timeout = std::chrono::seconds(1);
constexpr Time least_timeout = std::chrono::milliseconds(200);

std::uint64_t next_random(std::uint64_t& state) {  // splitmix64
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

double Lateness::milliseconds(double share) const {
  double all = 0, sum = 0;
  for (const auto& count : answers) all += count;
  std::size_t i = 0;
  for (; i + 1 < classes && (sum += answers[i]) < share * all; ++i) continue;
  return double(i + 1) / 10;
}

// In memory that the server's process shares with ours.
struct FarServer::Shared {
  struct Check {
    std::atomic<std::int64_t> round_trip;
    std::atomic<double> loss;
    std::atomic<std::uint64_t> random;
    Traffic traffic;
  };
  Lateness lateness;
  Check checks[];
};

class FarServerProcess {
 public:
  FarServerProcess(FarServer::Shared& shared, unsigned most_checks, const DnsServer& zone, int udp, int tcp)
      : shared_(shared), most_checks_(most_checks), zone_(const_cast<DnsServer&>(zone)), udp_(udp), tcp_(tcp) {}

  [[noreturn]] void run() {
    for (;;) {
      wait();
      take_datagrams();
      take_connections();
      for (const auto& connection : std::vector(connections_)) take_stream(*connection);
      send_due();
    }
  }

 private:
  using Check = FarServer::Shared::Check;

  struct Connection {
    int fd;
    Check* check;
    unsigned number;
    Time ready;  // when the handshake is over
    std::string in = {};
    bool closed = false;
    ~Connection() { close(fd); }
  };
  struct Answer {
    Time due;
    std::string message;
    std::shared_ptr<Connection> connection;  // null: UDP
    sockaddr_in to;
    in_addr from;
    Check* check;
    bool operator<(const Answer& other) const { return due > other.due; }
  };

  Check* find(in_addr address, unsigned& number) {
    number = check_of(ntohl(address.s_addr));
    return number < most_checks_ ? &shared_.checks[number] : nullptr;
  }

  static bool loses(Check& check) {
    std::uint64_t state = check.random;
    const double drawn = double(next_random(state) >> 11) / double(1ull << 53);
    check.random = state;
    const bool lost = drawn < check.loss;
    if (lost) ++check.traffic.lost;
    return lost;
  }

  // What repeating costs until a packet and the one that answers it get through.
  static Time repeats(Check& check, Time timeout) {
    Time cost{0};
    for (; loses(check) || loses(check); timeout *= 2) cost += timeout;
    return cost;
  }

  void note(Check& check, unsigned number, const std::string& query) {
    ++check.traffic.sent;
    const std::size_t end = query.find('\0', 12);
    std::string question = query.substr(12, end + 3 - 12);
    for (char& c : question)
      if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    if (questions_[number].insert(question).second) ++check.traffic.questions;
  }

  void take_datagrams() {
    for (;;) {
      char bytes[4096];
      alignas(cmsghdr) char control[256];
      sockaddr_in from;
      iovec part = {bytes, sizeof bytes};
      msghdr heading{};
      heading.msg_name = &from;
      heading.msg_namelen = sizeof from;
      heading.msg_iov = &part;
      heading.msg_iovlen = 1;
      heading.msg_control = control;
      heading.msg_controllen = sizeof control;
      const ssize_t size = recvmsg(udp_, &heading, MSG_DONTWAIT);
      if (size < 0) return;
      in_addr to{};
      Time came = now();
      for (cmsghdr* c = CMSG_FIRSTHDR(&heading); c; c = CMSG_NXTHDR(&heading, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
          to = reinterpret_cast<in_pktinfo*>(CMSG_DATA(c))->ipi_addr;
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
          came = time_of(*reinterpret_cast<timespec*>(CMSG_DATA(c)));
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL)
          shared_.lateness.overflows = *reinterpret_cast<std::uint32_t*>(CMSG_DATA(c));
      }
      unsigned number;
      Check* const check = find(to, number);
      if (!check || size < 17) continue;
      const std::string query(bytes, std::size_t(size));
      note(*check, number, query);
      if (loses(*check) || loses(*check)) continue;
      answers_.push({came + std::chrono::microseconds(check->round_trip), zone_.answer(query, false), nullptr,
                     from, to, check});
    }
  }

  void take_connections() {
    for (;;) {
      const int fd = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) return;
      sockaddr_in own;
      socklen_t size = sizeof own;
      unsigned number = 0;
      Check* check = nullptr;
      if (getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0) check = find(own.sin_addr, number);
      if (!check) {
        close(fd);
        continue;
      }
      ++check->traffic.sent;
      const Time handshake = std::chrono::microseconds(check->round_trip) + repeats(*check, first_handshake_timeout);
      connections_.push_back(std::make_shared<Connection>(fd, check, number, now() + handshake));
    }
  }

  void take_stream(Connection& connection) {
    char bytes[4096];
    const ssize_t size = recv(connection.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN)) {
      connection.closed = true;
      std::erase_if(connections_, [&](const auto& one) { return one.get() == &connection; });
      return;
    }
    if (size > 0) connection.in.append(bytes, std::size_t(size));
    const auto length = [&] {
      const auto at = [&](int i) { return static_cast<unsigned char>(connection.in[std::size_t(i)]); };
      return std::size_t(at(0)) << 8 | at(1);
    };
    while (connection.in.size() >= 2 && connection.in.size() >= 2 + length()) {
      const std::string query = connection.in.substr(2, length());
      connection.in.erase(0, 2 + query.size());
      if (query.size() < 17) continue;
      note(*connection.check, connection.number, query);
      const Time round_trip = std::chrono::microseconds(connection.check->round_trip);
      const Time due = std::max(now(), connection.ready) + round_trip +
                       repeats(*connection.check, round_trip + least_timeout);
      const std::string message = zone_.answer(query, true);
      const auto self = std::find_if(connections_.begin(), connections_.end(),
                                     [&](const auto& one) { return one.get() == &connection; });
      const char size_of_it[] = {char(message.size() >> 8), char(message.size())};
      answers_.push({due, std::string(size_of_it, 2) + message, *self, {}, {}, connection.check});
    }
  }

  void send_due() {
    for (Time at; !answers_.empty() && answers_.top().due <= (at = now()); answers_.pop()) {
      const Answer& answer = answers_.top();
      const auto late = std::size_t((at - answer.due) / std::chrono::microseconds(100));
      ++shared_.lateness.answers[std::min(late, Lateness::classes - 1)];
      ++answer.check->traffic.answered;
      if (!answer.connection)
        send_datagram(answer);
      else if (!answer.connection->closed)
        send(answer.connection->fd, answer.message.data(), answer.message.size(), MSG_NOSIGNAL);
    }
  }

  // From the address that was asked.
  void send_datagram(const Answer& answer) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo))] = {};
    iovec part = {const_cast<char*>(answer.message.data()), answer.message.size()};
    msghdr heading{};
    heading.msg_name = const_cast<sockaddr_in*>(&answer.to);
    heading.msg_namelen = sizeof answer.to;
    heading.msg_iov = &part;
    heading.msg_iovlen = 1;
    heading.msg_control = control;
    heading.msg_controllen = sizeof control;
    cmsghdr* const c = CMSG_FIRSTHDR(&heading);
    c->cmsg_level = IPPROTO_IP;
    c->cmsg_type = IP_PKTINFO;
    c->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    info.ipi_spec_dst = answer.from;
    std::memcpy(CMSG_DATA(c), &info, sizeof info);
    sendmsg(udp_, &heading, MSG_DONTWAIT);
  }

  void wait() {
    std::vector<pollfd> fds = {{udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
    for (const auto& connection : connections_) fds.push_back({connection->fd, POLLIN, 0});
    timespec pause{};
    if (!answers_.empty()) {
      const Time left = std::max(answers_.top().due - now(), Time(0));
      pause = {time_t(left.count() / 1'000'000'000), long(left.count() % 1'000'000'000)};
    }
    ppoll(fds.data(), fds.size(), answers_.empty() ? nullptr : &pause, nullptr);
  }

  FarServer::Shared& shared_;
  const unsigned most_checks_;
  DnsServer& zone_;
  const int udp_, tcp_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::priority_queue<Answer> answers_;
  std::map<unsigned, std::set<std::string>> questions_;  // by check
};

namespace {

// The same port for both, at all addresses.
bool open(unsigned port, int& udp, int& tcp) {
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(std::uint16_t(port));
  const auto* generic = reinterpret_cast<const sockaddr*>(&any);
  socklen_t size = sizeof any;
  const int on = 1, buffer = 8 << 20;
  udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  setsockopt(udp, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  setsockopt(udp, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  setsockopt(udp, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  if (setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) < 0)
    setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(udp, generic, size) == 0 && getsockname(udp, reinterpret_cast<sockaddr*>(&any), &size) == 0 &&
      bind(tcp, generic, size) == 0 && listen(tcp, 1000) == 0)
    return true;
  close(udp);
  close(tcp);
  return false;
}

}  // namespace

FarServer::FarServer(const std::function<void(DnsServer&)>& publish, unsigned most_checks, unsigned port)
    : shared_size_(sizeof(Shared) + most_checks * sizeof(Shared::Check)), most_checks_(most_checks) {
  if (most_checks > 1u << check_bits) throw std::runtime_error("too many checks");
  int udp, tcp;
  // A port that is free for UDP may be taken for TCP: then try the next.
  for (int attempts = 50; !open(port, udp, tcp);)
    if (port != 0 || --attempts == 0) throw std::runtime_error("no port for the name server");
  sockaddr_in own;
  socklen_t size = sizeof own;
  getsockname(udp, reinterpret_cast<sockaddr*>(&own), &size);
  port_ = ntohs(own.sin_port);
  void* const memory =
      mmap(nullptr, shared_size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("no memory to share");
  shared_ = static_cast<Shared*>(memory);
  const pid_t parent = getpid();
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    setpriority(PRIO_PROCESS, 0, -10);  // where we may
    DnsServer zone;
    publish(zone);
    FarServerProcess(*shared_, most_checks_, zone, udp, tcp).run();
  }
  close(udp);
  close(tcp);
  if (process_ < 0) {
    munmap(shared_, shared_size_);
    throw std::runtime_error("no process for the name server");
  }
}

FarServer::~FarServer() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  munmap(shared_, shared_size_);
}

std::string FarServer::address(unsigned check, unsigned server) {
  const in_addr address{htonl(address_of(check, server))};
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, &address, text, sizeof text);
}

void FarServer::set(unsigned check, const Line& line) {
  auto& its = shared_->checks[check];
  its.round_trip = line.round_trip.count();
  its.loss = line.loss;
  // Or seeds that follow one another would have the same numbers, shifted by one.
  std::uint64_t state = ~line.seed;
  its.random = next_random(state);
}

const Traffic& FarServer::traffic(unsigned check) const { return shared_->checks[check].traffic; }
const Lateness& FarServer::lateness() const { return shared_->lateness; }

}  // namespace latency
