// What spfcheck finds of one client and sender: data, for people (report_text.hh)
// and for scripts.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/dialogue/policy.hh"
#include "spf/engine/check.hh"
#include "spf/engine/limits.hh"
#include "spf/explain/terminal_text.hh"
#include "spf/settings/config.hh"
#include "spf/dns/resolver.hh"

namespace spf {

// What is to be judged. Without a recipient, one that no line of spfto is for.
struct CheckedMail {
  Query query;
  std::optional<std::string> recipient;
  bool own_address = false;  // the client is one of this machine's own addresses
};

// A level, and what gives it.
struct ReportedLevel {
  unsigned level = 0;
  std::string setting;   // SPFBEHAVIOR, spffrom or spfto
  std::string source;    // as in Setting: "environment", the file's path, or "default"
  std::size_t line = 0;  // of the file, where that is a list
  std::string rule;      // that line
};

// Our lines of reply to a command; none where prog answers.
struct Answered {
  std::string command;
  std::vector<std::string> lines;
  bool operator==(const Answered&) const = default;
};

// The dialogue at levels where it is the same.
struct LevelReplies {
  unsigned first, last;
  std::vector<Answered> answers;
};

// What a recipient would hear of whom a line of spfto speaks.
struct RecipientReply {
  unsigned level;
  Decision decision;
};

struct CheckReport {
  Query query;
  std::optional<std::string> recipient;
  Judgement judgement;
  ReportedLevel level;  // that holds
  std::optional<Exemption> exemption;       // where a refusal is due at that level
  bool exemption_not_asked = false;         // but would be at another level that `replies` has
  std::optional<unsigned> shadow_level, shadow_code;

  Limits used;
  std::optional<Limits> used_by_local_rules;
  std::chrono::seconds time_limit;
  std::vector<std::string> warnings;
  std::vector<TreeLine> evaluation, helo_evaluation;
  std::string_view nothing_evaluated;  // why, or ""
  std::string header;                  // fields, with LF
  std::vector<std::string> environment;  // "NAME=value"

  // Those to the recipient where there is one; else by level.
  std::vector<LevelReplies> replies;
  std::vector<RecipientReply> recipient_replies;  // without a recipient: by the levels of spfto
};

// Makes the check that spfwrap would make with this configuration, and searches for
// an exemption where spfwrap would. The client of `config` does not matter; `found`
// is where its settings stand. Throws std::bad_alloc.
CheckReport report_check(const CheckedMail& asked, const Config& config,
                         const std::vector<Setting>& found, Resolver& resolver);

}  // namespace spf
