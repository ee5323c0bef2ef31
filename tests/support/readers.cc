#include "tests/support/readers.hh"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

namespace test {
namespace {

namespace fs = std::filesystem;

std::string root() {
  const char* unpacked = getenv("READERS_ROOT");
  return unpacked ? unpacked : "";
}

// Perl with the modules below the root: usr/share/perl5 and
// usr/lib/MACHINE/perl5/VERSION. -T is what SpamAssassin wants.
Arguments perl() {
  Arguments command = {"/usr/bin/perl", "-T", "-I" + root() + "/usr/share/perl5"};
  for (const auto& machine : fs::directory_iterator(root() + "/usr/lib"))
    if (const fs::path modules = machine.path() / "perl5"; fs::is_directory(modules))
      for (const auto& version : fs::directory_iterator(modules))
        command.push_back("-I" + version.path().string());
  return command;
}

bool is_program(const std::string& path) { return access(path.c_str(), X_OK) == 0; }

}  // namespace

Reader spamassassin() {
  const std::string path = "/usr/bin/spamassassin";
  if (is_program(path)) return {{path}, {}};
  if (root().empty() || !is_program(root() + path)) return {};
  Reader found{perl(), {}};
  found.program.push_back(root() + path);
  return found;
}

Reader opendmarc() {
  const std::string path = "/usr/sbin/opendmarc";
  if (is_program(path)) return {{path}, {}};
  if (root().empty() || !is_program(root() + path)) return {};
  return {{root() + path}, {{"LD_LIBRARY_PATH", root() + "/libraries"}}};
}

Finished Reader::run(const Arguments& arguments, const Environment& more) const {
  Arguments all = program;
  all.insert(all.end(), arguments.begin(), arguments.end());
  Environment variables = environment;
  variables.insert(more.begin(), more.end());
  return test::run(all, variables);
}

}  // namespace test
