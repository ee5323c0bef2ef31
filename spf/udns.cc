#include "spf/udns.hh"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <udns.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <new>
#include <span>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "spf/dns_message.hh"
#include "spf/dns_tcp.hh"
#include "spf/name_servers.hh"
#include "spf/wall.hh"

namespace spf {

namespace {

using Clock = UdnsResolver::Clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

// udns counts whole seconds of time_t, and leaves the clock to its caller. So
// its second is made half of one: a second server is then asked after half a
// second, and a lone server again after the first timeout.
constexpr milliseconds tick{500};
constexpr int first_timeout = 2;  // ticks; doubles with each round
constexpr int most_rounds = 9;    // 1 + 2 + 4 + ... + 256 s: any deadline comes first

constexpr milliseconds tcp_patience{3000};  // with a server while others are left
constexpr std::size_t longest_alias_chain = 8;  // CNAMEs over several responses
constexpr std::uint16_t payload = DNS_EDNS0PACKET;

}  // namespace

// Only settle() and what it calls do more than note things down: the two
// functions that udns calls back must not throw through it.
struct UdnsResolver::Question {
  Engine* engine = nullptr;
  RrType type{};
  std::vector<std::string> names;  // wire form: the one asked last, after the
                                   // aliases that led to it
  Clock::time_point asked;
  std::vector<Follow> followers;
  bool done = false;
  Answer answer;

  // UDP: what udns reported
  dns_query* query = nullptr;
  bool ended = false;          // udns is done with it, and set what follows
  int status = 0;              // DNS_E_..., or the packet's size
  unsigned char* packet = nullptr;
  bool use_tcp = false;        // truncated, or no response at all

  // TCP
  std::unique_ptr<DnsTcp> tcp;
  std::size_t server = 0;      // index of the one that is asked
  std::size_t servers_left = 0;
  std::uint16_t id = 0;
  Clock::time_point give_up;

  ~Question() { free(packet); }
};

struct UdnsResolver::Engine {
  explicit Engine(Clock::time_point deadline);
  ~Engine() {
    if (context) dns_free(context);
  }

  Question& ask(std::string_view name, RrType type);
  void submit(Question& question);
  void wait();
  void expire();
  bool is_refused();

  int udp() const { return dns_sock(context); }
  time_t ticks() const { return 1 + (Clock::now() - start) / tick; }
  bool settle();
  void settle(Question& question);
  void next_tcp(Question& question);
  void read(Question& question, std::string_view message);
  void finish(Question& question, Answer answer);

  static void note_end(dns_ctx* context, void* result, void* data);
  static void note_packet(int code, const sockaddr* from, unsigned, dnscc_t* packet, int size,
                          const dns_query*, void* data);

