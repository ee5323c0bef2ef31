#include "spf/dns/dns_resolver.hh"

#include <poll.h>
#include <sys/random.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "spf/dns/dns_message.hh"
#include "spf/dns/dns_tcp.hh"
#include "spf/dns/udns.hh"

namespace spf {

namespace {

using Clock = DnsResolver::Clock;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr milliseconds hedge{500};         // from one server to the next
constexpr milliseconds first_pause{1000};  // after the last one; doubles with each round
constexpr milliseconds tcp_patience{3000}; // with a server while others are left
constexpr std::size_t longest_alias_chain = 8;  // CNAMEs over several responses

}  // namespace

struct DnsResolver::Server {
  explicit Server(const SocketAddress* at) : address(at), udp(*at), gone(!udp.usable()) {}

  const SocketAddress* address;
  DnsUdp udp;
  bool gone;              // not asked any more in this check
  bool silent = false;    // when it was asked last
  bool refuses = false;   // to serve us, as it said once
  std::optional<Clock::time_point> closed;  // since when nobody listens at its port
  Clock::time_point heard{};                // its last packet

  // Asked after the others, and not waited for.
  bool doubtful() const { return silent || refuses || closed; }

  void note_heard() {
    heard = Clock::now();
    silent = false;
    closed.reset();
  }
};

// One packet to one server.
struct DnsResolver::Attempt {
  std::size_t server;
  Clock::time_point sent;
  std::unique_ptr<DnsUdp::Query> query;
};

struct DnsResolver::Question {
  RrType type{};
  std::vector<std::string> names;  // wire form: the one asked last, after the
                                   // aliases that led to it
  Clock::time_point asked;
  std::vector<Follow> followers;
  bool done = false;
  Answer answer;

  // UDP
  std::vector<Attempt> attempts;   // that may still bring an answer
  std::vector<bool> failed;        // servers that have no answer to this question
  std::vector<bool> in_round;      // servers asked in this round
  unsigned round = 0;
  bool round_over = false;         // all were asked
  bool has_failure = false;        // a server said so
  Clock::time_point next;          // when to go on, answer or not

  // TCP, where use_tcp
  bool use_tcp = false;
  std::unique_ptr<DnsTcp> tcp;
  std::vector<std::size_t> tcp_servers;  // still to be asked, the next one last
  std::uint16_t id = 0;
};

struct DnsResolver::Engine {
  Engine(Clock::time_point until, const std::vector<const SocketAddress*>& addresses, unsigned most)
      : deadline(until), most_questions(most) {
    servers.reserve(addresses.size());
    for (const SocketAddress* address : addresses)
      servers.push_back(std::make_unique<Server>(address));
  }

  Question& ask(std::string_view name, RrType type);
  void begin(Question& question);
  void wait();
  void expire();

  bool settle();
  void settle(Question& question);
  void take(Question& question, Attempt& attempt);
  void send(Question& question);
  void send_to(Question& question, std::size_t server);
  void note_silence(const Question& question);
  void note_closed(std::size_t server);
  bool anybody_good(const Question& question) const;
  void settle_doubtful(Question& question);
  void begin_tcp(Question& question, std::size_t first);
  void settle_tcp(Question& question);
  void next_tcp(Question& question);
  void read(Question& question, std::string_view message);
  void finish(Question& question, Answer answer);

  const Clock::time_point deadline;
  bool expired = false;
  const unsigned most_questions;
  unsigned asked = 0;
  std::vector<std::unique_ptr<Server>> servers;
  std::map<std::pair<std::string, RrType>, Question> questions;
};

DnsResolver::Question& DnsResolver::Engine::ask(std::string_view name, RrType type) {
  const auto [place, is_new] = questions.try_emplace({canonical_name(name), type});
  Question& question = place->second;
  if (!is_new) return question;
  question.type = type;
  question.asked = Clock::now();
  if (!is_dns_name(name)) {
    question.done = true;
    question.answer.status = Answer::Status::no_name;
  } else if (expired) {
    question.done = true;
  } else {
    question.names.push_back(to_wire(name));
    begin(question);
  }
  return question;
}

// Asks for the last of the question's names.
void DnsResolver::Engine::begin(Question& question) {
  if (asked == most_questions) {
    Answer answer;
    answer.over_bound = true;
    return finish(question, std::move(answer));
  }
  ++asked;
  question.use_tcp = false;
  question.attempts.clear();
  question.failed.assign(servers.size(), false);
  question.in_round.assign(servers.size(), false);
  question.round = 0;
  question.round_over = question.has_failure = false;
  send(question);
}

// Goes on with a question: to the next server of this round, or to the next round.
void DnsResolver::Engine::send(Question& question) {
  if (std::exchange(question.round_over, false)) {
    ++question.round;
    question.in_round.assign(servers.size(), false);
  }
  std::vector<std::size_t> good, doubtful;
  bool any = false;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    if (servers[i]->gone || question.failed[i]) continue;
    any = true;
    if (!question.in_round[i]) (servers[i]->doubtful() ? doubtful : good).push_back(i);
  }
  if (!any) return finish(question, {});
  const auto now = Clock::now();
  if (!good.empty()) send_to(question, good.front());
  question.next = now + hedge;
  if (good.size() > 1) return;
  // A server in doubt is no use to a question that the others answer at once.
  if (good.empty() || question.round > 0)
    for (const std::size_t i : doubtful) send_to(question, i);
  else if (!doubtful.empty())
    return;
  question.round_over = true;
  question.next = now + first_pause * (1u << std::min(question.round, 10u));
}

