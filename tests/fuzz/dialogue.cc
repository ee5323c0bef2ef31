#include "tests/fuzz/dialogue.hh"

#include <algorithm>
#include <utility>
#include <array>

#include "spf/dialogue/received_spf.hh"
#include "spf/dialogue/variables.hh"
#include "spf/dialogue/annotation.hh"
#include "tests/fuzz/fuzz.hh"

namespace fuzz {
namespace {

constexpr std::size_t all = std::string::npos;

// More than any input of these tests can ask for.
constexpr unsigned most_steps = 2'000'000;

bool is_own(const spf::Address& address) { return address.text() == "192.0.2.25"; }

}  // namespace

Dialogue::Dialogue(const spf::Config& config, Reading reading, Input& input, bool moody,
                   std::size_t piece)
    : config_(config),
      reading_(reading),
      input_(input),
      moody_(moody),
      piece_(piece),
      session_(config, 42, is_own),
      view_(config) {
  step();
}

// How many of `size` octets move at once. Long texts differ only at their ends.
std::size_t Dialogue::piece_of(std::size_t size) const {
  constexpr std::size_t end = 4096;
  return size > end ? size - end : std::min(size, piece_);
}

// The session goes on, as the proxy lets it.
bool Dialogue::step() {
  if (session_.finished()) return false;
  require(++steps_ < most_steps, "no end");
  server_has_all_ = session_.to_child().empty() && !octets_lost_;
  session_.resume();
  observe();
  perform(session_.take_actions());
  if (std::exchange(annotated_, false)) return step();
  look_at_liveness();
  if (handing_over_ && session_.to_client().empty() && !session_.finished()) hand_over();
  return true;
}

void Dialogue::perform(const spf::Actions& actions) {
  namespace action = spf::action;
  std::vector<std::string> warnings;
  for (const spf::Action& wanted : actions)
    std::visit(spf::Performer{
                   [&](const action::Warn& warn) { warnings.push_back(warn.line); },
                   [this](const action::Log& log) { read_log(log.line); },
                   [this](const action::StartCheck& start) { start_check(start.query); },
                   [this](action::AbandonCheck) { checking_.reset(); },
                   [this](const action::Annotate& annotate) {
                     annotation_ = annotate.octets;
                     session_.annotated(annotated_ = true);
                   },
                   [this](const action::StartChild& start_child) { start(start_child.variables); },
                   [this](action::DismissPrevious) { dismiss_previous(); },
                   [this](action::RestorePrevious) { restore_previous(); },
                   [](action::CloseChildInput) {},
                   [this](action::PrepareTls) { prepare_tls(); },
                   [this](action::DismissTls) { dismiss_tls(); },
                   [this](action::StartTls) { start_tls(); },
               },
               wanted);
  look_at_tls(warnings);
}

void Dialogue::dismiss_previous() {
  require(previous_ != nullptr, "nobody to dismiss");
  previous_->model.take(spf::dismissal);
  previous_->model.end_of_input();
  previous_ = nullptr;
}

void Dialogue::restore_previous() {
  require(previous_ != nullptr, "nobody to restore");
  server_->model.end_of_input();
  server_ = std::exchange(previous_, nullptr);
  octets_lost_ = false;
}

void Dialogue::read_log(const std::string& text) {
  require(text.size() < 5000 && std::none_of(text.begin(), text.end(), [](char c) {
            return c < ' ' || c > '~';
          }), "a log line that is not printable");
  require(text.ends_with(" tls=" + protocol()), "a log line with another protocol");
  if (text.find(" code=550 ") != all)
    require(judgements_.back().kind == Judgement::Kind::rejected &&
                judgements_.back().resets == view_.resets(),
            "a recipient is refused for a MAIL of before");
}

void Dialogue::start_check(const spf::Query& query) {
  require(!server_->model.authenticated || !honest_, "a check after 235");
  require(view_.verb() == "MAIL", "a check that no MAIL asked for");
  require(view_.line().find(query.sender) != all, "a check of a sender that was not named");
  require(query.helo == view_.hello(), "a check with another HELO name");
  require(!config_.only_tls, "a check that nobody wants");
  judgements_.push_back(
      {query.sender, Judgement::Kind::open, {}, {}, {}, view_.resets(), inside_tls_});
  checking_ = query;
}

void Dialogue::start(const std::vector<std::string>& variables) {
  require(!server_ || !server_->model.authenticated || !honest_ ||
              (inside_tls_ && !is_inside_tls(server_->model)),
          "a start after 235");
  require(session_.to_child().empty(), "what was for the old server waits for the new one");
  require(!view_.handshaking(), "a server for a handshake that is not done");
  const auto of_spf = std::find_if(variables.begin(), variables.end(),
                                   [](const auto& text) { return !text.starts_with("SPF"); });
  require(std::vector(of_spf, variables.end()) == tls_variables_, "another TLS than there is");
  require(of_spf == variables.begin() || variables == judgements_.back().variables,
          "a start with the verdict of another MAIL");
  previous_ = server_;
  const auto mood = [this] { return moody_ ? input_.octet() : 0u; };
  servers_.push_back(std::make_unique<Server>(Server{{reading_, variables, *this, mood}}));
  server_ = servers_.back().get();
  octets_lost_ = false;
  if (std::exchange(next_start_fails_, false)) {
    server_->model.output.clear();
    server_->model.end_of_input();
  }
}

// What the session has newly said to the client.
void Dialogue::observe() {
  const std::string_view waiting = session_.to_client().data();
  require(waiting.size() >= observed_, "what was said is unsaid");
  require(waiting.size() <= 65536 && session_.to_child().data().size() <= 65536,
          "a buffer without bound");
  view_.heard(waiting.substr(observed_));
  observed_ = waiting.size();
  look_at_starttls();
  require(!view_.over() || view_.blind() || session_.finished(), "no end after the last reply");

  const auto& messages = view_.messages();
  const auto accepted = static_cast<std::size_t>(
      std::count_if(messages.begin(), messages.end(), [](const auto& m) { return m.accepted; }));
  if (accepted == accepted_) return;
  accepted_ = accepted;
  require(server_has_all_ && delivered_ == ".\r\n",
          "a message is accepted before the server has it whole");
  require(!honest_ || (!server_->model.messages.empty() && server_->model.messages.back().accepted),
          "a message is accepted that the server has not accepted");
}

// Moves. Each says whether anything moved.

bool Dialogue::feed() {
  const std::size_t count = std::min(piece_of(unsent_.size()), session_.from_client().room());
  if (session_.finished() || closed_ || handing_over_ || !session_.listens()) return false;
  if (count > 0) {
    const std::string octets = unsent_.substr(0, count);
    unsent_.erase(0, count);
    session_.from_client().append(octets);
    if (tls_ == Tls::has_client) {
      hear_in_place_of_client(octets);
    } else {
      require(!view_.handshaking(), "what the client says to spftls is read here");
      view_.sent(octets);
    }
    return step();
  }
  if (!closes_ || !unsent_.empty()) return false;
  closed_ = true;
  session_.client_closed();
  return step();
}

bool Dialogue::move_to_server(std::size_t most) {
  spf::Buffer& buffer = session_.to_child();
  const std::string octets(buffer.data().substr(0, std::min(most, piece_of(buffer.data().size()))));
  if (octets.empty() || !server_) return false;
  if (server_->deaf || server_->model.exited) {
    octets_lost_ = true;
    session_.child_deaf();
  } else {
    buffer.consume(octets.size());
    server_->model.take(octets);
    delivered_ += octets;
    delivered_.erase(0, delivered_.size() - std::min<std::size_t>(delivered_.size(), 3));
  }
  step();
  return true;
}

bool Dialogue::move_from_server(std::size_t most) {
  if (session_.finished() || !server_) return false;
  std::string& output = server_->model.output;
  const std::size_t count = std::min({most, piece_of(output.size()), session_.from_child().room()});
  if (count > 0) {
    session_.from_child().append(output.substr(0, count));
    output.erase(0, count);
    return step();
  }
  if (!server_->model.exited || !output.empty() || server_->end_told) return false;
  server_->end_told = true;
  session_.child_closed();
  return step();
}

bool Dialogue::move_to_client(std::size_t most) {
  if (!client_reads_ || !session_.output_ready()) return false;
  const std::size_t count = std::min(most, session_.to_client().data().size());
  if (count == 0) return false;
  session_.to_client().consume(count);
  observed_ -= count;
  step();
  return true;
}

bool Dialogue::move_verdict() {
  if (!checking_ || session_.finished()) return false;
  using Kind = Judgement::Kind;
  spf::Verdict verdict;
  verdict.result = static_cast<spf::Result>(input_.octet() % 7);
  const std::size_t at = checking_->sender.rfind('@');
  verdict.domain = at == all ? checking_->helo : checking_->sender.substr(at + 1);
  // Sometimes with the same variables as the one before.
  if (const unsigned mechanism = input_.octet(); mechanism != 0)
    verdict.mechanism = "exists:" + std::string(1, char(mechanism));
  verdict.problem = "something is wrong";
  verdict.explanation = explanation_;

  const unsigned results = static_cast<unsigned>(spf::Result::temperror) + 1;
  // pass, fail, softfail, neutral, none, permerror, temperror: from which level
  // a MAIL with this result is not let through.
  constexpr std::array<unsigned, results> lowest = {7, 3, 4, 5, 6, 6, 2};
  Judgement& judgement = judgements_.back();
  if (config_.level < lowest[static_cast<std::size_t>(verdict.result)])
    judgement.kind = Kind::accepted;
  else
    judgement.kind = verdict.result == spf::Result::temperror ? Kind::deferred : Kind::rejected;
  const std::string value = spf::header_value(*checking_, verdict, config_.receiver);
  const std::vector<std::string> variables = spf::variables(verdict, value);
  using spf::Annotate;
  if (config_.annotate == Annotate::data || config_.annotate == Annotate::env)
    judgement.variables = variables;
  judgement.variables.insert(judgement.variables.end(), tls_variables_.begin(),
                             tls_variables_.end());
  if (config_.annotate == Annotate::data || config_.annotate == Annotate::header)
    judgement.header = spf::received_spf(value);
  if (config_.annotate == Annotate::queue)
    judgement.annotation = spf::encode_annotation({variables, spf::received_spf(value)});
  checking_.reset();
  session_.check_done(std::move(verdict));
  return step();
}

void Dialogue::settle() {
  for (bool moved = true; moved;) {
    moved = feed();
    moved |= move_to_server(all);
    moved |= move_from_server(all);
    moved |= move_from_tls(all);
    if (!hold_verdicts_) moved |= move_verdict();
    moved |= move_to_client(all);
  }
  look_at_rest();
}

// A client that has closed, with nothing left to be answered, does not wait for
// a server to come up.
void Dialogue::look_at_liveness() {
  if (!closed_ || !server_ || session_.child_is_up() || session_.finished()) return;
  require(session_.from_client().data().find('\n') != all, "a server comes up for nobody");
}

// Nothing moves: then nothing is owed.
void Dialogue::look_at_rest() {
  // A deaf server that stays has its time to speak.
  if (session_.finished() || !client_reads_ || checking_ || view_.blind()) return;
  if (tls_keeps_silent()) return;
  require(!view_.handshaking(), "no end after a handshake that has failed");
  if (server_->deaf) return;
  require(session_.to_client().empty(), "a reply is kept back from the client");
  require(session_.to_child().empty(), "a command is kept back from the server");
  require(!honest_ || !view_.owed(), "a command without reply");
}

}  // namespace fuzz
