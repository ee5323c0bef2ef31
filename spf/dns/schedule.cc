#include "spf/dns/schedule.hh"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace spf {

namespace {

using std::chrono::milliseconds;

// Where another server has failed: for one that is silent, and for one that was
// silent before this question.
constexpr milliseconds patience_at_failure{1000}, patience_in_doubt{500};

// Silence over UDP until it is TCP: of a server that was never heard, and of one
// that answers other questions, which may only be slow to find this answer.
constexpr milliseconds tcp_after{2000}, tcp_after_heard{3000};
constexpr milliseconds tcp_pause{1000};  // until the next connection; doubles
constexpr unsigned most_connections = 8;

constexpr unsigned most_doublings = 10;

}  // namespace

Schedule::Schedule(std::vector<Standing>& servers, Time now)
    : servers_(servers),
      asked_(now),
      failed_(servers.size()),
      in_round_(servers.size()),
      stepped_(now),
      connections_(servers.size()),
      broken_(servers.size()) {}

void Schedule::ask(std::size_t server, Way way, Time now) {
  const Attempt attempt{++numbers_, server, way, now, servers_[server].doubtful()};
  attempts_.push_back(attempt);
  due_.push_back(attempt);
}

std::vector<Schedule::Attempt> Schedule::due(Time now, bool may_connect) {
  due_.clear();
  if (!over_ && !truncated_) due_over_udp(now);
  if (!over_) due_over_tcp(now, may_connect);
  return due_;
}

Schedule::Time Schedule::next() const {
  Time next = next_over_tcp();
  if (truncated_) return next;
  next = std::min(next, next_over_udp());
  return is_settling() ? std::min(next, last_chance()) : next;
}

// Whether the server may still have an answer to this question.
bool Schedule::is_left(std::size_t server) const { return !servers_[server].gone && !failed_[server]; }

bool Schedule::is_waiting(Way way) const {
  return std::any_of(attempts_.begin(), attempts_.end(), [way](const Attempt& a) { return a.way == way; });
}

// Somebody has answered, if only with a failure, and all that are left are in doubt.
bool Schedule::is_settling() const {
  if (!has_failure_) return false;
  for (std::size_t i = 0; i < servers_.size(); ++i)
    if (is_left(i) && !servers_[i].doubtful()) return false;
  return true;
}

void Schedule::due_over_udp(Time now) {
  bool anybody_left = false, anybody_unasked = false;
  for (std::size_t i = 0; i < servers_.size(); ++i)
    if (is_left(i)) (in_round_[i] ? anybody_left : anybody_unasked) = true;
  const bool late = now >= next_over_udp();
  if (late) note_silence();
  const bool settling = is_settling();
  if (late || (anybody_unasked && (settling || !is_waiting(Way::udp)))) step(now, late);
  over_ = !(anybody_left || anybody_unasked) || (settling && now >= last_chance());
}

// To the next server of this round, or to the next round.
void Schedule::step(Time now, bool late) {
  if (late && round_over_) {
    ++round_;
    in_round_.assign(servers_.size(), false);
    round_over_ = false;
  }
  std::vector<std::size_t> good, doubtful;
  for (std::size_t i = 0; i < servers_.size(); ++i)
    if (is_left(i) && !in_round_[i]) (servers_[i].doubtful() ? doubtful : good).push_back(i);
  const bool last = good.size() <= 1;
  const auto ask_in_round = [&](std::size_t server) {
    in_round_[server] = true;
    ask(server, Way::udp, now);
  };
  const bool first_round = round_ == 0;
  if (!good.empty()) ask_in_round(good.front());
  // A server in doubt is no use to a question that the others answer at once.
  if (good.empty() || (last && !first_round))
    for (const std::size_t i : doubtful) ask_in_round(i);
  stepped_ = now;
  if (!last || round_over_) return;
  round_over_ = true;
  if (!first_round || std::count(in_round_.begin(), in_round_.end(), true) > 1) ++doublings_;
}

// The pause follows what is measured meanwhile.
Schedule::Time Schedule::next_over_udp() const {
  if (numbers_ == 0) return asked_;
  RoundTrip::Duration patience = RoundTrip::most;
  for (std::size_t i = 0; i < servers_.size(); ++i)
    if (in_round_[i] && is_left(i)) patience = std::min(patience, servers_[i].round_trip.patience());
  return stepped_ + patience * (1 << std::min(doublings_, most_doublings));
}

// Servers from which nothing has come since they were asked this.
void Schedule::note_silence() {
  for (const Attempt& attempt : attempts_) {
    Standing& server = servers_[attempt.server];
    if (attempt.way == Way::udp && (!server.heard || *server.heard < attempt.sent)) server.silent = true;
  }
}

