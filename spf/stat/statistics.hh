// What is counted in the log, line by line.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "spf/settings/config.hh"
#include "spf/stat/durations.hh"
#include "spf/stat/envelope_line.hh"
#include "spf/stat/frequent.hh"
#include "spf/stat/hours.hh"
#include "spf/stat/stamp.hh"
#include "spf/stat/transactions.hh"

namespace spf {

inline constexpr std::size_t result_count = std::size(all_results);

// By Result.
using ByResult = std::array<std::uint64_t, result_count>;

// The lowest level that does not let `result` through; 0 if none does.
unsigned lowest_level(Result result);

// Domains and clients of some messages.
struct Parties {
  Frequent domains, clients;
  void add(const EnvelopeLine& line);
};

// Read by all, changed by add() alone. Its size does not depend on what is added,
// beyond the bounds of Frequent and Hours. Except where it says lines or recipients,
// messages are counted (transactions.hh), each by its first line.
struct Statistics {
  // `now`, seconds since 1970: later than a day after that is no time for a line.
  explicit Statistics(std::int64_t now) : latest(now + 24 * 3600) {}

  // One line without its LF; `cut` if its end may be missing.
  void add(std::string_view line, bool cut);

  std::uint64_t lines = 0;
  std::uint64_t understood = 0;      // lines
  std::uint64_t not_understood = 0;  // lines

  std::uint64_t messages() const;
  std::array<ByResult, 3> decided{};     // by Decision
  std::uint64_t recipients_refused = 0;  // with 550

  // What a level would have done: messages by Decision.
  std::array<std::uint64_t, 3> at_level(unsigned level) const;
  ByResult judged{};              // without those that policy= lets through
  std::uint64_t let_through = 0;  // by policy=, at each level
  std::uint64_t helo_fails = 0;   // let through at level 3, not so with SPFHELO=2
  std::array<Parties, max_level + 1> cost;  // of a level, beyond that of the one below it

  Parties refused;    // with 550
  Frequent troubles;  // "result why", of permerror and temperror

  Durations durations;
  std::map<std::string, std::uint64_t, std::less<>> protocols;  // tls=
  static constexpr std::size_t most_protocols = 8;              // the rest is "other"

  Hours hours;  // of messages
  std::optional<std::int64_t> first, last;  // times of lines
  std::uint64_t undated = 0, future = 0;    // messages
  std::int64_t latest;

 private:
  void add_message(const EnvelopeLine& line, const Stamp& stamp);
  void add_to_levels(const EnvelopeLine& line);
  void add_time(const EnvelopeLine& line, const Stamp& stamp);
  void add_protocol(std::string_view protocol);

  StampReader stamps_;
  Transactions transactions_;
};

}  // namespace spf
