#include "spf/dialogue/policy.hh"

namespace spf {
namespace {

unsigned level_for(const Levels& levels, std::string_view mailbox, unsigned otherwise) {
  const auto rule = levels.find(mailbox);
  return rule ? rule->level : otherwise;
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
    : config_(&config), sender_(level_for(config.sender_levels, sender, config.level)) {}

unsigned RecipientLevels::of(std::string_view recipient) const {
  return level_for(config_->recipient_levels, recipient, sender_);
}

bool RecipientLevels::possible(unsigned level) const {
  return level == sender_ || config_->recipient_levels.have(level);
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

}  // namespace spf
