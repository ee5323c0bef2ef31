// Which lines of the log are of one message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spf/stat/envelope_line.hh"

namespace spf {

// A message is what comes after one MAIL. One that is let through, or deferred at
// MAIL, has one line. One that is refused has a line for each recipient; they have
// all but the recipient in common. Lines of other processes may stand between them:
// the last line of each process is remembered, by its pid modulo `slots`.
//
// Two messages from one sender in one session, both refused, whose checks took the
// same time to the millisecond, can't be told from one with more recipients.
class Transactions {
 public:
  // Whether `line` is the first of its message.
  bool begins(const EnvelopeLine& line);

 private:
  static constexpr std::size_t slots = 16384;

  struct Last {
    std::uint64_t digest = 0;
    bool let_through = false;  // for one of its recipients
  };
  std::vector<Last> last_ = std::vector<Last>(slots);
};

}  // namespace spf
