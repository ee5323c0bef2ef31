// spfcheck -C, control files, and wrong usage.
#include "tests/catch.hh"
#include "tests/support/spfcheck.hh"
#include "tests/support/temp_dir.hh"

using namespace test;

TEST_CASE("-C shows each setting with its source") {
  Spfcheck spfcheck;
  const TempDir files;
  files.write("spfbehavior", "3\n");
  files.write("spfrules", "include:trusted.example\n");
  files.write("me", "mx.example\n");
  const Environment control = {{"CONTROLDIR", files.path()}, {"TCPLOCALHOST", "0"}};
  Environment more = control;
  more["SPFGUESS"] = "a/24 mx/24";
  const Finished run = spfcheck.run({"-C"}, more);
  CHECK(run.code == 0);
  CHECK(run.err == "");
  std::string out = run.out;
  for (std::size_t at; (at = out.find(files.path())) != out.npos;) out.replace(at, files.path().size(), "DIR");
  const std::string expected = R"(good

Settings
  CONTROLDIR     DIR (environment)
  SPFBEHAVIOR    3 (DIR/spfbehavior)
  me             mx.example (DIR/me)
  SPFRULES       include:trusted.example (DIR/spfrules)
  SPFGUESS       a/24 mx/24 (environment)
  SPFEXP         none (default)
  SPFANNOTATE    data (default)
  SPFSTARTTLS    hide (default)
  SPFTIMEOUT     20 (default)
  timeoutsmtpd   1200 (default)

What they mean
  level          3: checks; 451 on temperror; 550 on fail
  this host      mx.example
)";
  CHECK(out.substr(0, out.find("  name servers")) == expected);
  CHECK(spfcheck.dns.seen().empty());
}

TEST_CASE("-C warns of what will not be done") {
  Spfcheck spfcheck;
  const struct { Environment environment; const char* warning; } cases[] = {
      {{{"SPFBEHAVIOR", "0"}}, "the level is 0"},
      {{{"SPFBEHAVIOR", "9"}}, "bad SPFBEHAVIOR: 9: using 1"},
      {{{"SPFBEHAVIOR", "3"}, {"RELAYCLIENT", ""}}, "RELAYCLIENT is set here"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFRULES", "a moo"}}, "spfrules: left out: moo: unknown mechanism"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFGUESS", "redirect=a.example"}}, "spfguess: left out: redirect=a.example"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFEXP", "%{z}"}}, "spfexp: not used: bad macro"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFTIMEOUT", "1s"}}, "bad SPFTIMEOUT: 1s: using 20"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFSTARTTLS", "pass"}}, "SPFSTARTTLS=pass"},
  };
  for (const auto& c : cases) {
    const Finished run = spfcheck.run({"-C"}, c.environment);
    INFO(run.out);
    CHECK(run.code == 1);
    CHECK(run.out.starts_with("warnings\n"));
    CHECK(contains(run.out, "  warning        " + std::string(c.warning)));
    CHECK(spfcheck.run({"-q", "-C"}, c.environment).out == "warnings\n");
  }
}

TEST_CASE("control files that can't be read are trouble") {
  Spfcheck spfcheck;
  const TempDir files;
  files.make_directory("spfrules");  // root reads any file, but no directory
  files.make_directory("spfexp");
  const Environment control = {{"CONTROLDIR", files.path()}};
  const Finished all = spfcheck.run({"-C"}, control);
  CHECK(all.code == 111);
  CHECK(all.out.starts_with("unreadable\n"));
  CHECK(contains(all.out, files.path() + "/spfrules"));
  CHECK(contains(all.out, files.path() + "/spfexp"));
  for (const Arguments& arguments : {Arguments{"192.0.2.1", "h", "a@b.example"}, Arguments{"b.example"}}) {
    const Finished run = spfcheck.run(arguments, control);
    CHECK(run.code == 111);
    CHECK(run.out == "");
    CHECK(run.err == "spfcheck: fatal: unable to read " + files.path() + "/spfrules: Is a directory\n");
  }
}

TEST_CASE("wrong usage is explained") {
  Spfcheck spfcheck;
  const struct { Arguments arguments; const char* why; } cases[] = {
      {{}, "usage: "},
      {{"192.0.2.1", "h"}, "usage: "},
      {{"192.0.2.1", "h", "a@b", "c"}, "usage: "},
      {{"-C", "example.org"}, "usage: "},
      {{"-x"}, "fatal: unknown option: -x"},
      {{"192.0.2", "h", "a@b.example"}, "fatal: no IP address: 192.0.2"},
      {{"192.0.2.1", "h", "a b@c.example"}, "fatal: no sender that MAIL can have: a b@c.example"},
      {{"192.0.2.1", "h", "<a@c.example> SIZE=1"}, "fatal: no sender that MAIL can have: "},
      {{"192.0.2.1"}, "fatal: HELO and sender are missing after 192.0.2.1"},
      {{"a@example.org"}, "fatal: no domain name: a@example.org"},
      {{"localhost"}, "fatal: no domain name: localhost"},
      {{""}, "fatal: no domain name: "},
      {{"a..example"}, "fatal: no domain name: a..example"},
  };
  for (const auto& c : cases) {
    const Finished run = spfcheck.run(c.arguments);
    INFO(run.err);
    CHECK(run.code == 100);
    CHECK(run.out == "");
    CHECK(run.err.starts_with("spfcheck: " + std::string(c.why)));
    CHECK(contains(run.err, "spfcheck [ -q ] ip helo sender\n"));
  }
}
