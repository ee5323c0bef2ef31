#include "tests/fuzz/dialogue.hh"

#include <algorithm>
#include <utility>

#include "spf/dialogue/header_fields.hh"
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
                   [this](const action::StartExemption& start) { start_exemption(start.query); },
                   [this](action::AbandonCheck) {
                     checking_.reset();
                     if (std::exchange(exempting_, false) && judgements_.back().kind == Judgement::Kind::open)
                       judgements_.back().kind = Judgement::Kind::deferred;
                   },
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
  if (!text.starts_with("qlogenvelope: ")) {
    require(text.ends_with(": " + protocol() + " with 192.0.2.1, nothing checked"), "another line of the log");
    require(session_.finished() && inside_tls_ && !checked_ && !std::exchange(told_unchecked_, true),
            "nothing checked, says the log");
    return;
  }
  require(text.find(" tls=" + protocol() + " level=") != all, "a log line with another protocol");
  if (text.find(" code=550 ") == all) return;
  const Judgement& judgement = judgements_.back();
  const bool held = judgement.kind == Judgement::Kind::held;
  require((held || judgement.kind == Judgement::Kind::rejected) && judgement.resets == view_.resets(),
          "a recipient is refused for a MAIL of before");
  // The client may have its reply already.
  const std::size_t begin = text.find(" rcptto=") + 8;
  const std::string recipient = text.substr(begin, text.find(' ', begin) - begin);
  if (recipient.size() >= 255) return;  // it may be cut
  const unsigned level = level_of(recipient, judgement);
  require(decision(judgement, level) == spf::Decision::reject, "a recipient is refused against his level");
  require(text.find(" level=" + std::to_string(level) + " ") != all, "a log line with another level");
}

void Dialogue::start_check(const spf::Query& query) {
  require(!server_->model.authenticated || !honest_, "a check after 235");
  require(view_.verb() == "MAIL", "a check that no MAIL asked for");
  require(view_.line().find(query.sender) != all, "a check of a sender that was not named");
  require(query.helo == view_.hello(), "a check with another HELO name");
  require(!config_.only_tls, "a check that nobody wants");
  require(!is_unchecked(), "a check of a sender whom nobody wants checked");
  judgements_.push_back({query.sender, Judgement::Kind::open, view_.resets(), inside_tls_});
  judgements_.back().query = query;
  checking_ = query;
  checked_ = true;
}

// A refusal is due: to all recipients of this MAIL, or to this one.
void Dialogue::start_exemption(const spf::Query& query) {
  require(config_.dmarc, "a search for an exemption that nobody wants");
  require(!checking_ && !exempting_ && !judgements_.empty(), "two checks at once");
  const Judgement& judgement = judgements_.back();
  require(query.sender == judgement.sender && judgement.resets == view_.resets() && !judgement.exemption,
          "an exemption of another MAIL, or again");
  if (judgement.kind == Judgement::Kind::held)
    require(view_.verb() == "RCPT" &&
                decision(judgement, level_of_recipient(judgement)) == spf::Decision::reject,
            "an exemption from no refusal");
  else
    require(view_.verb() == "MAIL" && judgement.kind == Judgement::Kind::open, "an exemption too late");
  exempting_ = true;
}

unsigned Dialogue::level_of_sender(const std::string& sender) const {
  const auto rule = config_.sender_levels.find(sender);
  return rule ? rule->level : config_.level;
}

// Of the recipient that the client names now.
unsigned Dialogue::level_of_recipient(const Judgement& judgement) const {
  return level_of(mailbox(spf::Verb::rcpt), judgement);
}

unsigned Dialogue::level_of(const std::string& recipient, const Judgement& judgement) const {
  const auto rule = config_.recipient_levels.find(recipient);
  return rule ? rule->level : level_of_sender(judgement.sender);
}

std::vector<unsigned> Dialogue::possible_levels(const std::string& sender) const {
  std::vector<unsigned> levels = {level_of_sender(sender)};
  for (unsigned level = 0; level <= spf::max_level; ++level)
    if (config_.recipient_levels.have(level)) levels.push_back(level);
  return levels;
}

std::string Dialogue::mailbox(spf::Verb verb) const {
  std::string line = view_.line();
  line.erase(line.find_last_not_of(" \t\r\n") + 1);
  const spf::Command command = spf::parse_command(line);
  const auto path = spf::parse_path(verb, command.argument, is_own);
  return path && command.verb == verb ? path->mailbox : std::string();
}

// Whether the MAIL that the client says now needs no check, for its sender's sake.
bool Dialogue::is_unchecked() const { return view_.verb() == "MAIL" && is_unchecked(mailbox(spf::Verb::mail)); }

bool Dialogue::is_unchecked(const std::string& sender) const {
  const auto levels = possible_levels(sender);
  return std::all_of(levels.begin(), levels.end(), [](unsigned level) { return level == 0; });
}

