// Plays one simulated session, with the session and the proxy as they are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulate/plan.hh"

namespace simulate {

struct Played {
  std::vector<std::string> problems;  // each, where the program is at fault
  std::uint64_t transcript = 0;       // a hash of all that happened, and when
  unsigned long calls = 0;            // that the proxy made
  bool blamed = false;                // somebody else failed
  unsigned long acknowledged = 0, queued = 0;
};

// `print`: all that happens goes to descriptor 1.
Played play(const Plan& plan, bool print = false);

}  // namespace simulate
