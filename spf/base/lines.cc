#include "spf/base/lines.hh"

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

bool take_list_line(std::string_view& rest, ListLine& line) {
  constexpr auto is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    line.text = rest.substr(0, end);
    ++line.number;
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (line.text.starts_with('#')) continue;
    while (!line.text.empty() && is_blank(line.text.back())) line.text.remove_suffix(1);
    while (!line.text.empty() && is_blank(line.text.front())) line.text.remove_prefix(1);
    if (!line.text.empty()) return true;
  }
  return false;
}

std::vector<ListLine> list_lines(std::string_view text) {
  std::vector<ListLine> list;
  for (ListLine line{0, {}}; take_list_line(text, line);) list.push_back(line);
  return list;
}

}  // namespace spf
