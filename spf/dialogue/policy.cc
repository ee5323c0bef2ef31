#include "spf/dialogue/policy.hh"

namespace spf {
namespace {

GivenLevel given(const Levels& levels, std::string_view mailbox, GivenLevel::By by, const GivenLevel& otherwise) {
  const auto rule = levels.find(mailbox);
  return rule ? GivenLevel{rule->level, by, rule} : otherwise;
}

}  // namespace

unsigned code(Decision decision) {
  switch (decision) {
    case Decision::accept: return 250;
    case Decision::defer: return 451;
    case Decision::reject: break;
  }
  return 550;
}

Decision decide(unsigned level, Result result) {
  const auto reject_from = [level](unsigned lowest) {
    return level >= lowest ? Decision::reject : Decision::accept;
  };
  switch (result) {
    case Result::pass: return Decision::accept;
    case Result::temperror: return level >= 2 ? Decision::defer : Decision::accept;
    case Result::fail: return reject_from(3);
    case Result::softfail: return reject_from(4);
    case Result::neutral: return reject_from(5);
    case Result::none:
    case Result::permerror: break;
  }
  return reject_from(6);
}

// A HELO name that fails is refused, whatever MAIL's domain comes to.
Decision decide(unsigned level, const Judgement& judgement, HeloCheck helo_check) {
  if (helo_check == HeloCheck::refuse && judgement.helo && judgement.helo->result == Result::fail &&
      decide(level, Result::fail) == Decision::reject)
    return Decision::reject;
  return decide(level, judgement.verdict.result);
}

RecipientLevels::RecipientLevels(const Config& config, std::string_view sender)
    : config_(&config),
      sender_(spf::given(config.sender_levels, sender, GivenLevel::By::sender, {config.level})) {}

GivenLevel RecipientLevels::given(std::string_view recipient) const {
  return spf::given(config_->recipient_levels, recipient, GivenLevel::By::recipient, sender_);
}

bool RecipientLevels::possible(unsigned level) const {
  return level == sender_.level || config_->recipient_levels.have(level);
}

bool RecipientLevels::all_off() const {
  for (unsigned level = 1; level <= max_level; ++level)
    if (possible(level)) return false;
  return true;
}

Decision JudgedMail::decision(unsigned level) const {
  const Decision decision = decide(level, judgement, levels.helo_check());
  if (decision != Decision::reject || !exemption) return decision;
  if (exemption->trouble) return Decision::defer;
  return exemption->reason.empty() ? Decision::reject : Decision::accept;
}

std::optional<Decision> JudgedMail::common_decision() const {
  const Decision of_sender = decision(levels.of_sender());
  for (unsigned level = 0; level <= max_level; ++level)
    if (levels.possible(level) && decision(level) != of_sender) return {};
  return of_sender;
}

const Verdict& JudgedMail::refusing_verdict(unsigned level) const {
  const bool by_domain = decide(level, judgement.verdict.result) == Decision::reject;
  return by_domain || !judgement.helo ? judgement.verdict : *judgement.helo;
}

std::string_view JudgedMail::helo_result() const {
  const auto& [verdict, helo] = judgement;
  if (levels.helo_check() == HeloCheck::no) return {};
  if (helo) return name(helo->result);
  return verdict.identity == Identity::helo ? name(verdict.result) : std::string_view();
}

std::optional<unsigned> JudgedMail::shadow_code() const {
  const auto level = levels.shadow_level();
  if (!level) return {};
  return code(decide(*level, judgement, levels.helo_check()));
}

}  // namespace spf
