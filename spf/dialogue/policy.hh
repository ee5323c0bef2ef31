// What the levels make of a result.
#pragma once

#include <optional>
#include <string_view>

#include "spf/engine/exemption.hh"
#include "spf/engine/verdict.hh"
#include "spf/settings/config.hh"

namespace spf {

enum class Decision {
  accept,  // MAIL goes to the child
  defer,   // 451
  reject,  // 550 to RCPT
};

// The code of the reply, which is 250 for what is accepted.
unsigned code(Decision decision);

// `level` is 0 to max_level (settings/levels.hh); 0 refuses nothing.
Decision decide(unsigned level, Result result);

// The same of a check that may have judged the HELO name too.
Decision decide(unsigned level, const Judgement& judgement, HeloCheck helo_check);

// A level and what gives it.
struct GivenLevel {
  enum class By { behavior, sender, recipient };  // SPFBEHAVIOR, spffrom, spfto
  unsigned level;
  By by = By::behavior;
  std::optional<Levels::Rule> rule{};  // of one of the two files
};

// The levels under which the recipients of one MAIL may come: those of control/spfto,
// which are stronger, and that of its sender.
class RecipientLevels {
 public:
  // `config` must outlive it. The sender is MAIL's, "" the null sender.
  RecipientLevels(const Config& config, std::string_view sender);

  unsigned of_sender() const { return sender_.level; }
  unsigned of(std::string_view recipient) const { return given(recipient).level; }

  // The same with its reason, whose text is the configuration's.
  const GivenLevel& given_by_sender() const { return sender_; }
  GivenLevel given(std::string_view recipient) const;

  // Whether none of them is above 0: then nothing is to be checked.
  bool all_off() const;

  HeloCheck helo_check() const { return config_->helo_check; }
  std::optional<unsigned> shadow_level() const { return config_->shadow_level; }

  // Whether some recipient may have this level.
  bool possible(unsigned level) const;

 private:
  const Config* config_;
  GivenLevel sender_;
};

// A MAIL that was checked, and what becomes of its recipients.
struct JudgedMail {
  Query query;
  Judgement judgement;
  RecipientLevels levels;
  std::optional<Exemption> exemption;  // once a refusal was due, where one may be had

  // Of a recipient with this level. What is refused is let through for a reason,
  // and deferred where it is not known whether there is one.
  Decision decision(unsigned level) const;

  // Of all recipients; nothing where they may differ.
  std::optional<Decision> common_decision() const;

  // Why a recipient with this level is refused: of the two verdicts the one that is.
  const Verdict& refusing_verdict(unsigned level) const;

  // Why it is let through though its level refuses it, or "".
  std::string_view reason() const { return exemption ? std::string_view(exemption->reason) : ""; }

  // The result for the HELO name where that is wanted, be it the only one there is;
  // else "".
  std::string_view helo_result() const;

  // The code that SPFSHADOW's level would have given, where there is one.
  std::optional<unsigned> shadow_code() const;
};

}  // namespace spf
