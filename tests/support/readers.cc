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

// Perl's modules below the root: usr/share/perl5 and usr/lib/MACHINE/perl5/VERSION.
std::string perl_modules() {
  std::string path = root() + "/usr/share/perl5";
  if (!fs::is_directory(root() + "/usr/lib")) return path;
  for (const auto& machine : fs::directory_iterator(root() + "/usr/lib"))
    if (const fs::path modules = machine.path() / "perl5"; fs::is_directory(modules))
      for (const auto& version : fs::directory_iterator(modules)) path += ":" + version.path().string();
  return path;
}

Reader reader(const std::string& path) {
  if (access(path.c_str(), X_OK) == 0) return {{path}, {}};
  if (root().empty() || access((root() + path).c_str(), X_OK) != 0) return {};
  return {{root() + path}, {{"PERL5LIB", perl_modules()}, {"LD_LIBRARY_PATH", root() + "/libraries"}}};
}

}  // namespace

Finished Reader::run(const Arguments& arguments, const Environment& more) const {
  Arguments all = program;
  all.insert(all.end(), arguments.begin(), arguments.end());
  Environment variables = environment;
  variables.insert(more.begin(), more.end());
  return test::run(all, variables);
}

Reader spamassassin() { return reader("/usr/bin/spamassassin"); }
Reader opendmarc() { return reader("/usr/sbin/opendmarc"); }

}  // namespace test
