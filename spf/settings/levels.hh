// Levels by address, as control/spffrom and control/spfto have them: a rule
// `pattern:level` a line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spf {

// SPFBEHAVIOR is 0 to this; 0 is off, and what a level does the levels above it
// do too (dialogue/policy.hh).
inline constexpr unsigned max_level = 6;

// The rules stay one text, looked through for each address: what starts once for
// each connection has no use for a table that would take longer to build.
class Levels {
 public:
  Levels() = default;

  // Lines of `text`; blank ones and those that begin with # are no rules.
  explicit Levels(std::string text);

  struct Rule {
    unsigned level;
    std::size_t line;          // its number in the text, from 1
    std::string_view pattern;  // in the text
  };

  // The most specific rule for `mailbox` (without angle brackets), and of equal
  // ones the first: `user@domain`, `@domain`, `@.domain` (all below it; the
  // longest), `user@` (at any domain or none). Case, quotes round the local part
  // and a dot at the domain's end make no difference; a domain in other letters
  // than ASCII is that of its A-labels. None is for the null sender.
  std::optional<Rule> find(std::string_view mailbox) const;

  // Whether some rule gives this level, 0 to max_level.
  bool have(unsigned level) const { return (levels_ >> level & 1) != 0; }

  // What `text` has of lines that are no rule though they should be, each as
  // `line N: what is wrong: the line`, the first `most` of them; and how many
  // more there are.
  struct Problems {
    std::vector<std::string> named;
    std::size_t more = 0;
  };
  Problems problems(std::size_t most) const;

 private:
  std::string text_;
  unsigned levels_ = 0;        // a bit for each level that a rule gives
  std::size_t unusable_ = 0;   // lines
};

}  // namespace spf
