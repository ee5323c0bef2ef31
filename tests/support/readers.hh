// Programs for which the header is written: installed, or unpacked below
// READERS_ROOT.
#pragma once

#include "tests/support/process.hh"

namespace test {

struct Reader {
  Arguments program;  // empty where it is not there
  Environment environment;

  bool there() const { return !program.empty(); }
  Finished run(const Arguments& arguments, const Environment& more = {}) const;
};

Reader spamassassin();
Reader opendmarc();

}  // namespace test
