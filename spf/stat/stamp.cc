#include "spf/stat/stamp.hh"

#include <ctime>

#include "spf/base/ascii.hh"

namespace spf {
namespace {

constexpr std::size_t tai64n_digits = 24;
constexpr std::uint64_t tai64_of_1970 = (std::uint64_t(1) << 62) + 10;

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::size_t behind_blanks(std::string_view line, std::size_t at) {
  while (at < line.size() && line[at] == ' ') ++at;
  return at;
}

Stamp read_tai64n(std::string_view line) {
  std::uint64_t seconds = 0;
  for (std::size_t i = 1; i <= tai64n_digits; ++i) {
    const int digit = i < line.size() ? hex_digit(line[i]) : -1;
    if (digit < 0) return {};
    if (i <= 16) seconds = seconds << 4 | unsigned(digit);
  }
  const std::size_t end = 1 + tai64n_digits, text = behind_blanks(line, end);
  if (text == end) return {};
  if (seconds < tai64_of_1970 || seconds >> 63) return {{}, text};
  return {std::int64_t(seconds - tai64_of_1970), text};
}

// The digits at `at`, or -1.
int number_at(std::string_view line, std::size_t at, std::size_t digits) {
  int number = 0;
  for (std::size_t i = at; i < at + digits; ++i) {
    if (i >= line.size() || !is_digit(line[i])) return -1;
    number = number * 10 + (line[i] - '0');
  }
  return number;
}

// Days since 1970 in the Gregorian calendar, whose years begin in March here.
std::int64_t days_since_1970(int year, int month, int day) {
  const std::int64_t y = month > 2 ? year : year - 1;
  const std::int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

struct Zone {
  bool given = false;
  int seconds = 0;  // east of Greenwich
};

// Takes a zone off `at`.
Zone read_zone(std::string_view line, std::size_t& at) {
  if (at >= line.size()) return {};
  if (line[at] == 'Z') return {++at > 0, 0};
  if (line[at] != '+' && line[at] != '-') return {};
  const std::size_t colon = at + 3 < line.size() && line[at + 3] == ':';
  const int hours = number_at(line, at + 1, 2), minutes = number_at(line, at + 3 + colon, 2);
  if (hours < 0 || minutes < 0) return {};
  const int seconds = hours * 3600 + minutes * 60;
  const bool west = line[at] == '-';
  at += 5 + colon;
  return {true, west ? -seconds : seconds};
}

// Behind "host tag: ", if that is there. No more than two words: what else stands
// before our lines in other lines is text from strangers.
std::size_t behind_tag(std::string_view line, std::size_t at) {
  const std::size_t host_end = line.find(' ', at);
  if (host_end == line.npos) return at;
  const std::size_t tag_end = line.find(' ', host_end + 1);
  if (tag_end == line.npos || line[tag_end - 1] != ':') return at;
  return behind_blanks(line, tag_end);
}

}  // namespace

Stamp StampReader::read(std::string_view line) {
  if (line.starts_with('@')) return read_tai64n(line);
  constexpr std::size_t size = std::string_view("2026-11-22T13:45:12").size();
  if (line.size() <= size || line[4] != '-' || line[7] != '-' || line[13] != ':' || line[16] != ':') return {};
  const char between = line[10];
  const int year = number_at(line, 0, 4), month = number_at(line, 5, 2), day = number_at(line, 8, 2),
            hour = number_at(line, 11, 2), minutes = number_at(line, 14, 2), seconds = number_at(line, 17, 2);
  if ((between != '_' && between != 'T' && between != ' ') || year < 1970 || month < 1 || month > 12 ||
      day < 1 || day > 31 || hour < 0 || hour > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60)
    return {};
  std::size_t at = size;
  if (line[at] == '.' || line[at] == ',')
    do ++at;
    while (at < line.size() && is_digit(line[at]));
  const Zone zone = read_zone(line, at);
  std::size_t text = behind_blanks(line, at);
  if (text == at) return {};
  if (between == 'T') text = zone.given ? behind_tag(line, text) : text;
  const bool is_local = between == ' ' && !zone.given;
  const std::int64_t minute =
      is_local ? local_time(line.substr(0, 16), year, month, day, hour, minutes)
               : ((days_since_1970(year, month, day) * 24 + hour) * 60 + minutes) * 60 - zone.seconds;
  if (minute < 0) return {{}, text};
  return {minute + seconds, text};
}

std::int64_t StampReader::local_time(std::string_view minute, int year, int month, int day, int hour,
                                     int minutes) {
  if (minute == known_minute_) return known_time_;
  std::tm broken_down{};
  broken_down.tm_year = year - 1900;
  broken_down.tm_mon = month - 1;
  broken_down.tm_mday = day;
  broken_down.tm_hour = hour;
  broken_down.tm_min = minutes;
  broken_down.tm_isdst = -1;
  known_minute_ = minute;
  known_time_ = std::mktime(&broken_down);
  return known_time_;
}

}  // namespace spf
