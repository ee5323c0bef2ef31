// What SPFBEHAVIOR makes of a result.
#pragma once

#include "spf/verdict.hh"

namespace spf {

inline constexpr unsigned max_level = 6;

enum class Decision {
  accept,  // MAIL goes to the child
  defer,   // 451 to MAIL
  reject,  // 250 to MAIL, 550 to each RCPT
};

// `level` is 1 to max_level; what a level does, the levels above it do too.
Decision decide(unsigned level, Result result);

}  // namespace spf
