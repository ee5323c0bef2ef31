#include "spf/dns/dns_resolver.hh"

#include <poll.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "spf/dns/dns_question.hh"

namespace spf {

struct DnsResolver::Engine {
  // An answer, or the question for it that is still out.
  struct Entry {
    std::optional<DnsQuestion> question;
    std::vector<Follow> followers;
    Answer answer;
  };

  Engine(Clock::time_point last, const std::vector<const SocketAddress*>& addresses, unsigned most)
      : deadline(last), means{{}, std::vector<Standing>(addresses.size()), most} {
    means.servers.reserve(addresses.size());
    for (const SocketAddress* address : addresses) {
      means.servers.push_back(std::make_unique<DnsServer>(address));
      means.standings[means.servers.size() - 1].gone = !means.servers.back()->udp.usable();
    }
  }

  Entry& ask(std::string_view name, RrType type);
  void wait();
  void receive(std::size_t server);
  bool settle();
  void expire();
  void close(Entry& entry);

  const Clock::time_point deadline;
  DnsMeans means;
  bool expired = false;
  std::map<std::pair<std::string, RrType>, Entry> entries;
};

DnsResolver::Engine::Entry& DnsResolver::Engine::ask(std::string_view name, RrType type) {
  const auto [place, is_new] = entries.try_emplace({canonical_name(name), type});
  Entry& entry = place->second;
  if (!is_new) return entry;
  if (!is_dns_name(name)) {
    entry.answer.status = Answer::Status::no_name;
  } else if (!expired) {
    entry.question.emplace(means, name, type);
    if (entry.question->done()) close(entry);
  }
  return entry;
}

// Waits until something happens, at most until the deadline, and deals with it.
void DnsResolver::Engine::wait() {
  if (settle()) return;
  const auto now = Clock::now();
  if (now >= deadline) return expire();
  auto until = deadline;
  std::vector<pollfd> fds;
  for (std::size_t i = 0; i < means.servers.size(); ++i)
    fds.push_back({means.standings[i].gone ? -1 : means.servers[i]->udp.fd(), POLLIN, 0});
  for (const auto& [key, entry] : entries) {
    if (!entry.question) continue;
    until = std::min(until, entry.question->next());
    entry.question->watch(fds);
  }
  // One more, as the rest of a millisecond is cut off.
  const auto pause = std::chrono::duration_cast<std::chrono::milliseconds>(until - now).count() + 1;
  if (poll(fds.data(), fds.size(), int(std::clamp<long long>(pause, 0, 1000))) > 0)
    for (std::size_t i = 0; i < means.servers.size(); ++i)
      if (fds[i].revents) receive(i);
  settle();
}

void DnsResolver::Engine::receive(std::size_t index) {
  Standing& standing = means.standings[index];
  if (means.servers[index]->udp.receive()) return standing.note_heard(Clock::now());
  standing.note_closed(Clock::now());
  for (auto& [key, entry] : entries)
    if (entry.question) entry.question->forget(index);
}

// Whether a question was answered.
bool DnsResolver::Engine::settle() {
  bool progress = false;
  // A follower may ask more; the map keeps all other elements in place.
  for (auto& [key, entry] : entries) {
    if (!entry.question) continue;
    entry.question->advance();
    if (!entry.question->done()) continue;
    close(entry);
    progress = true;
  }
  return progress;
}

void DnsResolver::Engine::expire() {
  expired = true;
  for (auto& [key, entry] : entries) {
    if (!entry.question) continue;
    entry.question->give_up();
    close(entry);
  }
}

void DnsResolver::Engine::close(Entry& entry) {
  entry.answer = std::move(entry.question->answer());
  entry.question.reset();
  for (const Follow& follow : std::exchange(entry.followers, {})) follow(entry.answer);
}

DnsResolver::DnsResolver(Clock::time_point deadline,
                           const std::vector<const SocketAddress*>& servers,
                           unsigned most_questions)
    : engine_(std::make_unique<Engine>(deadline, servers, most_questions)) {}

DnsResolver::~DnsResolver() = default;

void DnsResolver::prefetch(std::string_view name, RrType type, Follow follow) {
  Engine::Entry& entry = engine_->ask(name, type);
  if (!follow) return;
  if (entry.question)
    entry.followers.push_back(std::move(follow));
  else
    follow(entry.answer);
}

const Answer& DnsResolver::lookup(std::string_view name, RrType type) {
  Engine::Entry& entry = engine_->ask(name, type);
  while (entry.question) engine_->wait();
  return entry.answer;
}

}  // namespace spf
