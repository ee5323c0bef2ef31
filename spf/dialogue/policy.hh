// What SPFBEHAVIOR makes of a result.
#pragma once

#include "spf/engine/verdict.hh"

namespace spf {

enum class Decision {
  accept,  // MAIL goes to the child
  defer,   // 451 to MAIL
  reject,  // 250 to MAIL, 550 to each RCPT
};

// `level` is 1 to max_level (settings/config.hh).
Decision decide(unsigned level, Result result);

}  // namespace spf
