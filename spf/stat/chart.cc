#include "spf/stat/chart.hh"

#include <algorithm>
#include <array>
#include <ctime>
#include <iterator>
#include <string_view>
#include <vector>

#include "spf/stat/figures.hh"

namespace spf {
namespace {

constexpr std::size_t most_columns = 54;
constexpr std::int64_t longest_gap = 30 * 24;

// Hours that a column may stand for: as they divide a day, then days, weeks, months.
constexpr unsigned widths[] = {1, 2, 3, 4, 6, 8, 12, 24, 48, 96, 168, 336, 720};

struct Row {
  std::string_view title;
  Decision decision;
};
constexpr Row rows[] = {
    {"let through", Decision::accept}, {"deferred", Decision::defer}, {"refused", Decision::reject}};

std::tm local(std::int64_t time) {
  const std::time_t seconds = time;
  std::tm broken_down{};
  localtime_r(&seconds, &broken_down);
  return broken_down;
}

std::string time_text(const char* format, std::int64_t time) {
  const std::tm broken_down = local(time);
  char text[64];
  return {text, std::strftime(text, sizeof text, format, &broken_down)};
}

struct Columns {
  std::int64_t first;   // hour
  unsigned width;       // hours
  std::vector<Hours::Counts> counts;
};

Columns columns_of(const Hours& hours, std::int64_t first, std::int64_t last) {
  const std::int64_t east = local(first * 3600).tm_gmtoff / 3600;
  Columns columns{};
  for (const unsigned width : widths) {
    columns.width = width;
    columns.first = first - ((first + east) % width + width) % width;
    if ((last - columns.first) / width < std::int64_t(most_columns)) break;
  }
  while ((last - columns.first) / columns.width >= std::int64_t(most_columns)) columns.width *= 2;
  columns.counts.resize(std::size_t((last - columns.first) / columns.width) + 1);
  for (auto hour = hours.hours().lower_bound(first); hour != hours.hours().end(); ++hour)
    for (const Row& row : rows) {
      const std::size_t decision = std::size_t(row.decision);
      columns.counts[std::size_t((hour->first - columns.first) / columns.width)][decision] +=
          hour->second[decision];
    }
  return columns;
}

std::string bar(std::uint64_t count, std::uint64_t most, bool blocks) {
  if (count == 0) return " ";
  const unsigned eighths = unsigned((count * 8 + most - 1) / most);
  if (!blocks) return std::string(1, ".:-=+*#@"[eighths - 1]);
  return {'\xe2', '\x96', char(0x80 + eighths)};
}

// The day of the month where one begins and there is room for it.
std::string days(const Columns& columns) {
  std::string line;
  int day = -1;
  for (std::size_t i = 0; i < columns.counts.size(); ++i) {
    const std::tm begin = local((columns.first + std::int64_t(i) * columns.width) * 3600);
    if (begin.tm_mday == day) continue;
    day = begin.tm_mday;
    if (line.size() > i || (i > 0 && line.size() == i)) continue;
    line.resize(i, ' ');
    line += begin.tm_mday < 10 ? "0" + std::to_string(day) : std::to_string(day);
  }
  return line;
}

std::string width_text(unsigned width) {
  if (width == 1) return "1 hour";
  if (width < 24) return std::to_string(width) + " hours";
  return width == 24 ? "1 day" : std::to_string(width / 24) + " days";
}

}  // namespace

std::string minute_text(std::int64_t time) { return time_text("%Y-%m-%d %H:%M", time); }
std::string zone_text(std::int64_t time) { return time_text("%Z", time); }

std::string hour_chart(const Hours& hours, bool blocks) {
  if (hours.hours().empty()) return {};
  const std::int64_t last = hours.hours().rbegin()->first;
  auto begin = std::prev(hours.hours().end());
  while (begin != hours.hours().begin() && begin->first - std::prev(begin)->first <= longest_gap) --begin;
  const Columns columns = columns_of(hours, begin->first, last);

  std::string text;
  for (const Row& row : rows) {
    const std::size_t decision = std::size_t(row.decision);
    std::uint64_t most = 0;
    for (const Hours::Counts& counts : columns.counts) most = std::max(most, counts[decision]);
    text += "  " + left(row.title, 12);
    for (const Hours::Counts& counts : columns.counts) text += bar(counts[decision], most, blocks);
    text += "  " + grouped(most) + '\n';
  }
  text += std::string(14, ' ') + days(columns) + '\n';
  text += "  A column is " + width_text(columns.width) + "; at the right the most in one.\n";

  std::uint64_t older = 0;
  for (auto hour = hours.hours().begin(); hour != begin; ++hour)
    for (const std::uint64_t count : hour->second) older += count;
  if (older > 0) text += "  Before a gap of over 30 days, not shown: " + grouped(older) + " messages.\n";
  if (hours.left_out() > 0)
    text += "  Of hours beyond " + grouped(Hours::most) + ", not shown: " + grouped(hours.left_out()) + " messages.\n";
  return text;
}

}  // namespace spf
