#include "spf/base/lines.hh"

#include <algorithm>

namespace spf {

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (text.ends_with('\n')) text.remove_suffix(1);
  for (;;) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == text.npos) return lines;
    text.remove_prefix(end + 1);
  }
}

std::vector<ListLine> list_lines(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  std::vector<ListLine> list;
  std::size_t number = 0;
  for (std::string_view line : lines_of(text)) {
    ++number;
    if (line.starts_with('#')) continue;
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    line = line.substr(0, line.find_last_not_of(blanks) + 1);
    if (!line.empty()) list.push_back({number, line});
  }
  return list;
}

}  // namespace spf
