// --version, --help and wrong usage, of each program.
#include "spf/base/usage.hh"

#include <unistd.h>

#include "tests/catch.hh"
#include "tests/support/process.hh"
#include "tests/support/temp_dir.hh"

using namespace test;

namespace {

std::string beside(const char* name) {
  const std::string wrapper = program("spfwrap");
  return wrapper.substr(0, wrapper.rfind('/') + 1) + name;
}

// "1.0", from the newest entry of CHANGES.
std::string newest_version() {
  std::string changes = read_file("CHANGES");
  const auto start = changes.find("\n\n") + 2;
  return changes.substr(start, changes.find_first_of(",\n ", start) - start);
}

}  // namespace

TEST_CASE("each program says its version and how it is called") {
  REQUIRE(!newest_version().empty());
  for (const std::string name : {"spfwrap", "spfcheck", "spfqueue", "spftls", "spfstat"}) {
    INFO(name);
    const Finished version = run({beside(name.c_str()), "--version"});
    CHECK(version.code == 0);
    CHECK(version.out == name + " " + newest_version() + "\n");
    CHECK(version.err == "");
    const Finished help = run({beside(name.c_str()), "--help"});
    CHECK(help.code == 0);
    CHECK(help.out.starts_with("usage: " + name + " "));
    CHECK(help.out.find("See " + name + "(") != help.out.npos);
    CHECK(help.err == "");
  }
}

TEST_CASE("where it can't be said the exit code tells") {
  const std::string full = "exec \"$0\" --version >/dev/full";
  for (const char* name : {"spfwrap", "spfcheck", "spfqueue", "spftls", "spfstat"}) {
    INFO(name);
    CHECK(run({"/bin/sh", "-c", full, beside(name)}).code == 111);
  }
}

TEST_CASE("called wrongly a program says how, and nothing else happens") {
  CHECK(run({beside("spfwrap")}).err == "spfwrap: usage: spfwrap prog [ arg ... ]\n");
  CHECK(run({beside("spfwrap")}).code == 100);
  CHECK(run({beside("spftls"), "-x"}).code == 100);
  CHECK(run({beside("spfcheck")}).err ==
        "spfcheck: usage: spfcheck [ -q | --json ] ip helo sender [ recipient ]\n"
        "                 spfcheck [ -q | --json ] domain\n"
        "                 spfcheck [ -q | --json ] -C\n");
}
