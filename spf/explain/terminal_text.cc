#include "spf/explain/terminal_text.hh"

#include <algorithm>

#include "spf/base/sanitise.hh"

namespace spf {
namespace {

constexpr std::size_t label_column = 2;
constexpr std::size_t text_column = 17;
constexpr std::size_t step = 2;  // of a tree, and of what is continued
constexpr std::size_t narrowest = 30;

// Octets, and what a line takes beside its text. Two trees, or one with a record and
// two lists of remarks, find room in what a process behind the wall may say, be each
// octet written as six.
constexpr std::size_t most_of_tree = 64000, most_of_remarks = 16000, beside_text = 64;

constexpr std::size_t most_of_text = 500;

// Takes off the end of `lines` what is over `room`, and tells of it; "" for nothing.
template <class Lines, class Size>
std::string cut(Lines& lines, std::size_t room, Size size) {
  const std::size_t all = lines.size();
  std::size_t kept = 0;
  for (; kept < all && size(lines[kept]) + beside_text <= room; ++kept) room -= size(lines[kept]) + beside_text;
  lines.resize(kept);
  return kept == all ? std::string() : "lines left out: " + std::to_string(all - kept);
}

// How much of `text` stands on a line of `room` columns: up to a blank.
std::size_t fitting(std::string_view text, std::size_t room) {
  if (text.size() <= room) return text.size();
  const std::size_t before = text.rfind(' ', room);
  if (before != text.npos && before != 0) return before;
  return std::min(text.find(' ', 1), text.size());
}

}  // namespace

std::vector<TreeLine> bounded(std::vector<TreeLine> tree) {
  const std::string rest = cut(tree, most_of_tree, [](const TreeLine& line) { return line.text.size(); });
  if (!rest.empty()) tree.push_back({{}, 0, rest});
  return tree;
}

std::vector<std::string> bounded(std::vector<std::string> remarks) {
  const std::string rest = cut(remarks, most_of_remarks, [](const std::string& text) { return text.size(); });
  if (!rest.empty()) remarks.push_back(rest);
  return remarks;
}

std::string shortened(std::string text) {
  const std::size_t size = text.size();
  if (size <= most_of_text) return text;
  text.resize(most_of_text);
  return text + "... (" + std::to_string(size) + " octets)";
}

void TerminalText::title(std::string_view text) {
  text_ += '\n';
  verbatim(text);
}

void TerminalText::item(std::string_view label, std::string_view text) {
  line(label, text_column, text);
}

void TerminalText::tree(const std::vector<TreeLine>& lines) {
  for (const TreeLine& l : lines) {
    const std::size_t column = text_column + step * l.depth;
    line(l.label, std::min(column, width - narrowest), l.text);
  }
}

void TerminalText::verbatim(std::string_view text) {
  text_ += printable(text, text.size());
  text_ += '\n';
}

void TerminalText::line(std::string_view label, std::size_t column, std::string_view text) {
  const std::string clean = printable(text, text.size());
  std::string_view rest = clean;
  std::string start(label_column, ' ');
  start += printable(label, label.size());
  if (start.size() >= column) start += ' ';
  start.resize(std::max(start.size(), column), ' ');
  do {
    const std::size_t room = width > start.size() ? width - start.size() : 0;
    const std::string_view piece = rest.substr(0, fitting(rest, room));
    rest.remove_prefix(std::min(piece.size() + 1, rest.size()));
    text_ += start;
    text_ += piece;
    text_.resize(text_.find_last_not_of(' ') + 1);
    text_ += '\n';
    start.assign(column + step, ' ');
  } while (!rest.empty());
}

}  // namespace spf
