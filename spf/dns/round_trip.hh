// How long an answer of one name server is waited for before the question is
// asked again: RFC 6298 section 2, on what one check has measured.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace spf {

class RoundTrip {
 public:
  using Duration = std::chrono::microseconds;

  // Without a measurement. RFC 6298 says a second, for a path of which nothing
  // is known; a resolver is near, and if it only looks for the answer itself,
  // asking again costs one packet a check.
  static constexpr Duration unmeasured = std::chrono::milliseconds(300);
  static constexpr Duration least = std::chrono::milliseconds(100);
  static constexpr Duration most = std::chrono::seconds(1);

  // From a packet to the answer to that same packet: each has an id of its own,
  // so an answer after a repetition can be told apart (Karn's rule is kept, and
  // no measurement lost: what had to be repeated because the server is slow to
  // find it is what has to be learnt). Answers from a cache and such as the
  // server looked for are one measure: where both come, their distance is in
  // the variance.
  void measure(Duration sample) {
    if (!mean_) {
      mean_ = sample;
      variation_ = sample / 2;
      return;
    }
    variation_ = (3 * variation_ + (sample > *mean_ ? sample - *mean_ : *mean_ - sample)) / 4;
    mean_ = (7 * *mean_ + sample) / 8;
  }

  // Until the first repetition.
  Duration patience() const {
    return mean_ ? std::clamp(*mean_ + 4 * variation_, least, most) : unmeasured;
  }

 private:
  std::optional<Duration> mean_;  // SRTT
  Duration variation_{};          // RTTVAR
};

}  // namespace spf
