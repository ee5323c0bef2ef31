// Catch2 version 2 (Debian 12) or 3 (newer), whichever is installed.
#pragma once

#include <string>

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

namespace test {

// Whether a test, or the rest of one, has to be left out; the TAP says why.
inline bool left_out(bool needed, const std::string& why) {
  if (needed) SUCCEED("left out: " << why);
  return needed;
}

}  // namespace test
