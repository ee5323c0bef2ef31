// How a program is called, and what every one of ours answers besides its work:
// --version and --help.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spf {

struct Usage {
  std::string_view program;
  std::string_view arguments;  // the ways to call it, a line each
  std::string_view about;      // what it does, in lines, and where the rest is told
};

// Where the first argument is --version or --help: prints that on descriptor 1 and
// gives the exit code, 0, or system_trouble where it can't be written.
std::optional<int> answer_about(const Usage& usage, int argc, char** argv);

// What to log where it was called in another way: "spfwrap: usage: spfwrap prog".
std::string usage_message(const Usage& usage);

}  // namespace spf
