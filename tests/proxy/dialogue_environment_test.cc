// The environment of prog, and its being started again for it.
#include <algorithm>

#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

const char* const result_names[] = {"SPFRESULT", "SPFIDENTITY", "SPFDOMAIN",
                                    "SPFMECHANISM", "SPFHEADER", "SPFEXPLANATION",
                                    "SPFAUTHRESULTS", "SPFHELORESULT", "SPFPOLICY"};

std::string mail(const std::string& name) { return "MAIL FROM:<a@" + name + ".example.org>"; }

}  // namespace

TEST_CASE("prog knows the verdict on its MAIL, and nothing before") {
  const struct { const char* name; const char* result; const char* mechanism; const char* explanation; } cases[] = {
      {"pass", "pass", "ip4:192.0.2.0/24", nullptr},
      {"explained", "fail", "-all",
       "192.0.2.1 may not send for explained.example.org, says explained.example.org"},
      {"softfail", "softfail", "~all", nullptr},
      {"neutral", "neutral", "?all", nullptr},
      {"default", "neutral", "default", nullptr},
      {"none", "none", nullptr, nullptr},
      {"permerror", "permerror", nullptr, nullptr},
  };
  for (const auto& c : cases) {
    INFO(c.name);
    Setup setup = level("1");
    for (const char* name : result_names) setup.environment[name] = "inherited";
    Wrapped spfwrap(setup);
    spfwrap.hello().ask(mail(c.name));
    const auto runs = spfwrap.runs();
    REQUIRE(runs.size() == 2);
    for (const char* name : result_names) CHECK_FALSE(runs[0].has(name));

    const ChildRun& run = runs[1];
    CHECK(run.value("SPFRESULT") == c.result);
    CHECK(run.value("SPFIDENTITY") == "mailfrom");
    CHECK(run.value("SPFDOMAIN") == std::string(c.name) + ".example.org");
    CHECK(run.has("SPFMECHANISM") == (c.mechanism != nullptr));
    if (c.mechanism) CHECK(run.value("SPFMECHANISM") == c.mechanism);
    CHECK(run.value("SPFHEADER").starts_with(std::string(c.result) + " (mx.local: "));
    CHECK(run.has("SPFEXPLANATION") == (c.explanation != nullptr));
    if (c.explanation) CHECK(run.value("SPFEXPLANATION") == c.explanation);
    CHECK(run.value("TCPREMOTEIP") == "192.0.2.1");  // and the rest is as it was
    CHECK(run.value("SPFBEHAVIOR") == "1");
  }
}

TEST_CASE("a fail without exp= has our explanation") {
  Wrapped spfwrap(level("1", {{"SPFEXP", "ours for %{d}"}}));
  spfwrap.hello().ask(mail("fail"));
  CHECK(spfwrap.last_run().value("SPFEXPLANATION") == "ours for fail.example.org");
}

TEST_CASE("a temperror that is let through is known too") {
  Wrapped spfwrap(level("1"));
  spfwrap.hello().ask("MAIL FROM:<a@temperror.example>");
  CHECK(spfwrap.last_run().value("SPFRESULT") == "temperror");
  CHECK_FALSE(spfwrap.last_run().has("SPFMECHANISM"));
}

TEST_CASE("values are printable ASCII and at most 1,000 octets") {
  Wrapped spfwrap(level("1"));
  spfwrap.hello("helo\xff").ask("MAIL FROM:<a\xc3\xa4@hostile.example.org>");
  const ChildRun run = spfwrap.last_run();
  CHECK(run.value("SPFRESULT") == "fail");
  for (const char* name : result_names) {
    INFO(name << "=" << run.value(name));
    const std::string value = run.value(name);
    CHECK(value.size() <= 1000);
    CHECK(std::all_of(value.begin(), value.end(), [](char c) { return c >= 32 && c < 127; }));
  }
  spfwrap.ask("MAIL FROM:<" + std::string(1200, 'a') + "@fail.example.org>");
  CHECK(spfwrap.last_run().value("SPFHEADER").size() <= 1000);
}

TEST_CASE("the second start hears the last EHLO, the first is told QUIT, the client sees neither") {
  for (const std::string greeting : {"EHLO second.example.org", "HELO second.example.org"}) {
    INFO(greeting);
    Wrapped spfwrap(level("1"));
    spfwrap.hello("first.example.org").ask(greeting);
    CHECK(spfwrap.ask(mail("pass")) == "250 ok");
    CHECK(spfwrap.talk({"RCPT TO:<b@example.org>", "QUIT"}) == "250 ok\n221 child.example\n");
    CHECK(spfwrap.finish() == 0);
    const auto runs = spfwrap.runs();
    REQUIRE(runs.size() == 2);
    CHECK(runs[0].commands == Arguments{"EHLO first.example.org", greeting, "QUIT"});
    CHECK(runs[0].end == "quit");
    CHECK(runs[1].commands ==
          Arguments{greeting, mail("pass"), "RCPT TO:<b@example.org>", "QUIT"});
    CHECK(runs[1].arguments == runs[0].arguments);
  }
}

