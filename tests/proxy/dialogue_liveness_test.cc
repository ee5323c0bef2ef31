// A client that has gone, a child that has died: both are seen at once, whatever
// else hides it.
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include <thread>

#include "tests/catch.hh"
#include "tests/support/tls_client.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

constexpr const char* mail = "MAIL FROM:<a@pass.example.org>";
constexpr const char* rcpt = "RCPT TO:<b@example.org>";

enum class Leaves { closes, half_closes };

Setup faulty(const std::string& fault, Over over = Over::pair) {
  Setup setup = level("1", {{"CHILD_FAULT", fault}});
  setup.over = over;
  return setup;
}

// The child of tests/programs, with a process beside it that holds its output
// open for longer than any of these tests takes.
Setup left_behind(const std::string& fault, Environment more = {}) {
  more["CHILD_FAULT"] = fault;
  Setup setup = level("1", more);
  setup.prog = {"sh", "-c", "sleep 60 & exec \"$0\"", test_program("child")};
  return setup;
}

// Its exit code, once it ends, which has to be soon; what it left behind stays.
int ends_soon(Wrapped& spfwrap) {
  return spfwrap.process().wait(4s).value_or(-1);
}

std::string died(const std::string& prog, const std::string& how) {
  return prog + " died at its start " + how;
}

}  // namespace

TEST_CASE("a client that is gone before the greeting ends the session at once") {
  const struct { const char* why; std::string sent; } cases[] = {
      {"without a word", ""},
      {"after half a command", "EHLO mail.exa"},
      {"after half a long one", std::string(5000, 'x')},
  };
  for (const auto& c : cases)
    for (const Over over : {Over::pair, Over::ip4, Over::ip6})
      for (const Leaves how : {Leaves::closes, Leaves::half_closes}) {
        INFO(c.why << ", over " << int(over) << ", " << int(how));
        Wrapped spfwrap(faulty("greeting=stall", over));
        REQUIRE(wait_until([&] { return spfwrap.runs().size() == 1; }));
        spfwrap.client().send(c.sent);
        const auto start = Clock::now();
        if (how == Leaves::half_closes) {
          spfwrap.client().half_close();
          CHECK(spfwrap.client().rest() == "");
        }
        CHECK(spfwrap.finish() == 0);  // the child's own, which saw the end
        CHECK(since(start) < 4s);
        CHECK(spfwrap.last_run().end == "eof");
        CHECK(spfwrap.errors() == "");
      }
}

TEST_CASE("a prog that does not even look for the end of its input is not waited for long", "[waits]") {
  const char* scripts[] = {"sleep 60", "trap '' TERM; sleep 60; sleep 60", "printf 220-wait; exec sleep 60"};
  std::vector<std::unique_ptr<Wrapped>> all;  // they wait side by side
  for (const char* script : scripts) {
    Setup setup = level("1");
    setup.over = Over::ip4;
    setup.prog = {"sh", "-c", script};
    all.push_back(std::make_unique<Wrapped>(setup));
    all.back()->client().half_close();
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(scripts[i]);
    CHECK(all[i]->client().rest(4s) == "");
    CHECK(ends_soon(*all[i]) == 111);
  }
}

TEST_CASE("a half-closed client whose commands wait gets all its replies, however late the greeting", "[waits]") {
  std::vector<std::unique_ptr<Wrapped>> all;  // they wait side by side
  for (const Over over : {Over::pair, Over::ip4}) {
    Setup setup = level("1");
    setup.over = over;
    setup.prog = {"sh", "-c", "sleep 1; exec \"$0\"", test_program("child")};
    all.push_back(std::make_unique<Wrapped>(setup));
    all.back()->client().send("EHLO x\r\n" + std::string(mail) + "\r\n" + rcpt + "\r\nDATA\r\nx\r\n.\r\nNOOP\r\n");
    all.back()->client().half_close();
  }
  for (const auto& spfwrap : all) {
    CHECK(spfwrap->client().rest() ==
          "220 child.example ESMTP\n250-child.example\n250-PIPELINING\n250 8BITMIME\n250 ok\n250 ok\n"
          "354 go ahead\n250 ok 1095 qp 4711\n250 ok\n");
    CHECK(spfwrap->finish() == 0);
    CHECK(spfwrap->last_run().messages.size() == 1);
  }
}

