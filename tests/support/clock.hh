// Waiting for a condition, always with a limit: no test sleeps instead.
#pragma once

#include <unistd.h>

#include <chrono>

namespace test {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

// How long anything here may take before a test gives up on it. Generous: it
// costs time only where something is wrong.
inline constexpr milliseconds patience = 20s;

// Whether `condition` came true within `limit`. Most do at once, or take long.
template <class Condition>
bool wait_until(Condition condition, milliseconds limit = patience) {
  const auto end = Clock::now() + limit;
  for (unsigned pause = 200; !condition(); usleep(pause), pause = pause < 2000 ? 2 * pause : pause)
    if (Clock::now() > end) return false;
  return true;
}

inline milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

}  // namespace test