spf::Decision Dialogue::decision(const Judgement& judgement, unsigned level) const {
  using spf::Decision, spf::Result;
  // pass, fail, softfail, neutral, none, permerror, temperror: from which level
  // a MAIL with this result is not let through.
  constexpr unsigned lowest[] = {7, 3, 4, 5, 6, 6, 2};
  const auto& [verdict, helo] = judgement.verdicts;
  const bool bad_helo = config_.helo_check == spf::HeloCheck::refuse && helo &&
                        helo->result == Result::fail && level >= 3;
  if (!bad_helo && level < lowest[static_cast<std::size_t>(verdict.result)]) return Decision::accept;
  if (!bad_helo && verdict.result == Result::temperror) return Decision::defer;
  if (judgement.exemption && judgement.exemption->trouble) return Decision::defer;
  return judgement.exemption && !judgement.exemption->reason.empty() ? Decision::accept : Decision::reject;
}

// What is known of it by now; open where an exemption may change it.
void Dialogue::judge(Judgement& judgement) const {
  using Kind = Judgement::Kind;
  const std::vector<unsigned> levels = possible_levels(judgement.sender);
  const spf::Decision first = decision(judgement, levels.front());
  if (std::any_of(levels.begin(), levels.end(),
                  [&](unsigned level) { return decision(judgement, level) != first; }))
    judgement.kind = Kind::held;
  else if (first == spf::Decision::accept)
    judgement.kind = Kind::accepted;
  else if (first == spf::Decision::defer)
    judgement.kind = Kind::deferred;
  else
    judgement.kind = config_.dmarc && !judgement.exemption ? Kind::open : Kind::rejected;
}

// What a server and the queue program are to find of it.
void Dialogue::write_down(Judgement& judgement) const {
  const spf::Judgement& known = judgement.verdicts;
  const spf::HeaderValues values = spf::header_values(judgement.query, known, config_);
  const std::string header = spf::header_fields(values, config_.header_type);
  const spf::Verdict* of_helo = known.helo ? &*known.helo : &known.verdict;
  const bool helo_wanted =
      config_.helo_check != spf::HeloCheck::no && of_helo->identity == spf::Identity::helo;
  const std::vector<std::string> variables = spf::variables(
      known.verdict, {.received_spf = values.received_spf,
                      .helo_result = helo_wanted ? spf::name(of_helo->result) : "",
                      .policy = judgement.exemption ? judgement.exemption->reason : ""});
  using spf::Annotate;
  judgement.variables.clear();
  if (config_.annotate == Annotate::data || config_.annotate == Annotate::env)
    judgement.variables = variables;
  judgement.variables.insert(judgement.variables.end(), tls_variables_.begin(), tls_variables_.end());
  if (config_.annotate == Annotate::data || config_.annotate == Annotate::header)
    judgement.header = header;
  if (config_.annotate == Annotate::queue)
    judgement.annotation = spf::encode_annotation({variables, header});
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
  if (is_unchecked() && honest_) judgements_.push_back({"", Judgement::Kind::trusted, view_.resets(), inside_tls_});
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
  if (exempting_) return move_exemption();
  if (!checking_ || session_.finished()) return false;
  spf::Verdict verdict;
  verdict.result = static_cast<spf::Result>(input_.octet() % 7);
  const std::size_t at = checking_->sender.rfind('@');
  verdict.domain = at == all ? checking_->helo : checking_->sender.substr(at + 1);
  // Sometimes with the same variables as the one before.
  if (const unsigned mechanism = input_.octet(); mechanism != 0)
    verdict.mechanism = "exists:" + std::string(1, char(mechanism));
  verdict.problem = "something is wrong";
  verdict.explanation = explanation_;
  verdict.domains_own_words = verdict.result == spf::Result::fail;
  if (at == all) verdict.identity = spf::Identity::helo;

  Judgement& judgement = judgements_.back();
  judgement.verdicts.verdict = verdict;
  if (config_.helo_check != spf::HeloCheck::no && at != all) {
    judgement.verdicts.helo.emplace();
    judgement.verdicts.helo->identity = spf::Identity::helo;
    judgement.verdicts.helo->domain = checking_->helo;
    judgement.verdicts.helo->result = static_cast<spf::Result>(input_.octet() % 7);
    judgement.verdicts.helo->explanation = explanation_;
  }
  judge(judgement);
  write_down(judgement);
  checking_.reset();
  session_.check_done(judgement.verdicts);
  return step();
}

bool Dialogue::move_exemption() {
  if (session_.finished()) return false;
  const unsigned which = input_.octet() % 3;
  Judgement& judgement = judgements_.back();
  judgement.exemption.emplace();
  judgement.exemption->trouble = which == 1;
  if (which == 2) judgement.exemption->reason = "forwarder:f.example";
  if (judgement.kind != Judgement::Kind::held) judge(judgement);
  // What a server has been told already stays.
  if (!judgement.used || !server_->model.in_transaction()) write_down(judgement);
  exempting_ = false;
  session_.exempted(*judgement.exemption);
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
  if (session_.finished() || !client_reads_ || checking_ || exempting_ || view_.blind()) return;
  if (tls_keeps_silent()) return;
  require(!view_.handshaking(), "no end after a handshake that has failed");
  if (server_->deaf) return;
  require(session_.to_client().empty(), "a reply is kept back from the client");
  require(session_.to_child().empty(), "a command is kept back from the server");
  require(!honest_ || !view_.owed(), "a command without reply");
}

}  // namespace fuzz