TEST_CASE("prog is started again only where its environment differs") {
  Wrapped spfwrap(level("1"));
  spfwrap.hello();
  const struct { const char* mail; unsigned runs; } cases[] = {
      {"MAIL FROM:<a@pass.example.org>", 2},
      {"MAIL FROM:<a@pass.example.org>", 2},  // the same once more
      {"MAIL FROM:<a@fail.example.org>", 3},
      {"MAIL FROM:<a@fail.example.org>", 3},
      {"MAIL FROM:<a@pass.example.org>", 4},
  };
  for (const auto& c : cases) {
    INFO(c.mail << " for run " << c.runs);
    CHECK(deliver(spfwrap, c.mail) == "250 ok\n250 ok\n354 go ahead\n250 ok 1095 qp 4711\n");
    CHECK(spfwrap.runs().size() == c.runs);
  }
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
  CHECK(spfwrap.finish() == 0);
  const auto runs = spfwrap.runs();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    CHECK(runs[i].end == "quit");
    CHECK(runs[i].messages.size() == (i == 0 ? 0 : i == 3 ? 1 : 2));
    CHECK_FALSE(runs[i].ahead);
  }
}

TEST_CASE("the second start is not written to before its greeting, and told no delay") {
  Wrapped spfwrap(level("1", {{"CHILD_GREET", "100"}, {"GREETDELAY", "5"}, {"DROP_PRE_GREET", "1"}}));
  CHECK(spfwrap.hello().ask(mail("pass")) == "250 ok");
  const auto runs = spfwrap.runs();
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].has("GREETDELAY"));
  CHECK(runs[0].has("DROP_PRE_GREET"));
  CHECK_FALSE(runs[1].has("GREETDELAY"));
  CHECK_FALSE(runs[1].has("DROP_PRE_GREET"));
  CHECK_FALSE(runs[1].early_input);
}

TEST_CASE("a second start that fails is 451 to MAIL, and nothing is lost") {
  const struct { const char* why; const char* fault; } cases[] = {
      {"dies at once", "2/connect=die"},
      {"refuses EHLO", "2/ehlo=say:502 no\\r\\n"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(level("1", {{"CHILD_FAULT", c.fault}}));
    spfwrap.hello();
    for (int i = 0; i < 2; ++i) {
      const std::string reply = spfwrap.ask(mail("pass"));
      INFO(reply);
      CHECK(reply.starts_with("451 "));
      CHECK(reply.find('<') == std::string::npos);
    }
    CHECK(spfwrap.ask("RCPT TO:<b@example.org>") == "503 MAIL first (#5.5.1)");
    CHECK(spfwrap.talk({"NOOP", "QUIT"}) == "250 ok\n221 child.example\n");
    CHECK(spfwrap.finish() == 0);
    for (const ChildRun& run : spfwrap.runs()) CHECK(run.messages.empty());
  }
}

TEST_CASE("a prog that is gone at the second start is 451") {
  const TempDir files;
  const std::string copy = files.script("child", read_file(test_program("child")));
  Setup setup = level("1");
  setup.prog = {copy};
  Wrapped spfwrap(setup);
  spfwrap.hello();
  remove(copy.c_str());
  CHECK(spfwrap.ask(mail("pass")).starts_with("451 "));
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("prog has no descriptor and no signal setting but those it would have without us") {
  const TempDir files;
  Setup setup = level("0", {{"SEEN", files.file("seen")}});
  // Only what the shell has built in: it blocks signals while it starts others.
  setup.prog = {files.script("prog", R"(#!/bin/sh
{
  cd /proc/$$/fd && echo *
  while read -r name mask; do  # of signals 1 to 28, in hexadecimal
    case $name in SigBlk:|SigIgn:) echo "${mask#?????????}" ;; esac
  done <../status
} >>"$SEEN"
exec "$CHILD"
)")};
  setup.environment["CHILD"] = test_program("child");
  std::string without;
  {
    Wrapped spfwrap(setup);
    spfwrap.client().reply();
    without = read_file(files.file("seen"));
  }
  REQUIRE(std::count(without.begin(), without.end(), '\n') == 3);  // under nohup, SIGHUP is in the last
  setup.environment["SPFBEHAVIOR"] = "1";
  Wrapped spfwrap(setup);
  spfwrap.hello().ask(mail("pass"));
  CHECK(spfwrap.runs().size() == 2);
  CHECK(read_file(files.file("seen")) == without + without + without);
}