void DnsResolver::Engine::send_to(Question& question, std::size_t server) {
  question.in_round[server] = true;
  question.attempts.push_back(
      {server, Clock::now(), servers[server]->udp.ask(question.names.back(), question.type)});
}

// Waits until something happens, at most until the deadline, and deals with it.
void DnsResolver::Engine::wait() {
  if (settle()) return;
  const auto now = Clock::now();
  if (now >= deadline) return expire();
  auto until = deadline;
  std::vector<pollfd> fds;
  for (const auto& server : servers) fds.push_back({server->gone ? -1 : server->udp.fd(), POLLIN, 0});
  for (const auto& [key, question] : questions) {
    if (question.done) continue;
    until = std::min(until, question.next);
    if (question.tcp) fds.push_back({question.tcp->fd(), question.tcp->events(), 0});
  }
  // One more, as the rest of a millisecond is cut off.
  const auto pause = duration_cast<milliseconds>(until - now).count() + 1;
  if (poll(fds.data(), fds.size(), int(std::clamp<long long>(pause, 0, 1000))) > 0)
    for (std::size_t i = 0; i < servers.size(); ++i) {
      if (!fds[i].revents) continue;
      if (servers[i]->udp.receive())
        servers[i]->note_heard();
      else
        note_closed(i);
    }
  settle();
}

void DnsResolver::Engine::expire() {
  expired = true;
  for (auto& [key, question] : questions)
    if (!question.done) finish(question, {});
}

// Nobody listens at the server's port. That may be just for the moment in which
// it is started again.
void DnsResolver::Engine::note_closed(std::size_t index) {
  Server& server = *servers[index];
  const auto now = Clock::now();
  if (!server.closed) server.closed = now;
  server.gone = now - *server.closed >= hedge;
  for (auto& [key, question] : questions)
    std::erase_if(question.attempts,
                  [index](const Attempt& attempt) { return attempt.server == index; });
}

// Servers from which nothing has come since they were asked this.
void DnsResolver::Engine::note_silence(const Question& question) {
  for (const Attempt& attempt : question.attempts)
    if (Server& server = *servers[attempt.server]; server.heard < attempt.sent) server.silent = true;
}

// Whether a question was answered.
bool DnsResolver::Engine::settle() {
  bool progress = false;
  // A follower may ask more; the map keeps all other elements in place.
  for (auto& [key, question] : questions) {
    if (question.done) continue;
    settle(question);
    progress = progress || question.done;
  }
  return progress;
}

void DnsResolver::Engine::settle(Question& question) {
  if (question.use_tcp) return settle_tcp(question);
  for (std::size_t i = 0; i < question.attempts.size();) {
    if (question.attempts[i].query->state() == DnsUdp::Query::State::waiting) {
      ++i;
      continue;
    }
    Attempt attempt = std::move(question.attempts[i]);
    question.attempts.erase(question.attempts.begin() + std::ptrdiff_t(i));
    take(question, attempt);
    if (question.done || question.use_tcp) return;
    if (question.attempts.empty()) break;  // or it asks for another name now
  }
  const bool late = Clock::now() >= question.next;
  if (late) note_silence(question);
  if (question.has_failure && !anybody_good(question)) return settle_doubtful(question);
  if (late || (question.attempts.empty() && !question.round_over)) return send(question);
  // Where all servers have failed there is nothing to wait for.
  const auto left = [&](std::size_t i) { return !servers[i]->gone && !question.failed[i]; };
  for (std::size_t i = 0; i < servers.size(); ++i)
    if (left(i)) return;
  finish(question, {});
}

// Whether a server is left for the question, of which there is no doubt.
bool DnsResolver::Engine::anybody_good(const Question& question) const {
  for (std::size_t i = 0; i < servers.size(); ++i)
    if (!servers[i]->gone && !question.failed[i] && !servers[i]->doubtful()) return true;
  return false;
}

