// DATA, and the message on its way to the child.
#include "spf/dialogue/message_content.hh"
#include "spf/dialogue/session.hh"

namespace spf {
namespace {

// A client in DATA has shown life when it has sent this much (RFC 5321 section
// 4.5.3.2.5 speaks of blocks).
constexpr std::size_t data_block = 4096;

}  // namespace

Task<void> Session::data() {
  Reply answer = co_await ask("DATA");
  const bool go_ahead = answer.code == 354;
  const auto* open = std::get_if<Open>(&transaction_);
  if (go_ahead && !open) throw ChildTrouble{};
  co_await pass(std::move(answer));
  if (!go_ahead) co_return;

  co_await transfer(open->header);
  to_child_.append(end_of_data);
  try {
    answer = co_await child_reply();
  } catch (const ChildTrouble&) {
    throw ChildTrouble{reply::message_lost};
  }
  if (child_.deaf && answer.positive()) throw Close{std::string(reply::message_lost)};
  transaction_ = NoTransaction{};
  co_await pass(std::move(answer));
}

// Carries the message over, without its final dot. Returns only when all of it
// is in the buffer to the child, with room for the dot.
Task<void> Session::transfer(const std::string& header) {
  ContentRelay relay(header, FieldFilter(config_.strip, config_.authserv_id));
  ContentRelay::Status status = ContentRelay::Status::more;
  std::size_t block = 0;
  begin_limit(config_.smtp_timeout);
  while (status != ContentRelay::Status::end || to_child_.room() < end_of_data.size()) {
    if (!from_child_.empty() || child_.closed) {
      // It can only be a refusal: the message is not whole yet.
      Reply early;
      try {
        early = co_await child_reply();
      } catch (const ChildTrouble&) {
        to_child_.clear();
        throw ChildTrouble{reply::message_lost};
      }
      throw Close{early.code >= 400 ? early.wire() : std::string(reply::message_lost)};
    }
    if (status == ContentRelay::Status::more) {
      const ContentRelay::Step step = relay.push(from_client_.data(), to_child_);
      from_client_.consume(step.taken);
      status = step.status;
      if (status == ContentRelay::Status::bare_lf) throw Close{std::string(reply::bare_lf)};
      if (status == ContentRelay::Status::end) continue;
      block += step.taken;
      if (block >= data_block) {
        block = 0;
        begin_limit(config_.smtp_timeout);
      }
    }
    if (client_has_closed() && from_client_.empty()) throw ClientGone{};
    stop_waiting_if_over();
    if (timed_out_) throw Close{std::string(reply::timed_out)};
    co_await client_event();
  }
}

}  // namespace spf
