// Texts of several lines.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace spf {

// The lines of `text`, of which LF ends all but the last one; empty ones at its
// end don't count. "" is one line. Views point into `text`.
std::vector<std::string_view> lines_of(std::string_view text);

// One rule of a control file that is a list.
struct ListLine {
  std::size_t number;     // of the line, from 1
  std::string_view text;  // without the blanks round it; not empty
};

// Takes lines off `rest` up to the next one that is no blank one and does not begin
// with #, which `line` becomes; `line` holds the number of the one before, 0 at
// first. False where there is none. Views point into the text.
bool take_list_line(std::string_view& rest, ListLine& line);

// All of them.
std::vector<ListLine> list_lines(std::string_view text);

}  // namespace spf