// Of those that are left, when there was a failure.
Schedule::Time Schedule::last_chance() const {
  Time chance = asked_;
  std::vector<bool> seen(servers_.size());
  for (const Attempt& attempt : attempts_) {  // the first to each server counts
    if (!is_left(attempt.server) || seen[attempt.server]) continue;
    seen[attempt.server] = true;
    chance = std::max(chance, attempt.sent + (attempt.in_doubt ? patience_in_doubt : patience_at_failure));
  }
  return chance;
}

void Schedule::due_over_tcp(Time now, bool may_connect) {
  held_ = false;
  if (now < next_over_tcp()) return;
  const auto server = server_over_tcp();
  if (!server) {
    over_ = truncated_ && !is_waiting(Way::tcp);
    return;
  }
  held_ = !may_connect;
  if (held_) return;
  ++connections_[*server];
  connected_ = now;
  ask(*server, Way::tcp, now);
}

Schedule::Time Schedule::next_over_tcp() const {
  const unsigned count = std::accumulate(connections_.begin(), connections_.end(), 0u);
  const bool waits = is_waiting(Way::tcp);
  if (held_) return Time::max();
  const auto server = server_over_tcp();
  // Where an answer was truncated, there is nothing else to wait for.
  if (!server) return truncated_ && !waits ? asked_ : Time::max();
  if (count > 0) return waits ? connected_ + tcp_pause * (1 << (count - 1)) : connected_;
  const bool at_once =
      truncated_ || std::any_of(attempts_.begin(), attempts_.end(), [this](const Attempt& attempt) {
        return servers_[attempt.server].only_tcp;
      });
  return at_once ? asked_ : asked_ + (servers_[*server].heard ? tcp_after_heard : tcp_after);
}

// The one asked least over TCP; among equals the one that has more to say, or is
// in no doubt. Where no answer was truncated, each once.
std::optional<std::size_t> Schedule::server_over_tcp() const {
  if (std::accumulate(connections_.begin(), connections_.end(), 0u) == most_connections) return {};
  const auto rank = [this](std::size_t i) {
    return std::tuple(connections_[i], truncated_ != i, !servers_[i].only_tcp, servers_[i].doubtful());
  };
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (servers_[i].gone || broken_[i] || (!truncated_ && (failed_[i] || connections_[i] > 0))) continue;
    if (!best || rank(i) < rank(*best)) best = i;
  }
  return best;
}

// Nothing where it is not known any more.
std::optional<Schedule::Attempt> Schedule::forget(unsigned number) {
  const auto found = std::find_if(attempts_.begin(), attempts_.end(),
                                  [number](const Attempt& a) { return a.number == number; });
  if (found == attempts_.end()) return {};
  const Attempt attempt = *found;
  attempts_.erase(found);
  return attempt;
}

// The same of one that is answered: a packet's answer tells the round trip.
std::optional<Schedule::Attempt> Schedule::take(unsigned number, Time now) {
  const auto attempt = forget(number);
  if (attempt && attempt->way == Way::udp)
    servers_[attempt->server].round_trip.measure(
        std::chrono::duration_cast<RoundTrip::Duration>(now - attempt->sent));
  return attempt;
}

void Schedule::answered(unsigned number, Time now) {
  if (const auto attempt = take(number, now); attempt && attempt->way == Way::tcp)
    servers_[attempt->server].note_tcp();
}

void Schedule::failed(unsigned number, Time now) {
  const auto attempt = take(number, now);
  if (!attempt) return;
  has_failure_ = failed_[attempt->server] = true;
  if (attempt->way == Way::tcp) broken_[attempt->server] = true;
}

void Schedule::refused(unsigned number, Time now) {
  const auto attempt = take(number, now);
  if (!attempt) return;
  failed_[attempt->server] = servers_[attempt->server].refuses = true;
}

void Schedule::truncated(unsigned number, Time now) {
  const auto attempt = take(number, now);
  if (!attempt) return;
  truncated_ = attempt->server;
  std::erase_if(attempts_, [](const Attempt& a) { return a.way == Way::udp; });
  connections_.assign(servers_.size(), 0);
}

void Schedule::broke(unsigned number) {
  if (const auto attempt = forget(number)) broken_[attempt->server] = true;
}

void Schedule::lost(std::size_t server) {
  std::erase_if(attempts_, [server](const Attempt& a) { return a.way == Way::udp && a.server == server; });
}

}  // namespace spf
