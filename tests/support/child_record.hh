// What tests/programs/child wrote into its record, one ChildRun per process.
#pragma once

#include <string>
#include <vector>

#include "tests/support/process.hh"

namespace test {

struct ChildRun {
  int pid = 0;
  Arguments arguments;                // argv, argv[0] included
  Environment environment;            // SPF*, UCSPI and some other variables
  std::vector<std::string> commands;  // each command line, without its CRLF
  std::vector<std::string> messages;  // each accepted message, un-stuffed
  std::string end;                    // quit, eof, eof-in-data, bare-lf, fault;
                                      // "" while it runs or if it was killed
  bool early_input = false;           // something was there before the greeting
  bool ahead = false;                 // something came before the reply to the
                                      // command before it

  bool has(const std::string& name) const { return environment.count(name); }
  std::string value(const std::string& name) const;  // "" where it has none
};

// In the order in which the processes started.
std::vector<ChildRun> read_record(const std::string& path);

}  // namespace test
