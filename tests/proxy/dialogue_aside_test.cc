// Stepping aside, usage, control files, exit codes: everything that is decided
// before the dialogue.
#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

TEST_CASE("stepping aside is an exec in the same process, environment untouched") {
  const struct { const char* why; Setup setup; bool aside; } cases[] = {
      {"level 0", level("0"), true},
      {"no level anywhere", {}, true},
      {"an empty level", level(""), true},
      {"an empty level over the file", {.environment = {{"SPFBEHAVIOR", ""}},
                                        .control = {{"spfbehavior", "3\n"}}}, true},
      {"level 0 in the file", {.control = {{"spfbehavior", "0\n"}}}, true},
      {"an empty file", {.control = {{"spfbehavior", ""}}}, true},
      {"level 0 over the file", {.environment = {{"SPFBEHAVIOR", "0"}},
                                 .control = {{"spfbehavior", "3\n"}}}, true},
      {"RELAYCLIENT empty", level("6", {{"RELAYCLIENT", ""}}), true},
      {"RELAYCLIENT with a suffix", level("6", {{"RELAYCLIENT", "@relay"}}), true},
      {"level 0 and no client address", {.environment = {{"SPFBEHAVIOR", "0"}},
                                         .unset = {"PROTO", "TCPREMOTEIP"}}, true},
      {"RELAYCLIENT and no client address", {.environment = {{"SPFBEHAVIOR", "6"}, {"RELAYCLIENT", ""}},
                                             .unset = {"PROTO", "TCPREMOTEIP"}}, true},
      {"level 1", level("1"), false},
      {"level 1 in the file", {.control = {{"spfbehavior", "1\n"}}}, false},
      {"level 1 over the file", {.environment = {{"SPFBEHAVIOR", "1"}},
                                 .control = {{"spfbehavior", "0\n"}}}, false},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Setup setup = c.setup;
    setup.environment["SPFRESULT"] = "inherited";
    setup.environment["GREETDELAY"] = "0";
    Wrapped spfwrap(setup);
    CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
    const ChildRun run = spfwrap.last_run();
    CHECK((run.pid == spfwrap.process().pid()) == c.aside);
    CHECK(run.has("SPFRESULT") == c.aside);
    CHECK(run.value("GREETDELAY") == "0");
    CHECK(run.has("SPFBEHAVIOR") == setup.environment.count("SPFBEHAVIOR"));
    CHECK(spfwrap.talk({"EHLO x", "QUIT"}).ends_with("221 child.example\n"));
    CHECK(spfwrap.finish() == 0);
    CHECK(spfwrap.errors() == "");
  }
}

TEST_CASE("whoever steps aside reads no further control file") {
  Wrapped spfwrap({.environment = {{"SPFBEHAVIOR", "0"}, {"CONTROLDIR", "/nonexistent"}}});
  CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
}

TEST_CASE("prog gets its arguments and is found by PATH") {
  for (const char* behaviour : {"0", "1"}) {
    INFO(behaviour);
    Setup setup = level(behaviour);
    setup.prog = {"sh", "-c", "exec \"$0\" \"$@\"", test_program("child"), "one", "", "three 3"};
    Wrapped spfwrap(setup);
    CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
    CHECK(spfwrap.last_run().arguments ==
          Arguments{test_program("child"), "one", "", "three 3"});
  }
}

TEST_CASE("wrong usage is 100, a prog that cannot be run 111, and both are said") {
  const Finished usage = run({program("spfwrap")});
  CHECK(usage.code == 100);
  CHECK(usage.err.starts_with("spfwrap: "));
  CHECK(usage.err.find("prog") != std::string::npos);

  for (const char* behaviour : {"0", "1"}) {
    INFO(behaviour);
    Setup setup = level(behaviour);
    setup.prog = {"/nonexistent/prog"};
    Wrapped spfwrap(setup);
    CHECK(spfwrap.client().rest().substr(0, 1).find_first_not_of("4") == std::string::npos);
    CHECK(spfwrap.finish() == 111);
    CHECK(spfwrap.errors().starts_with("spfwrap: fatal: "));
    CHECK(spfwrap.errors().find("/nonexistent/prog: ") != std::string::npos);
  }
}

