#include "spf/tls/certificate.hh"

#include <array>
#include <cstddef>
#include <cstdio>

#include "spf/base/ascii.hh"
#include "spf/base/sanitise.hh"
#include "spf/tls/status.hh"

namespace spf {
namespace {

using namespace std::chrono;

constexpr std::string_view time_form = "dddd-dd-ddTdd:dd:ddZ";
constexpr std::string_view more = " ...";

// The number in so many digits at `at`.
int number(std::string_view text, std::size_t at, std::size_t digits) {
  int value = 0;
  for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
  return value;
}

std::optional<Certificate::Time> parse_time(std::string_view text) {
  if (text.size() != time_form.size()) return {};
  for (std::size_t i = 0; i < text.size(); ++i)
    if (time_form[i] == 'd' ? !is_digit(text[i]) : text[i] != time_form[i]) return {};
  const year_month_day date{year(number(text, 0, 4)), month(unsigned(number(text, 5, 2))),
                            day(unsigned(number(text, 8, 2)))};
  const int hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return {};
  return sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
}

}  // namespace

std::string utc_text(Certificate::Time time) {
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  std::array<char, 40> text;
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ",
                                 int(date.year()), unsigned(date.month()), unsigned(date.day()),
                                 int(clock.hours().count()), int(clock.minutes().count()),
                                 int(clock.seconds().count()));
  return std::string(text.data(), std::size_t(size));
}

std::string certificate_line(const Certificate& certificate) {
  std::string line =
      "from " + utc_text(certificate.from) + " until " + utc_text(certificate.until) + " for";
  for (const std::string& name : certificate.names) {
    const std::string word = ' ' + printable_word(name, max_item);
    if (line.size() + word.size() + more.size() + 1 > max_tls_status) {
      line += more;
      break;
    }
    line += word;
  }
  return line + '\n';
}

std::optional<Certificate> parse_certificate_line(std::string_view line) {
  if (printable(line, max_tls_status) != line) return {};
  if (take_word(line) != "from") return {};
  const auto from = parse_time(take_word(line));
  if (take_word(line) != "until") return {};
  const auto until = parse_time(take_word(line));
  if (!from || !until || take_word(line) != "for") return {};
  Certificate certificate{*from, *until, {}};
  while (!line.empty()) certificate.names.emplace_back(take_word(line));
  return certificate;
}

}  // namespace spf