TEST_CASE("a client that is gone while prog is started again leaves nobody waiting") {
  for (const char* fault : {"2/greeting=stall", "2/greeting=hang", "2/ehlo=stall", "2/ehlo=hang"})
    for (const Over over : {Over::pair, Over::ip4})
      for (const Leaves how : {Leaves::closes, Leaves::half_closes}) {
        INFO(fault << " over " << int(over) << ", " << int(how));
        Wrapped spfwrap(faulty(fault, over));
        spfwrap.hello().client().send(std::string(mail) + "\r\n");
        REQUIRE(wait_until([&] { return spfwrap.runs().size() == 2; }));
        const auto start = Clock::now();
        if (how == Leaves::half_closes) {
          spfwrap.client().half_close();
          CHECK(spfwrap.client().rest() == "451 unable to start SMTP server again (#4.3.0)\n");
        }
        CHECK(spfwrap.finish() != -1);
        CHECK(since(start) < 4s);
        for (const ChildRun& run : spfwrap.runs()) CHECK(run.messages.empty());
        CHECK(warnings(spfwrap).empty());
      }
}

TEST_CASE("a client that is gone before its TLS, or before the greeting in it, ends the session at once too", "[waits]") {
  const TempDir files;
  const std::string fifo = files.file("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  for (const Leaves how : {Leaves::closes, Leaves::half_closes}) {
    // The certificate takes for ever to read, for which it is given 10 seconds.
    Setup setup = level("1", {{"SMTPS", "1"}, {"SPFCERT", fifo}});
    setup.over = Over::ip4;
    Wrapped spfwrap(setup);
    process_of(spfwrap, "spftls");
    CHECK(spfwrap.client().reply(300ms) == "<silence>");
    const auto start = Clock::now();
    if (how == Leaves::half_closes) {
      spfwrap.client().half_close();
      CHECK(spfwrap.client().rest() == "");
    }
    CHECK(spfwrap.finish() == 111);
    CHECK(since(start) < 4s);
    CHECK(spfwrap.runs().empty());
  }
  for (const char* end : {"notify", "cut", "reset"})
    for (const bool smtps : {true, false}) {
      INFO(end << (smtps ? " with SMTPS" : " after STARTTLS"));
      Arguments options{"--end", end};
      if (smtps) options.push_back("--smtps");
      const TlsClient tls(options);
      // Only the prog inside TLS has SSL_PROTOCOL.
      Setup setup = tls.before(level("1"));
      if (smtps) setup.environment["SMTPS"] = "1";
      setup.prog = {"sh", "-c", "test \"$SSL_PROTOCOL\" && export CHILD_FAULT=greeting=stall; exec \"$0\"",
                    test_program("child")};
      Wrapped spfwrap(setup);
      if (!smtps) CHECK(spfwrap.hello().ask("STARTTLS") == "220 ready for tls");
      tls.handshake();
      REQUIRE(wait_until([&] { return !spfwrap.runs().empty() && spfwrap.last_run().has("SSL_PROTOCOL"); }));
      const auto start = Clock::now();
      spfwrap.client().half_close();
      CHECK(spfwrap.client().rest() == "");
      CHECK(spfwrap.finish() == 0);
      CHECK(since(start) < 4s);
    }
}