TEST_CASE("the exit code is the child's own") {
  for (const char* behaviour : {"0", "1"})
    for (const char* last : {"QUIT", "NOOP"}) {
      INFO("level " << behaviour << ", " << last);
      Wrapped spfwrap(level(behaviour, {{"CHILD_EXIT", "7"}}));
      spfwrap.hello().ask(last);
      CHECK(spfwrap.finish() == 7);
    }
}

TEST_CASE("of a control file the first line counts, of a list all of them, without trailing blanks") {
  Wrapped spfwrap({.control = {{"spfbehavior", "3 \t \n0\n"},
                               {"spfexp", "# ours\nby the file \t\n\n"}}});
  spfwrap.hello();
  CHECK(spfwrap.ask("MAIL FROM:<a@fail.example.org>") == "250 ok");
  CHECK(spfwrap.ask("RCPT TO:<b@example.org>") == "550 by the file (#5.7.1)");
}

TEST_CASE("a control file without a newline at its end counts too") {
  Wrapped spfwrap({.control = {{"spfbehavior", "3"}, {"spfexp", "by the file"}}});
  spfwrap.hello().ask("MAIL FROM:<a@fail.example.org>");
  CHECK(spfwrap.ask("RCPT TO:<b@example.org>") == "550 by the file (#5.7.1)");
}

TEST_CASE("a control file that cannot be read is 421 and 111") {
  for (const char* name : {"spfbehavior", "spfrules", "spfguess", "spfexp", "spffrom", "spfto", "spfforwarders", "me",
                           "timeoutsmtpd"}) {
    INFO(name);
    const TempDir control;
    control.write("spfbehavior", "1\n");
    if (std::string(name) == "spfbehavior") remove(control.file(name).c_str());
    control.make_directory(name);  // unreadable for root as well
    Wrapped spfwrap({.environment = {{"CONTROLDIR", control.path()}}, .unset = {"TCPLOCALHOST"}});
    CHECK(spfwrap.client().rest() == "421 unable to read controls (#4.3.0)\n");
    CHECK(spfwrap.finish() == 111);
    CHECK(spfwrap.errors().starts_with("spfwrap: fatal: "));
  }
}

TEST_CASE("a level that is no integer from 0 to 6 is warned about and acts as 1") {
  for (const char* value : {"7", "-1", "x", "3x", "3 4", "99999999999999999999"}) {
    INFO(value);
    for (const bool in_file : {false, true}) {
      Wrapped spfwrap(in_file ? Setup{.control = {{"spfbehavior", value}}} : level(value));
      spfwrap.hello();
      CHECK(spfwrap.errors().starts_with(spfwrap.warned()));
      CHECK(spfwrap.talk({"MAIL FROM:<a@fail.example.org>", "RCPT TO:<b@example.org>"}) ==
            "250 ok\n250 ok\n");
      CHECK(spfwrap.last_run().value("SPFRESULT") == "fail");
    }
  }
}

TEST_CASE("a bad SPFTIMEOUT is warned about, a good one is not") {
  const struct { const char* value; bool good; } cases[] = {
      {"1", true}, {"20", true}, {"300", true},
      {"0", false}, {"301", false}, {"-5", false}, {"soon", false}, {"5s", false},
  };
  for (const auto& c : cases) {
    INFO(c.value);
    Wrapped spfwrap(level("1", {{"SPFTIMEOUT", c.value}}));
    spfwrap.hello().talk({"MAIL FROM:<a@pass.example.org>", "QUIT"});
    CHECK(spfwrap.finish() == 0);
    CHECK(spfwrap.errors().starts_with(spfwrap.warned()) == !c.good);
    CHECK(spfwrap.log().size() == 1);
  }
}
