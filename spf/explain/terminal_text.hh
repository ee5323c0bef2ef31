// Text for people at a terminal: plain, narrow, and printable ASCII whatever
// it was made from.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spf {

// One line of a tree: nested things are deeper. The label stands in the margin.
struct TreeLine {
  std::string label;
  unsigned depth = 0;
  std::string text;
};

// What strangers may have made long: its beginning, and how many lines are missing.
std::vector<TreeLine> bounded(std::vector<TreeLine> tree);
std::vector<std::string> bounded(std::vector<std::string> remarks);

// Of a long text the beginning, and how long it is.
std::string shortened(std::string text);

class TerminalText {
 public:
  static constexpr std::size_t width = 78;

  // A title, with an empty line before it.
  void title(std::string_view text);

  // `text` after a label. Where it has to be broken, at a blank, what follows
  // stands two columns further in.
  void item(std::string_view label, std::string_view text);
  void tree(const std::vector<TreeLine>& lines);

  // One line from the left margin on, not broken.
  void verbatim(std::string_view text);

  const std::string& text() const { return text_; }

 private:
  void line(std::string_view label, std::size_t column, std::string_view text);

  std::string text_;
};

}  // namespace spf
