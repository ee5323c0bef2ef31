#include "spf/base/number.hh"

#include "tests/catch.hh"

TEST_CASE("a number is digits alone, and within its bounds") {
  const struct { const char* text; unsigned lowest, highest; int number; } cases[] = {  // -1: none
      {"0", 0, 6, 0},
      {"6", 0, 6, 6},
      {"7", 0, 6, -1},
      {"1", 1, 65535, 1},
      {"0", 1, 65535, -1},
      {"65535", 1, 65535, 65535},
      {"65536", 1, 65535, -1},
      {"007", 0, 9, 7},
      {"00000000000000000000000000000000000007", 0, 9, 7},
      {"", 0, 9, -1},
      {"-1", 0, 9, -1},
      {"+1", 0, 9, -1},
      {" 1", 0, 9, -1},
      {"1 ", 0, 9, -1},
      {"1x", 0, 9, -1},
      {"0x1", 0, 9, -1},
      {"4294967297", 0, 9, -1},                      // 2^32 + 1
      {"18446744073709551617", 0, 4294967295u, -1},  // 2^64 + 1
  };
  for (const auto& c : cases) {
    INFO(c.text);
    const auto number = spf::parse_number(c.text, c.lowest, c.highest);
    CHECK((number ? int(*number) : -1) == c.number);
  }
  CHECK(spf::parse_number("4294967295", 0, 4294967295u) == 4294967295u);
  CHECK_FALSE(spf::parse_number("4294967296", 0, 4294967295u));
  CHECK_FALSE(spf::parse_number(std::string_view("1\0", 2), 0, 9));
}
