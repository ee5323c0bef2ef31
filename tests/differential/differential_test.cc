// The shorter of two runs against pyspf; make differential is the longer.
#include "tests/catch.hh"
#include "tests/support/process.hh"

using namespace test;

TEST_CASE("on random zones pyspf says the same, or a section of RFC 7208 says why not") {
  const Finished done = run({"/usr/bin/python3", "-B", "tests/differential/compare.py",
                             test_program("../differential/judge"), "1500", "2"}, {}, 10 * patience);
  INFO(done.out << done.err);
  CHECK(done.code == 0);
}
