// A log of any octets: its lines are the same in whatever pieces they come, its
// tables add up, and what is shown of it is harmless.
#include <algorithm>
#include <numeric>
#include <string>

#include "spf/stat/line_buffer.hh"
#include "spf/stat/prometheus.hh"
#include "spf/stat/screen.hh"
#include "spf/stat/statistics.hh"
#include "tests/fuzz/fuzz.hh"

namespace fuzz {
namespace {

void read(std::string_view data, std::size_t piece, spf::Statistics& statistics) {
  spf::LineBuffer lines;
  const auto add = [&statistics](std::string_view line, bool cut) { statistics.add(line, cut); };
  while (!data.empty()) {
    const auto space = lines.space();
    require(!space.empty(), "no room for a line");
    const std::size_t count = std::min({piece, data.size(), space.size()});
    std::copy_n(data.begin(), count, space.begin());
    data.remove_prefix(count);
    lines.written(count, add);
  }
  lines.finish(add);
}

template <class Counts>
std::uint64_t sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t(0));
}

void try_tables(const spf::Statistics& s) {
  const std::uint64_t messages = s.messages();
  require(s.understood + s.not_understood <= s.lines && messages <= s.understood, "more messages than lines");
  require(sum(s.judged) + s.let_through == messages, "messages that are not judged");
  std::uint64_t stopped = 0;
  for (unsigned level = 1; level <= spf::max_level; ++level) {
    const auto decided = s.at_level(level);
    require(sum(decided) == messages, "a level that leaves messages out");
    stopped += s.cost[level].domains.total();
    require(messages - decided[0] == stopped, "a level that costs what it does not stop");
    require(s.cost[level].clients.total() == s.cost[level].domains.total(), "a message without its client");
  }
  require(s.refused.domains.total() == sum(s.decided[2]), "a refusal of nobody");
  std::uint64_t dated = s.hours.left_out();
  for (const auto& [hour, counts] : s.hours.hours()) dated += sum(counts);
  require(dated + s.undated + s.future == messages, "messages out of time");
  require(s.durations.count() <= messages, "more checks than messages");
}

void try_text(const std::string& text) {
  std::size_t columns = 0;
  for (const char c : text) {
    require(c == '\n' || (c >= ' ' && c <= '~'), "a screen that is not printable");
    columns = c == '\n' ? 0 : columns + 1;
    require(columns <= 79, "a line too long for a terminal");
  }
}

}  // namespace

void log(std::string_view data) {
  constexpr std::int64_t now = 1'800'000'000;
  const std::size_t piece = data.empty() ? 1 : 1 + std::size_t(static_cast<unsigned char>(data.front()));
  spf::Statistics whole(now), pieces(now);
  read(data, data.size(), whole);
  read(data, piece, pieces);
  try_tables(whole);
  const std::string text = spf::screen(whole, false);
  try_text(text);
  require(text == spf::screen(pieces, false), "other tables of other pieces");
  require(spf::prometheus_text(whole) == spf::prometheus_text(pieces), "other figures of other pieces");
}

}  // namespace fuzz
