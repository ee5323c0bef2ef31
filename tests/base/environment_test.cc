#include "spf/base/environment.hh"

#include <array>

#include "tests/catch.hh"

TEST_CASE("an entry sets the variable whose whole name stands before its first =") {
  constexpr std::array<std::string_view, 2> names = {"SPFRESULT", "SPFDOMAIN"};
  const struct { const char* entry; bool sets; } cases[] = {
      {"SPFRESULT=pass", true},
      {"SPFDOMAIN=", true},
      {"SPFDOMAIN=a=b", true},
      {"SPFDOMAIN", true},        // execve(2) takes it, and some shells read it
      {"SPFRESULTS=pass", false},
      {"XSPFRESULT=pass", false},
      {"spfresult=pass", false},
      {"X=SPFRESULT=pass", false},
      {"SPFRESULT =pass", false},
      {"=SPFRESULT", false},
      {"", false},
  };
  for (const auto& c : cases) {
    INFO(c.entry);
    CHECK(spf::sets_one_of(c.entry, names) == c.sets);
  }
}
