// The files of tests/examples/files, as a test can use them, and Debian's programs that they
// are for.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/support/process.hh"
#include "tests/support/temp_dir.hh"

namespace test {

// Where make check unpacks the programs that are not installed.
inline std::string unpacked(const std::string& path) {
  const char* root = getenv("EXAMPLES_ROOT");
  return root ? root + path : path;
}

// The path of a program, installed or unpacked; "" where it is neither.
inline std::string debian_program(const std::string& name) {
  for (const std::string& directory : {std::string("/usr/bin/"), std::string("/usr/sbin/"), unpacked("/usr/bin/"),
                                       unpacked("/usr/sbin/"), unpacked("/bin/")})
    if (access((directory + name).c_str(), X_OK) == 0) return directory + name;
  return "";
}

// Text and what stands for it in a test, in this order.
using Replacements = std::vector<std::pair<std::string, std::string>>;

// An example with all of the first replaced by the second.
inline std::string example(const std::string& name, const Replacements& replacements = {}) {
  std::string text = read_file("tests/examples/files/" + name);
  for (const auto& [from, to] : replacements)
    for (auto at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
      text.replace(at, from.size(), to);
  return text;
}

}  // namespace test
