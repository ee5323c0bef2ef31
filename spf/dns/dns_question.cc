#include "spf/dns/dns_question.hh"

#include <algorithm>
#include <utility>

#include "spf/dns/dns_message.hh"
#include "spf/dns/random.hh"

namespace spf {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds first_pause{1000};  // after the last server; doubles with each round
constexpr milliseconds tcp_patience{3000}; // with a server while others are left
constexpr std::size_t longest_alias_chain = 8;  // CNAMEs over several responses

}  // namespace

DnsQuestion::DnsQuestion(DnsMeans& means, std::string_view name, RrType type)
    : means_(means), type_(type), names_{to_wire(name)} {
  begin();
}

// Asks for the last of the names.
void DnsQuestion::begin() {
  if (means_.questions_left == 0) {
    Answer answer;
    answer.over_bound = true;
    return finish(std::move(answer));
  }
  --means_.questions_left;
  attempts_.clear();
  failed_.assign(means_.servers.size(), false);
  in_round_.assign(means_.servers.size(), false);
  round_ = 0;
  round_over_ = has_failure_ = false;
  send();
}

// Whether the server may still have an answer to this question.
bool DnsQuestion::is_left(std::size_t server) const {
  return !means_.servers[server]->gone && !failed_[server];
}

bool DnsQuestion::anybody_left() const {
  for (std::size_t i = 0; i < means_.servers.size(); ++i)
    if (is_left(i)) return true;
  return false;
}

// One that is left and of which there is no doubt.
bool DnsQuestion::anybody_good() const {
  for (std::size_t i = 0; i < means_.servers.size(); ++i)
    if (is_left(i) && !means_.servers[i]->doubtful()) return true;
  return false;
}

// To the next server of this round, or to the next round.
void DnsQuestion::send() {
  if (!anybody_left()) return finish({});
  if (std::exchange(round_over_, false)) {
    ++round_;
    in_round_.assign(means_.servers.size(), false);
  }
  std::vector<std::size_t> good, doubtful;
  for (std::size_t i = 0; i < means_.servers.size(); ++i)
    if (is_left(i) && !in_round_[i]) (means_.servers[i]->doubtful() ? doubtful : good).push_back(i);
  const auto now = Clock::now();
  if (!good.empty()) send_to(good.front());
  next_ = now + DnsServer::hedge;
  if (good.size() > 1) return;
  // A server in doubt is no use to a question that the others answer at once.
  if (good.empty() || round_ > 0)
    for (const std::size_t i : doubtful) send_to(i);
  else if (!doubtful.empty())
    return;
  round_over_ = true;
  next_ = now + first_pause * (1u << std::min(round_, 10u));
}

void DnsQuestion::send_to(std::size_t server) {
  in_round_[server] = true;
  attempts_.push_back({server, Clock::now(), means_.servers[server]->udp.ask(names_.back(), type_)});
}

void DnsQuestion::forget(std::size_t server) {
  std::erase_if(attempts_, [server](const Attempt& attempt) { return attempt.server == server; });
}

// Servers from which nothing has come since they were asked this.
void DnsQuestion::note_silence() {
  for (const Attempt& attempt : attempts_)
    if (DnsServer& server = *means_.servers[attempt.server]; server.heard < attempt.sent)
      server.silent = true;
}

void DnsQuestion::advance() {
  if (tcp_) return advance_tcp();
  for (std::size_t i = 0; i < attempts_.size();) {
    if (attempts_[i].query->state() == DnsUdp::Query::State::waiting) {
      ++i;
      continue;
    }
    const Attempt attempt = std::move(attempts_[i]);
    attempts_.erase(attempts_.begin() + std::ptrdiff_t(i));
    take(attempt);
    if (done_ || tcp_) return;
    if (attempts_.empty()) break;  // or it asks for another name now
  }
  const bool late = Clock::now() >= next_;
  if (late) note_silence();
  if (has_failure_ && !anybody_good()) return settle_doubtful();
  if (late || (attempts_.empty() && !round_over_)) return send();
  // Where all servers have failed there is nothing to wait for.
  if (!anybody_left()) finish({});
}

// Somebody has answered, if only with a failure: who is in doubt gets a hedge
// of time for what the others could not say.
void DnsQuestion::settle_doubtful() {
  for (std::size_t i = 0; i < means_.servers.size(); ++i)
    if (is_left(i) && !in_round_[i]) send_to(i);
  next_ = asked_;
  for (const Attempt& attempt : attempts_)
    if (!means_.servers[attempt.server]->gone) next_ = std::max(next_, attempt.sent + DnsServer::hedge);
  if (attempts_.empty() || Clock::now() >= next_) finish({});
}

// What has become of one packet.
void DnsQuestion::take(const Attempt& attempt) {
  using State = DnsUdp::Query::State;
  Answer answer;
  switch (attempt.query->state()) {
    case State::waiting: return;
    case State::no_name: answer.status = Answer::Status::no_name; break;
    case State::no_data: answer.status = Answer::Status::no_data; break;
    case State::response: return read(attempt.query->response());
    case State::truncated: return begin_tcp(attempt.server);
    case State::refused:
      means_.servers[attempt.server]->refuses = true;
      failed_[attempt.server] = true;
      return;
    case State::failed:
      has_failure_ = failed_[attempt.server] = true;
      return;
  }
  finish(std::move(answer));
}

// The server whose answer was truncated is asked first, and each once.
void DnsQuestion::begin_tcp(std::size_t first) {
  attempts_.clear();
  tcp_servers_.clear();
  for (const bool doubtful : {true, false})
    for (std::size_t i = means_.servers.size(); i-- > 0;)
      if (i != first && !means_.servers[i]->gone && means_.servers[i]->doubtful() == doubtful)
        tcp_servers_.push_back(i);
  tcp_servers_.push_back(first);
  next_tcp();
}

// Starts with the next server that does not fail at once.
void DnsQuestion::next_tcp() {
  do {
    tcp_.reset();
    if (tcp_servers_.empty()) return finish({});
    const std::size_t server = tcp_servers_.back();
    tcp_servers_.pop_back();
    id_ = random_number<std::uint16_t>();
    next_ = tcp_servers_.empty() ? means_.deadline
                                 : std::min(means_.deadline, Clock::now() + tcp_patience);
    tcp_ = std::make_unique<DnsTcp>(*means_.servers[server]->address,
                                    make_query(id_, names_.back(), type_));
  } while (tcp_->advance() == DnsTcp::State::failed);
}

void DnsQuestion::advance_tcp() {
  const auto state = tcp_->advance();
  if (state == DnsTcp::State::busy && Clock::now() < next_) return;
  const std::string response(state == DnsTcp::State::done ? tcp_->response() : "");
  const bool good = answers(response, id_, names_.back(), type_) && !is_truncated(response) &&
                    is_decided(response);
  if (good)
    read(response);
  else
    next_tcp();
}

void DnsQuestion::read(std::string_view message) {
  Reading reading = read_response(message, type_);
  tcp_.reset();
  if (reading.alias.empty()) return finish(std::move(reading.answer));
  if (names_.size() > longest_alias_chain ||
      std::any_of(names_.begin(), names_.end(),
                  [&](const std::string& name) { return equal_names(name, reading.alias); }))
    return finish({});
  names_.push_back(std::move(reading.alias));
  begin();
}

void DnsQuestion::finish(Answer answer) {
  tcp_.reset();
  attempts_.clear();
  answer_ = std::move(answer);
  answer_.milliseconds =
      unsigned(std::chrono::duration_cast<milliseconds>(Clock::now() - asked_).count());
  done_ = true;
}

}  // namespace spf
