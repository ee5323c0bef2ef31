#include "tests/support/virtual_network.hh"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace test {

using namespace std::chrono_literals;
using std::chrono::microseconds;
using spf::Answer;
using spf::Schedule;

std::size_t VirtualNetwork::packets() const {
  std::size_t count = 0;
  for (const VirtualServer& server : servers) count += server.packets.size();
  return count;
}

VirtualResolver::VirtualResolver(VirtualNetwork& network, std::chrono::milliseconds patience,
                                 unsigned most_connections)
    : network_(network),
      deadline_(network.time + patience),
      most_connections_(most_connections),
      standings_(network.servers.size()) {}

VirtualResolver::Question& VirtualResolver::ask(const Key& key) {
  const auto [place, is_new] = questions_.try_emplace(key, Question{Schedule(standings_, now())});
  if (is_new && network_.time >= deadline_) place->second.answer = Answer();
  if (is_new) ask_what_is_due();
  return place->second;
}

void VirtualResolver::prefetch(std::string_view name, spf::RrType type, Follow follow) {
  Question& question = ask({std::string(name), type});
  if (!follow) return;
  if (question.answer)
    follow(*question.answer);
  else
    question.followers.push_back(std::move(follow));
}

const Answer& VirtualResolver::lookup(std::string_view name, spf::RrType type) {
  Question& question = ask({std::string(name), type});
  while (!question.answer) wait();
  return *question.answer;
}

void VirtualResolver::finish(Question& question, const Answer& answer) {
  question.answer = answer;
  question.attempts.clear();
  for (const Follow& follow : std::exchange(question.followers, {})) follow(answer);
}

void VirtualResolver::ask_what_is_due() {
  const auto is_tcp = [](const auto& attempt) { return attempt.second.way == Schedule::Way::tcp; };
  std::size_t connections = 0;
  for (const auto& [key, question] : questions_)
    connections += std::size_t(std::count_if(question.attempts.begin(), question.attempts.end(), is_tcp));
  for (auto& [key, question] : questions_) {
    if (question.answer) continue;
    for (const Attempt& attempt : question.schedule.due(now(), connections < most_connections_)) {
      connections += attempt.way == Schedule::Way::tcp;
      question.attempts.insert({attempt.number, attempt});
      send(key, attempt);
    }
    if (question.schedule.over()) finish(question, {});
  }
}

void VirtualResolver::send(const Key& key, const Attempt& attempt) {
  network_.servers[attempt.server].packets.push_back({network_.now(), key.first, attempt.way});
  attempt.way == Schedule::Way::udp ? send_packet(key, attempt) : connect(key, attempt);
}

void VirtualResolver::send_packet(const Key& key, const Attempt& attempt) {
  VirtualServer& server = network_.servers[attempt.server];
  const bool lost = network_.chance(network_.loss), answer_lost = network_.chance(network_.loss);
  if (server.listens && network_.now() < *server.listens) {
    events_.insert({network_.time + server.round_trip, {key, attempt, News::closed}});
    return;
  }
  if (const auto loses = server.loses.find(key.first); loses != server.loses.end() && loses->second > 0) {
    --loses->second;
    return;
  }
  if (lost || server.silent) return;
  auto ready = network_.time + microseconds(server.round_trip) / 2;
  if (server.search) {
    const auto [found, is_first] = server.found.try_emplace(key);
    if (is_first) found->second = std::chrono::ceil<std::chrono::milliseconds>(ready) + server.search(key);
    ready = std::max<microseconds>(ready, found->second);
  }
  if (answer_lost) return;
  const News news = server.refuses                         ? News::refusal
                    : server.fails.contains(key.first)     ? News::failure
                    : server.truncates.contains(key.first) ? News::truncation
                                                           : News::answer;
  events_.insert({ready + microseconds(server.round_trip) / 2, {key, attempt, news}});
}

// What is lost of a connection the kernel sends again: the beginning after a
// second, the rest after a fifth of it, each pause twice the one before.
void VirtualResolver::connect(const Key& key, const Attempt& attempt) {
  VirtualServer& server = network_.servers[attempt.server];
  microseconds end = network_.time;
  for (microseconds pause : {microseconds(1s), microseconds(200ms)}) {
    for (; network_.chance(network_.loss) || network_.chance(network_.loss); pause *= 2) end += pause;
    end += server.round_trip;
  }
  if (server.listens && network_.now() < *server.listens) server.tcp = false;
  if (server.tcp && server.tcp_silent) return;
  if (const auto found = server.found.find(key); found != server.found.end())
    end = std::max<microseconds>(end, found->second + server.round_trip / 2);
  const News news = !server.tcp                        ? News::broken
                    : server.fails.contains(key.first) ? News::failure
                                                       : News::answer;
  events_.insert({end, {key, attempt, news}});
}

void VirtualResolver::wait() {
  auto next = deadline_;
  for (const auto& [key, question] : questions_)
    if (!question.answer)
      next = std::min(next, std::chrono::duration_cast<microseconds>(question.schedule.next().time_since_epoch()));
  const bool has_event = !events_.empty() && events_.begin()->first <= next;
  if (!has_event && next < network_.time) throw std::logic_error("a schedule stands still");
  if (has_event) {
    network_.time = std::max(network_.time, events_.begin()->first);
    const Event event = events_.begin()->second;
    events_.erase(events_.begin());
    take(event);
  } else {
    network_.time = next;
  }
  if (network_.time < deadline_) return ask_what_is_due();
  for (auto& [key, question] : questions_)
    if (!question.answer) finish(question, {});
}

void VirtualResolver::take(const Event& event) {
  const std::size_t server = event.attempt.server;
  const unsigned number = event.attempt.number;
  if (event.news == News::closed) {
    standings_[server].note_closed(now());
    for (auto& [key, question] : questions_) {
      std::erase_if(question.attempts, [server](const auto& attempt) {
        return attempt.second.server == server && attempt.second.way == Schedule::Way::udp;
      });
      question.schedule.lost(server);
    }
    return;
  }
  if (event.attempt.way == Schedule::Way::udp) standings_[server].note_heard(now());
  Question& question = questions_.at(event.key);
  if (question.attempts.erase(number) == 0) return;
  switch (event.news) {
    case News::answer:
      question.schedule.answered(number, now());
      return finish(question, network_.zone.lookup(event.key.first, event.key.second));
    case News::failure: return question.schedule.failed(number, now());
    case News::refusal: return question.schedule.refused(number, now());
    case News::broken: return question.schedule.broke(number);
    case News::truncation:
      std::erase_if(question.attempts,
                    [](const auto& attempt) { return attempt.second.way == Schedule::Way::udp; });
      return question.schedule.truncated(number, now());
    case News::closed: return;
  }
}

}  // namespace test
