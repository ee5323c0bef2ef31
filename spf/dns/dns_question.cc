#include "spf/dns/dns_question.hh"

#include <algorithm>
#include <utility>

#include "spf/dns/dns_message.hh"
#include "spf/dns/random.hh"

namespace spf {

namespace {

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
  schedule_.emplace(means_.standings, Clock::now());
  ask_what_is_due();
}

void DnsQuestion::watch(std::vector<pollfd>& fds) const {
  for (const Attempt& attempt : attempts_)
    if (attempt.connection) fds.push_back({attempt.connection->tcp.fd(), attempt.connection->tcp.events(), 0});
}

void DnsQuestion::forget(std::size_t server) {
  std::erase_if(attempts_, [server](const Attempt& attempt) { return attempt.query && attempt.server == server; });
  schedule_->lost(server);
}

void DnsQuestion::advance() {
  take_what_has_come();
  if (!done_) ask_what_is_due();
}

void DnsQuestion::take_what_has_come() {
  for (std::size_t i = 0; i < attempts_.size();) {
    if (is_waiting(attempts_[i])) {
      ++i;
      continue;
    }
    const Attempt attempt = std::move(attempts_[i]);
    attempts_.erase(attempts_.begin() + std::ptrdiff_t(i));
    const std::size_t names = names_.size();
    take(attempt);
    if (done_ || names_.size() > names) return;  // or it asks for another name now
  }
}

bool DnsQuestion::is_waiting(Attempt& attempt) {
  return attempt.query ? attempt.query->state() == DnsUdp::Query::State::waiting
                       : attempt.connection->tcp.advance() == DnsTcp::State::busy;
}

// What has become of one attempt.
void DnsQuestion::take(const Attempt& attempt) {
  attempt.query ? take_packet(attempt) : take_response(attempt);
}

void DnsQuestion::take_packet(const Attempt& attempt) {
  using State = DnsUdp::Query::State;
  const auto now = Clock::now();
  const auto state = attempt.query->state();
  switch (state) {
    case State::waiting: return;
    case State::refused: return schedule_->refused(attempt.number, now);
    case State::failed: return schedule_->failed(attempt.number, now);
    case State::truncated:
      std::erase_if(attempts_, [](const Attempt& other) { return other.query != nullptr; });
      return schedule_->truncated(attempt.number, now);
    case State::response:
    case State::no_name:
    case State::no_data: schedule_->answered(attempt.number, now);
  }
  if (state == State::response) return read(attempt.query->response());
  Answer answer;
  answer.status = state == State::no_name ? Answer::Status::no_name : Answer::Status::no_data;
  finish(std::move(answer));
}

void DnsQuestion::take_response(const Attempt& attempt) {
  DnsTcp& tcp = attempt.connection->tcp;
  const std::string response(tcp.advance() == DnsTcp::State::done ? tcp.response() : "");
  if (!answers(response, attempt.id, names_.back(), type_) || is_truncated(response))
    return schedule_->broke(attempt.number);
  if (!is_decided(response)) return schedule_->failed(attempt.number, Clock::now());
  schedule_->answered(attempt.number, Clock::now());
  read(response);
}

void DnsQuestion::ask_what_is_due() {
  for (bool again = true; again;) {
    const auto due = schedule_->due(Clock::now(), means_.connections < DnsMeans::most_connections);
    if (schedule_->over()) return finish({});
    for (const Schedule::Attempt& attempt : due) send(attempt);
    // A connection may fail at once.
    again = std::any_of(due.begin(), due.end(), [](const auto& a) { return a.way == Schedule::Way::tcp; });
    if (again) take_what_has_come();
    if (done_) return;
  }
}

void DnsQuestion::send(const Schedule::Attempt& due) {
  Attempt attempt{due.number, due.server, nullptr, nullptr, 0};
  if (due.way == Schedule::Way::udp) {
    attempt.query = means_.servers[due.server]->udp.ask(names_.back(), type_);
  } else {
    attempt.id = random_number<std::uint16_t>();
    attempt.connection =
        std::make_unique<Connection>(means_, due.server, make_query(attempt.id, names_.back(), type_));
  }
  attempts_.push_back(std::move(attempt));
}

void DnsQuestion::read(std::string_view message) {
  Reading reading = read_response(message, type_);
  if (reading.alias.empty()) return finish(std::move(reading.answer));
  if (names_.size() > longest_alias_chain ||
      std::any_of(names_.begin(), names_.end(),
                  [&](const std::string& name) { return equal_names(name, reading.alias); }))
    return finish({});
  names_.push_back(std::move(reading.alias));
  begin();
}

void DnsQuestion::finish(Answer answer) {
  attempts_.clear();
  answer_ = std::move(answer);
  answer_.milliseconds = unsigned(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - asked_).count());
  done_ = true;
}

}  // namespace spf
