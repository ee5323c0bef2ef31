#include "spf/base/lines.hh"

#include "tests/catch.hh"

TEST_CASE("a text is lines, and what is empty at its end is nothing") {
  using Lines = std::vector<std::string_view>;
  const struct { const char* text; Lines lines; } cases[] = {
      {"one", {"one"}},
      {"one\n", {"one"}},
      {"one\ntwo", {"one", "two"}},
      {"one\n\ntwo\n\n\n", {"one", "", "two"}},
      {"\none", {"", "one"}},
      {"one\r\ntwo\r", {"one\r", "two\r"}},
      {"", {""}},
      {"\n\n", {""}},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(spf::lines_of(c.text) == c.lines);
  }
}
