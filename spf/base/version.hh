// What --version says.
#pragma once

#include <string_view>

namespace spf {

inline constexpr std::string_view version = "1.0";

}  // namespace spf
