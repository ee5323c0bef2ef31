// How our programs end where they are no use, as their relatives of ucspi do.
#pragma once

namespace spf {

inline constexpr int wrong_usage = 100;
inline constexpr int system_trouble = 111;

}  // namespace spf
