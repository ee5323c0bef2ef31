#include "spf/dialogue/policy.hh"

#include "spf/settings/config.hh"
#include "tests/catch.hh"

using spf::Decision;
using spf::Result;

TEST_CASE("each level rejects what it says and what the levels below it reject") {
  constexpr Decision yes = Decision::accept, no = Decision::reject, later = Decision::defer;
  const struct { Result result; Decision at[6]; } cases[] = {
      //                    1     2      3      4      5      6
      {Result::pass,      {yes, yes,   yes,   yes,   yes,   yes}},
      {Result::temperror, {yes, later, later, later, later, later}},
      {Result::fail,      {yes, yes,   no,    no,    no,    no}},
      {Result::softfail,  {yes, yes,   yes,   no,    no,    no}},
      {Result::neutral,   {yes, yes,   yes,   yes,   no,    no}},
      {Result::none,      {yes, yes,   yes,   yes,   yes,   no}},
      {Result::permerror, {yes, yes,   yes,   yes,   yes,   no}},
  };
  for (const auto& c : cases)
    for (unsigned level = 1; level <= spf::max_level; ++level) {
      INFO(spf::name(c.result) << " at level " << level);
      CHECK(decide(level, c.result) == c.at[level - 1]);
    }
}
