// Texts of several lines.
#pragma once

#include <string_view>
#include <vector>

namespace spf {

// The lines of `text`, of which LF ends all but the last one; empty ones at its
// end don't count. "" is one line. Views point into `text`.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace spf
