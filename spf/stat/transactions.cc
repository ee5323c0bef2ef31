#include "spf/stat/transactions.hh"

#include <functional>

#include "spf/base/ascii.hh"

namespace spf {
namespace {

// Of what the lines of one message have in common. A session's lines are not
// mistaken for another's that had the same slot.
std::uint64_t digest_of(const EnvelopeLine& line) {
  std::uint64_t digest = line.milliseconds.value_or(0);
  for (const std::string_view part : {line.pid, line.remoteip, line.helo, line.mailfrom, line.domain})
    digest = (digest ^ std::hash<std::string_view>()(part)) * 0x9e3779b97f4a7c15;
  return digest * 8 + unsigned(line.result);
}

std::size_t pid_of(std::string_view digits) {
  std::size_t pid = 0;
  for (const char c : digits)
    if (is_digit(c)) pid = pid * 10 + unsigned(c - '0');
  return pid;
}

}  // namespace

bool Transactions::begins(const EnvelopeLine& line) {
  Last& last = last_[pid_of(line.pid) % slots];
  const std::uint64_t digest = digest_of(line);
  const bool same = digest == last.digest;
  switch (line.decision) {
    case Decision::accept:
      // Where the level is that of the recipient, others may have been refused before.
      if (same && !last.let_through) return !(last.let_through = true);
      last = {digest, true};
      return true;
    case Decision::defer:
      if (line.rcptto.empty()) break;  // to MAIL
      [[fallthrough]];
    case Decision::reject:
      if (same) return false;
  }
  last = {digest, false};
  return true;
}

}  // namespace spf