TEST_CASE("a child that has died is seen at once, though something it left behind holds its output") {
  const struct { const char* why; const char* fault; std::vector<std::string_view> said; std::string heard; int code; } cases[] = {
      {"before its greeting", "connect=exit:7", {}, "421 unable to start SMTP server (#4.3.0)\n", 7},
      {"in its greeting", "greeting=say:220-x\\r\\n|exit:7", {}, "421 unable to start SMTP server (#4.3.0)\n", 7},
      {"at EHLO", "ehlo=exit:7", {"EHLO x"}, "421 SMTP server trouble, closing (#4.3.0)\n", 7},
      {"at NOOP", "noop=exit:7", {"EHLO x", "NOOP"}, "421 SMTP server trouble, closing (#4.3.0)\n", 7},
      {"in a reply", "noop=say:250-x\\r\\n|exit:7", {"EHLO x", "NOOP"}, "421 SMTP server trouble, closing (#4.3.0)\n", 7},
      {"with a last word", "noop=say:421 bye\\r\\n|exit:7", {"EHLO x", "NOOP"}, "421 bye\n", 7},
      {"after a reply", "noop=say:250 fine\\r\\n|exit:7", {"EHLO x", "NOOP"},
       "250 fine\n421 SMTP server trouble, closing (#4.3.0)\n", 7},
      {"after QUIT", "", {"EHLO x", "QUIT"}, "221 child.example\n", 5},
      {"in the body", "body=exit:7", {"EHLO x", mail, rcpt, "DATA", "x"},
       "451 SMTP server gave up, message not accepted (#4.3.0)\n", 7},
      {"at the dot", "dot=exit:7", {"EHLO x", mail, rcpt, "DATA", "x\r\n."},
       "451 SMTP server gave up, message not accepted (#4.3.0)\n", 7},
      {"with the reply to the dot", "dot=say:250 kept\\r\\n|exit:7", {"EHLO x", mail, rcpt, "DATA", "x\r\n."},
       "250 kept\n421 SMTP server trouble, closing (#4.3.0)\n", 7},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(left_behind(c.fault, {{"CHILD_EXIT", "5"}}));
    const auto start = Clock::now();
    if (!c.said.empty()) spfwrap.client().reply();
    for (std::size_t i = 0; i < c.said.size(); ++i) {
      spfwrap.client().send(std::string(c.said[i]) + "\r\n");
      if (i + 1 < c.said.size()) spfwrap.client().reply();
    }
    CHECK(spfwrap.client().rest(4s) == c.heard);
    spfwrap.client().close();
    CHECK(ends_soon(spfwrap) == c.code);
    CHECK(since(start) < 4s);
    CHECK(spfwrap.process().group_size() > 0);  // what it left behind
    CHECK(spfwrap.errors().find("Sanitizer") == std::string::npos);
  }
}

TEST_CASE("a child that dies idle ends the session without a command") {
  Wrapped spfwrap(left_behind(""));
  spfwrap.hello();
  kill(spfwrap.last_run().pid, SIGKILL);
  CHECK(spfwrap.client().rest(4s) == "421 SMTP server trouble, closing (#4.3.0)\n");
  spfwrap.client().close();
  CHECK(ends_soon(spfwrap) == 111);
}

