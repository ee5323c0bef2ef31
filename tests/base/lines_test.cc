#include "spf/base/lines.hh"

#include <string>

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

TEST_CASE("of a list's lines those that say something count, each with its number") {
  const struct { const char* text; const char* told; } cases[] = {
      {"one", "1:one,"},
      {"one\ntwo\n", "1:one,2:two,"},
      {"# what\n\none \t\r\n#two\n \t\n  three", "3:one,6:three,"},
      {"one # two", "1:one # two,"},
      {" #one", "1:#one,"},
      {"", ""},
      {"\n\n", ""},
      {"#", ""},
  };
  for (const auto& c : cases) {
    std::string told;
    for (const auto& [number, text] : spf::list_lines(c.text))
      told += std::to_string(number) + ":" + std::string(text) + ",";
    INFO(c.text);
    CHECK(told == c.told);
  }
}
