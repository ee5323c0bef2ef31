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

// What SpamAssassin makes of a message's header.
struct SpamAssassinFound {
  std::string passed;     // the identity that has: "mailfrom", "helo"; "none"
  std::string debugging;  // what its plugin said of this
};

// Of each message; all are given to one SpamAssassin, which takes long to start.
std::vector<SpamAssassinFound> read_by_spamassassin(const std::vector<std::string>& messages);

}  // namespace test