TEST_CASE("a dead child's replies reach a client that reads late, and nobody is kept busy until then", "[waits]") {
  const std::string help = "214-" + std::string(1500, 'x') + "\\r\\n214 x\\r\\n";
  Wrapped spfwrap(left_behind("help=say:" + help, {{"CHILD_RECORD", "/dev/null"}}));
  spfwrap.hello();
  std::string commands;
  while (commands.size() < 60000) commands += "HELP\r\n";
  CHECK(spfwrap.client().flood(commands, 16 << 20) < (2 << 20));
  kill(process_of(spfwrap, "child"), SIGKILL);
  const auto ticks = [&] {
    const std::string stat = read_file("/proc/" + std::to_string(spfwrap.process().pid()) + "/stat");
    unsigned long user = 0, system = 0;
    sscanf(stat.c_str() + stat.rfind(')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return user + system;
  };
  const unsigned long before = ticks();
  std::this_thread::sleep_for(1s);
  CHECK(ticks() - before < 20);  // of 100
  const std::string heard = spfwrap.client().rest(8s);
  CHECK(heard.find("<silence>") == std::string::npos);
  CHECK(heard.size() > 100000);
  CHECK(heard.ends_with("\n214 x\n421 SMTP server trouble, closing (#4.3.0)\n"));
  spfwrap.client().close();
  CHECK(ends_soon(spfwrap) == 111);
}

TEST_CASE("the direct child counts: one that goes and leaves the service to another has ended", "[waits]") {
  Setup setup = level("1");
  setup.prog = {"sh", "-c", "exec 3<&0; \"$0\" <&3 & sleep 1; exit 7", test_program("child")};
  Wrapped spfwrap(setup);
  spfwrap.hello();
  CHECK(spfwrap.client().rest(4s) == "421 SMTP server trouble, closing (#4.3.0)\n");
  spfwrap.client().close();
  CHECK(ends_soon(spfwrap) == 7);
}

TEST_CASE("a new child that dies costs a 451, at once, and the old one and its end are as they were") {
  Wrapped spfwrap(left_behind("2/greeting=exit:3", {{"CHILD_EXIT", "5"}}));
  spfwrap.hello();
  const auto start = Clock::now();
  CHECK(spfwrap.ask(mail) == "451 unable to start SMTP server again (#4.3.0)");
  CHECK(since(start) < 4s);
  CHECK(spfwrap.talk({"NOOP", "QUIT"}) == "250 ok\n221 child.example\n");
  spfwrap.client().close();
  CHECK(ends_soon(spfwrap) == 5);

  // The old one dies while the new one comes up: it is not waited for.
  Wrapped both(left_behind("2/greeting=stall"));
  both.hello();
  const pid_t old = both.last_run().pid;
  both.client().send(std::string(mail) + "\r\nNOOP\r\n");
  REQUIRE(wait_until([&] { return both.runs().size() == 2; }));
  kill(old, SIGKILL);
  kill(both.last_run().pid, SIGKILL);
  CHECK(both.client().rest(4s) == "451 unable to start SMTP server again (#4.3.0)\n"
                                  "421 SMTP server trouble, closing (#4.3.0)\n");
  both.client().close();
  CHECK(ends_soon(both) == 111);
}

TEST_CASE("a prog that ends before it greets is named, with how it ended", "[waits]") {
  const std::string child = test_program("child");
  const struct { const char* why; Arguments prog; const char* fault; std::string warning; int code; } cases[] = {
      {"at once", {child}, "connect=die", died(child, "with exit code 1"), 1},
      {"with a code of its own", {child}, "greeting=exit:42", died(child, "with exit code 42"), 42},
      {"with 0", {child}, "greeting=exit:0", died(child, "with exit code 0"), 0},
      {"in its greeting", {child}, "greeting=say:220-x\\r\\n|exit:3", died(child, "with exit code 3"), 3},
      {"by a signal", {"sh", "-c", "kill -SEGV $$"}, "", died("sh", "of signal 11"), 111},
      {"by another", {"sh", "-c", "kill -KILL $$"}, "", died("sh", "of signal 9"), 111},
      {"a prog that fails in what it runs", {"sh", "-c", "exec /nonexistent/prog 2>/dev/null"}, "",
       died("sh", "with exit code 127"), 127},
      {"slowly, its output closed already", {"sh", "-c", "exec >&-; sleep 0.3; exit 6"}, "",
       died("sh", "with exit code 6"), 6},
      {"with its output still open elsewhere", {"sh", "-c", "sleep 60 & exit 4"}, "",
       died("sh", "with exit code 4"), 4},
      {"one that has only closed its output", {"sh", "-c", "exec >&-; exec sleep 60"}, "",
       "sh closed its output at its start, and was killed", 111},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Setup setup = faulty(c.fault);
    setup.prog = c.prog;
    Wrapped spfwrap(setup);
    CHECK(spfwrap.client().rest(4s) == "421 unable to start SMTP server (#4.3.0)\n");
    spfwrap.client().close();
    CHECK(ends_soon(spfwrap) == c.code);
    CHECK(spfwrap.errors() == spfwrap.warned(c.warning) + "\n");
  }
}

TEST_CASE("a prog that ends when it is started again is named too") {
  const std::string child = test_program("child");
  const std::string again = "SMTP server, started again, does not greet and take EHLO";
  for (const char* point : {"2/connect", "2/greeting", "2/ehlo"}) {
    INFO(point);
    Wrapped spfwrap(faulty(std::string(point) + "=exit:9"));
    CHECK(spfwrap.hello().ask(mail) == "451 unable to start SMTP server again (#4.3.0)");
    CHECK(spfwrap.ask("QUIT") == "221 child.example");
    CHECK(spfwrap.finish() == 0);
    CHECK(warnings(spfwrap) == Arguments{spfwrap.warned(again), spfwrap.warned(died(child, "with exit code 9"))});
  }
}

TEST_CASE("who ends otherwise is not named") {
  const struct { const char* why; const char* fault; const char* said; } cases[] = {
      {"it refuses and goes", "greeting=say:554 no\\r\\n|exit:1", ""},
      {"it is too busy and goes", "greeting=say:421 busy\\r\\n|exit:1", ""},
      {"it goes after its greeting", "greeting=say:220 x\\r\\n|exit:1", ""},
      {"it goes at EHLO", "ehlo=exit:1", "EHLO x\r\n"},
      {"it ends with its client", "", ""},
      {"it ends at QUIT", "", "QUIT\r\n"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(faulty(c.fault));
    spfwrap.client().reply();
    spfwrap.client().send(c.said);
    CHECK(spfwrap.finish() != -1);
    CHECK(spfwrap.errors() == "");
  }
}
