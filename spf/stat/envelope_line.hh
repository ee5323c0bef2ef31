// One line "qlogenvelope:" read back (dialogue/log_line.hh writes it).
#pragma once

#include <optional>
#include <string_view>

#include "spf/dialogue/policy.hh"
#include "spf/engine/verdict.hh"

namespace spf {

// Views into the line; "" for what it does not have. Nothing in them is sanitised:
// who writes to a log can write what he likes.
struct EnvelopeLine {
  Decision decision;  // code=250, 451, 550
  Result result;      // detail=
  std::string_view helo, mailfrom, rcptto, remoteip, pid, domain, tls, why, policy, heloresult;
  std::optional<unsigned> milliseconds;  // ms=
};

inline constexpr Result all_results[] = {Result::pass,     Result::fail, Result::softfail, Result::neutral,
                                         Result::none, Result::permerror, Result::temperror};

enum class Reading {
  read,
  foreign,         // somebody else's line: a program's, or of a reason that is not SPF
  not_understood,  // ours by its beginning, without a result and code that we write
};

// Reads a line without its stamp. Keys may be missing, as in older lines, and stand
// in any order; of a key that is there twice the first counts. The last word of a
// line that was `cut` is not read. Fills `into` only if it returns `read`.
Reading read_envelope_line(std::string_view line, bool cut, EnvelopeLine& into);

}  // namespace spf
