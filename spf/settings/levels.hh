// Levels by address, as control/spffrom and control/spfto have them: a rule
// `pattern:level` a line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spf/base/list_file.hh"

namespace spf {

// SPFBEHAVIOR is 0 to this; 0 is off, and what a level does the levels above it
// do too (dialogue/policy.hh).
inline constexpr unsigned max_level = 6;

// The list is read anew for each address: what starts once for each connection has no
// use for a table that would take longer to build, nor memory for 20,000 rules.
class Levels {
 public:
  Levels() = default;

  // Lines of `list`; blank ones and those that begin with # are no rules. Throws
  // std::system_error where it can't be read, as do the others.
  explicit Levels(ListFile list);
  explicit Levels(std::string text) : Levels(ListFile(std::move(text))) {}

  struct Rule {
    unsigned level;
    std::size_t line;  // its number in the list, from 1
    std::string pattern;
  };

  // The most specific rule for `mailbox` (without angle brackets), and of equal
  // ones the first: `user@domain`, `@domain`, `@.domain` (all below it; the
  // longest), `user@` (at any domain or none). Case, quotes round the local part
  // and a dot at the domain's end make no difference; a domain in other letters
  // than ASCII is that of its A-labels. None is for the null sender.
  std::optional<Rule> find(std::string_view mailbox) const;

  // Whether some rule gives this level, 0 to max_level.
  bool have(unsigned level) const { return (levels_ >> level & 1) != 0; }

  // Reads the list for the last time (ListFile::hold).
  void hold() { list_.hold(); }

  // Rules, and lines that are none though they should be.
  std::size_t lines() const { return lines_; }

  // What the list has of lines that are no rule though they should be, each as
  // `line N: what is wrong: the line`, the first `most` of them; and how many
  // more there are.
  struct Problems {
    std::vector<std::string> named;
    std::size_t more = 0;
  };
  Problems problems(std::size_t most) const;

 private:
  ListFile list_;
  unsigned levels_ = 0;        // a bit for each level that a rule gives
  std::size_t lines_ = 0, unusable_ = 0;
};

}  // namespace spf
