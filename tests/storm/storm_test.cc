// A short run of the storm; make storm has the long one.
#include "tests/catch.hh"
#include "tests/support/process.hh"

using namespace test;

TEST_CASE("what is answered 250 is queued once and whole, and nothing else is, whatever fails meanwhile") {
  const Finished storm = run({test_program("../storm/storm"), "300", "7"}, {{"SPFWRAP_BIN", program("")},
                             {"SPFWRAP_BUILD", test_program("../..")}}, 120s);
  INFO(storm.out << storm.err);
  CHECK(storm.out.find("Nothing lost, nothing twice.") != std::string::npos);
  CHECK(storm.code == 0);
}