  const Clock::time_point start = Clock::now(), deadline;
  bool expired = false;
  std::optional<Clock::time_point> first_refusal;
  Sealed sealed;
  std::span<const NameServer> servers;
  dns_ctx* context = nullptr;
  std::map<std::pair<std::string, RrType>, Question> questions;
};

UdnsResolver::Engine::Engine(Clock::time_point until) : deadline(until) {
  NameServers found = name_servers();
  sealed = seal(found.servers.data(), found.servers.size() * sizeof(NameServer));
  if (!sealed) throw std::bad_alloc();
  servers = {static_cast<const NameServer*>(sealed.get()), found.servers.size()};
  dns_reset(nullptr);  // the default context, from which new ones are copied
  context = dns_new(nullptr);
  if (!context) throw std::bad_alloc();
  for (const NameServer& server : servers)
    dns_add_serv_s(context, reinterpret_cast<const sockaddr*>(&server.address));
  dns_set_opts(context, found.options.c_str());
  // Its own timeout and attempts are for people who wait; here the deadline
  // says how long to go on.
  dns_set_opt(context, DNS_OPT_TIMEOUT, first_timeout);
  dns_set_opt(context, DNS_OPT_NTRIES, most_rounds);
  dns_set_dbgfn(context, note_packet);
  if (dns_open(context) < 0) {
    expired = true;
    return;
  }
  const int off = 0;  // IPv4 servers beside IPv6 ones; no matter where it fails
  setsockopt(udp(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  // Connected, a socket tells that nobody listens at the other end. With
  // several servers the next one is asked soon enough.
  if (servers.size() == 1)
    connect(udp(), reinterpret_cast<const sockaddr*>(&servers.front().address), servers.front().size);
}

UdnsResolver::Question& UdnsResolver::Engine::ask(std::string_view name, RrType type) {
  std::string key(name);
  if (key.ends_with('.')) key.pop_back();
  std::transform(key.begin(), key.end(), key.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  });
  const auto [place, is_new] = questions.try_emplace({key, type});
  Question& question = place->second;
  if (!is_new) return question;
  question.engine = this;
  question.type = type;
  question.asked = Clock::now();
  if (!is_dns_name(name)) {
    question.done = true;
    question.answer.status = Answer::Status::no_name;
  } else if (expired) {
    question.done = true;
  } else {
    question.names.push_back(to_wire(name));
    submit(question);
    dns_timeouts(context, -1, ticks());  // sends it
  }
  return question;
}

void UdnsResolver::Engine::submit(Question& question) {
  question.query = dns_submit_dn(context, reinterpret_cast<dnscc_t*>(question.names.back().c_str()),
                                 DNS_C_IN, int(question.type), DNS_NOSRCH, nullptr, note_end, &question);
  if (!question.query) throw std::bad_alloc();
}

void UdnsResolver::Engine::note_end(dns_ctx* context, void* result, void* data) {
  auto& question = *static_cast<Question*>(data);
  question.query = nullptr;
  question.ended = true;
  question.status = dns_status(context);
  question.packet = static_cast<unsigned char*>(result);
}

// udns takes a truncated answer for a failure of that server, shows it to
// nobody else, and does not look at the QR bit.
void UdnsResolver::Engine::note_packet(int code, const sockaddr* from, unsigned, dnscc_t* packet,
                                       int size, const dns_query*, void* data) {
  if (code != 0 || !data) return;  // 0: received, and it is for this question
  auto& question = *static_cast<Question*>(data);
  const std::string_view message(reinterpret_cast<const char*>(packet), std::size_t(size));
  if (is_response(message) && !(dns_rcode(packet) == DNS_R_NOERROR && is_truncated(message))) return;
  // udns has sent it on to the next server, whose answer may be here as well.
  if (std::exchange(question.use_tcp, true)) return;
  const auto& servers = question.engine->servers;
  for (std::size_t i = 0; i < servers.size(); ++i)
    if (same_server(servers[i], *from)) question.server = i;
}

// Waits until something happens, at most until the deadline, and deals with it.
void UdnsResolver::Engine::wait() {
  const time_t now_ticks = ticks();
  const int udns_ticks = dns_timeouts(context, -1, now_ticks);
  if (settle()) return;
  const auto now = Clock::now();
  if (now >= deadline) return expire();
  auto until = deadline;
  if (udns_ticks >= 0) until = std::min(until, start + tick * (now_ticks - 1 + udns_ticks));
  std::vector<pollfd> fds = {{udp(), POLLIN, 0}};
  std::vector<Question*> over_tcp = {nullptr};
  for (auto& [key, question] : questions) {
    if (!question.tcp) continue;
    fds.push_back({question.tcp->fd(), question.tcp->events(), 0});
    over_tcp.push_back(&question);
    until = std::min(until, question.give_up);
  }
  // One more, as the rest of a millisecond is cut off.
  const auto pause = duration_cast<milliseconds>(until - now).count() + 1;
  if (poll(fds.data(), fds.size(), int(std::clamp<long long>(pause, 0, 1000))) > 0) {
    if ((fds[0].revents & POLLERR) && is_refused()) return expire();
    if (fds[0].revents) dns_ioevent(context, ticks());
    for (std::size_t i = 1; i < fds.size(); ++i)
      if (fds[i].revents) over_tcp[i]->tcp->advance();
  }
  settle();
}

void UdnsResolver::Engine::expire() {
  expired = true;
  for (auto& [key, question] : questions)
    if (!question.done) finish(question, {});
}

// Whether nobody listens at the one server there is, and that not just for the
// moment in which it is started again: asked a second time, it refused again.
bool UdnsResolver::Engine::is_refused() {
  char octet;
  if (recv(udp(), &octet, sizeof octet, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != ECONNREFUSED) return false;
  if (!first_refusal) first_refusal = Clock::now();
  return Clock::now() - *first_refusal >= tick;
}

// Whether a question was answered.
bool UdnsResolver::Engine::settle() {
  bool progress = false;
  // A follower may ask more; the map keeps all other elements in place.
  for (auto& [key, question] : questions) {
    if (question.done) continue;
    settle(question);
    progress = progress || question.done;
  }
  dns_timeouts(context, -1, ticks());  // sends what aliases and followers ask
  return progress;
}

void UdnsResolver::Engine::settle(Question& question) {
  if (question.tcp) {
    const auto state = question.tcp->advance();
    if (state == DnsTcp::State::busy && Clock::now() < question.give_up) return;
    const std::string response(state == DnsTcp::State::done ? question.tcp->response() : "");
    const bool good = answers(response, question.id, question.names.back(), question.type) &&
                      !is_truncated(response);
    const unsigned code = good ? static_cast<unsigned char>(response[3]) & 0x0f : 0;
    if (good && (code == DNS_R_NOERROR || code == DNS_R_NXDOMAIN))
      read(question, response);
    else
      next_tcp(question);
    return;
  }
  if (question.use_tcp) {
    if (question.query) {
      dns_cancel(context, question.query);  // which leaves it to the caller
      free(std::exchange(question.query, nullptr));
    }
    question.use_tcp = question.ended = false;
    free(std::exchange(question.packet, nullptr));
    question.servers_left = servers.size() + 1;  // each once
    question.server += servers.size() - 1;  // next_tcp() goes one on
    next_tcp(question);
    return;
  }
  if (!std::exchange(question.ended, false)) return;
  Answer answer;
  switch (question.status) {
    case DNS_E_NXDOMAIN: answer.status = Answer::Status::no_name; break;
    case DNS_E_NODATA: answer.status = Answer::Status::no_data; break;
    default:
      if (question.packet) {
        const std::string message(reinterpret_cast<char*>(question.packet), std::size_t(question.status));
        free(std::exchange(question.packet, nullptr));
        return read(question, message);
      }
  }
  finish(question, std::move(answer));
}

// Starts with the next server that does not fail at once.
void UdnsResolver::Engine::next_tcp(Question& question) {
  do {
    question.tcp.reset();
    if (--question.servers_left == 0) return finish(question, {});
    question.server = (question.server + 1) % servers.size();
    if (getrandom(&question.id, sizeof question.id, 0) < 0) return finish(question, {});
    const auto now = Clock::now();
    question.give_up = question.servers_left > 1 ? std::min(deadline, now + tcp_patience) : deadline;
    question.tcp = std::make_unique<DnsTcp>(
        servers[question.server],
        make_query(question.id, question.names.back(), question.type, payload));
  } while (question.tcp->advance() == DnsTcp::State::failed);
}

void UdnsResolver::Engine::read(Question& question, std::string_view message) {
  Reading reading = read_response(message, question.type);
  question.tcp.reset();
  if (reading.alias.empty()) return finish(question, std::move(reading.answer));
  const auto& names = question.names;
  if (names.size() > longest_alias_chain ||
      std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return dns_dnequal(reinterpret_cast<dnscc_t*>(name.c_str()),
                           reinterpret_cast<dnscc_t*>(reading.alias.c_str()));
      }))
    return finish(question, {});
  question.names.push_back(std::move(reading.alias));
  submit(question);
}

void UdnsResolver::Engine::finish(Question& question, Answer answer) {
  question.tcp.reset();
  question.answer = std::move(answer);
  question.answer.milliseconds =
      unsigned(duration_cast<milliseconds>(Clock::now() - question.asked).count());
  question.done = true;
  for (const Follow& follow : std::exchange(question.followers, {})) follow(question.answer);
}

UdnsResolver::UdnsResolver(Clock::time_point deadline)
    : engine_(std::make_unique<Engine>(deadline)) {}

UdnsResolver::~UdnsResolver() = default;

void UdnsResolver::prefetch(std::string_view name, RrType type, Follow follow) {
  Question& question = engine_->ask(name, type);
  if (!follow) return;
  if (question.done)
    follow(question.answer);
  else
    question.followers.push_back(std::move(follow));
}

const Answer& UdnsResolver::lookup(std::string_view name, RrType type) {
  Question& question = engine_->ask(name, type);
  while (!question.done) engine_->wait();
  return question.answer;
}

}  // namespace spf
