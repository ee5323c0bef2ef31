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

// The lines of such a file's text, but for blank ones and those that begin with
// #. Views point into `text`.
std::vector<ListLine> list_lines(std::string_view text);

}  // namespace spf