// Somebody has answered, if only with a failure: who is in doubt gets a hedge
// of time for what the others could not say.
void DnsResolver::Engine::settle_doubtful(Question& question) {
  for (std::size_t i = 0; i < servers.size(); ++i)
    if (!servers[i]->gone && !question.failed[i] && !question.in_round[i]) send_to(question, i);
  question.next = question.asked;
  for (const Attempt& attempt : question.attempts)
    if (!servers[attempt.server]->gone) question.next = std::max(question.next, attempt.sent + hedge);
  if (question.attempts.empty() || Clock::now() >= question.next) finish(question, {});
}

// What has become of one packet.
void DnsResolver::Engine::take(Question& question, Attempt& attempt) {
  using State = DnsUdp::Query::State;
  Server& server = *servers[attempt.server];
  Answer answer;
  switch (attempt.query->state()) {
    case State::waiting: return;
    case State::no_name: answer.status = Answer::Status::no_name; break;
    case State::no_data: answer.status = Answer::Status::no_data; break;
    case State::response: return read(question, attempt.query->response());
    case State::truncated: return begin_tcp(question, attempt.server);
    case State::refused:
      server.refuses = true;
      question.failed[attempt.server] = true;
      return;
    case State::failed:
      question.has_failure = question.failed[attempt.server] = true;
      return;
  }
  finish(question, std::move(answer));
}

// The server whose answer was truncated is asked first, and each once.
void DnsResolver::Engine::begin_tcp(Question& question, std::size_t first) {
  question.use_tcp = true;
  question.attempts.clear();
  question.tcp_servers.clear();
  for (const bool doubtful : {true, false})
    for (std::size_t i = servers.size(); i-- > 0;)
      if (i != first && !servers[i]->gone && servers[i]->doubtful() == doubtful)
        question.tcp_servers.push_back(i);
  question.tcp_servers.push_back(first);
  next_tcp(question);
}

void DnsResolver::Engine::settle_tcp(Question& question) {
  const auto state = question.tcp->advance();
  if (state == DnsTcp::State::busy && Clock::now() < question.next) return;
  const std::string response(state == DnsTcp::State::done ? question.tcp->response() : "");
  const bool good = answers(response, question.id, question.names.back(), question.type) &&
                    !is_truncated(response) && is_decided(response);
  if (good)
    read(question, response);
  else
    next_tcp(question);
}

// Starts with the next server that does not fail at once.
void DnsResolver::Engine::next_tcp(Question& question) {
  do {
    question.tcp.reset();
    if (question.tcp_servers.empty()) return finish(question, {});
    const std::size_t server = question.tcp_servers.back();
    question.tcp_servers.pop_back();
    if (getrandom(&question.id, sizeof question.id, 0) < 0) return finish(question, {});
    question.next = question.tcp_servers.empty() ? deadline
                                                 : std::min(deadline, Clock::now() + tcp_patience);
    question.tcp = std::make_unique<DnsTcp>(
        *servers[server]->address, make_query(question.id, question.names.back(), question.type));
  } while (question.tcp->advance() == DnsTcp::State::failed);
}

void DnsResolver::Engine::read(Question& question, std::string_view message) {
  Reading reading = read_response(message, question.type);
  question.tcp.reset();
  if (reading.alias.empty()) return finish(question, std::move(reading.answer));
  const auto& names = question.names;
  if (names.size() > longest_alias_chain ||
      std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return equal_names(name, reading.alias);
      }))
    return finish(question, {});
  question.names.push_back(std::move(reading.alias));
  begin(question);
}

void DnsResolver::Engine::finish(Question& question, Answer answer) {
  question.tcp.reset();
  question.attempts.clear();
  question.answer = std::move(answer);
  question.answer.milliseconds =
      unsigned(duration_cast<milliseconds>(Clock::now() - question.asked).count());
  question.done = true;
  for (const Follow& follow : std::exchange(question.followers, {})) follow(question.answer);
}

DnsResolver::DnsResolver(Clock::time_point deadline,
                           const std::vector<const SocketAddress*>& servers,
                           unsigned most_questions)
    : engine_(std::make_unique<Engine>(deadline, servers, most_questions)) {}

DnsResolver::~DnsResolver() = default;

void DnsResolver::prefetch(std::string_view name, RrType type, Follow follow) {
  Question& question = engine_->ask(name, type);
  if (!follow) return;
  if (question.done)
    follow(question.answer);
  else
    question.followers.push_back(std::move(follow));
}

const Answer& DnsResolver::lookup(std::string_view name, RrType type) {
  Question& question = engine_->ask(name, type);
  while (!question.done) engine_->wait();
  return question.answer;
}

}  // namespace spf
