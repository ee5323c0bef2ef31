// No memory, no descriptors, no processes, no disk for the log, no descriptors
// 0, 1 and 2: what the client hears, and that no message is lost or made up.
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.hh"
#include "tests/support/name_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

constexpr const char* mail = "MAIL FROM:<a@pass.example.org>";

Setup limited(const std::string& limit, const std::string& behaviour = "2") {
  Setup setup = level(behaviour);
  setup.before = {"prlimit", limit, "--"};
  return setup;
}

Setup shell(const std::string& redirection) {
  Setup setup = level("2");
  setup.before = {"sh", "-c", "exec \"$0\" \"$@\" " + redirection};
  return setup;
}

// Says everything up to the dot, each when the one before was answered; what
// was heard, in one line.
std::string whole_session(Wrapped& spfwrap) {
  std::string heard = spfwrap.client().reply(), last = heard;
  for (const char* line : {"EHLO x", mail, "RCPT TO:<b@example.org>", "DATA", "Subject: x\r\n\r\nx\r\n."}) {
    if (last.find('<') != last.npos || last.starts_with("421")) break;
    if (std::string_view(line).starts_with("Subject") && !last.starts_with("354")) break;
    last = spfwrap.ask(line);
    heard += " | " + last;
  }
  return heard;
}

// The one property that holds whatever runs out.
void check_honest(Wrapped& spfwrap, const std::string& heard) {
  CHECK(heard.find("<silence>") == std::string::npos);
  CHECK(spfwrap.finish() != -1);
  std::size_t queued = 0;
  for (const ChildRun& run : spfwrap.runs()) queued += run.messages.size();
  CHECK(queued == (heard.ends_with("250 ok 1095 qp 4711") ? 1u : 0u));
}

}  // namespace

TEST_CASE("a prog that can't be run is 421 to the client, and exit code 111") {
  const TempDir files;
  const struct { const char* why; std::string prog; } cases[] = {
      {"missing", "/nonexistent/prog"},
      {"a directory", files.path()},
      {"not executable", files.write("plain", "#!/bin/sh\n")},
      {"a script of a shell that is not there", files.script("script", "#!/nonexistent/sh\n")},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Setup setup = level("3");
    setup.prog = {c.prog};
    Wrapped spfwrap(setup);
    CHECK(spfwrap.client().rest() == "421 unable to start SMTP server (#4.3.0)\n");
    CHECK(spfwrap.finish() == 111);
    CHECK(spfwrap.errors().starts_with("spfwrap: fatal: unable to run " + c.prog + ": "));
  }
}

TEST_CASE("a prog that can't be run again leaves the old one and its session") {
  const TempDir files;
  Setup setup = level("3");
  setup.prog = {files.file("prog")};
  std::error_code ignored;
  symlink(test_program("child").c_str(), setup.prog[0].c_str());
  Wrapped spfwrap(setup);
  spfwrap.hello();
  unlink(setup.prog[0].c_str());
  CHECK(spfwrap.ask(mail) == "451 unable to start SMTP server again (#4.3.0)");
  CHECK(spfwrap.talk({"RSET", "QUIT"}) == "250 flushed\n221 child.example\n");
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("without memory it is 421 or 451, or the message arrives; never half") {
  if (left_out(sanitized(), "sanitizers need all address space there is")) return;
  std::set<std::string> ends;
  for (int kilobytes = 600; kilobytes <= 12000; kilobytes += kilobytes < 4000 ? 100 : 1000) {
    INFO(kilobytes << " kB of address space");
    Wrapped spfwrap(limited("--as=" + std::to_string(kilobytes * 1024)));
    const std::string heard = whole_session(spfwrap);
    INFO(heard);
    check_honest(spfwrap, heard);
    ends.insert(heard.substr(heard.rfind("| ") + 1).substr(0, 5));
  }
  CHECK(ends.count(" 250 "));
  CHECK(ends.size() > 1);
}

TEST_CASE("without descriptors it is 421 or 451, or the message arrives") {
  if (left_out(sanitized(), "sanitizers need descriptors of their own")) return;
  std::set<std::string> heard_at_mail;
  for (int descriptors = 3; descriptors <= 16; ++descriptors) {
    INFO(descriptors << " descriptors");
    Wrapped spfwrap(limited("--nofile=" + std::to_string(descriptors)));
    const std::string heard = whole_session(spfwrap);
    INFO(heard);
    check_honest(spfwrap, heard);
    if (descriptors <= 6) CHECK(heard.starts_with("421 unable to "));
    heard_at_mail.insert(heard.substr(heard.rfind("| ") + 1).substr(0, 5));
  }
  CHECK(heard_at_mail.count(" 250 "));
  CHECK(heard_at_mail.count(" 503 "));  // DATA, after a 451 to MAIL
}

TEST_CASE("without processes it is 421 at the start, 451 at MAIL") {
  if (left_out(sanitized(), "sanitizers need processes of their own")) return;
  if (left_out(geteuid() != 0, "the limit counts all processes of a user; it takes one without any")) return;
  const struct { int processes; const char* greeting; const char* mail; } cases[] = {
      {1, "421 unable to start SMTP server (#4.3.0)", ""},
      {2, "220 child.example ESMTP", "451 SPF lookup failure (#4.3.0)"},  // none for the check
      {4, "220 child.example ESMTP", "250 ok"},
  };
  const TempDir files;  // the tree may be closed to others
  for (const char* name : {"spfwrap", "child"}) {
    const std::string from = name == std::string("child") ? test_program(name) : program(name);
    REQUIRE(run({"cp", from, files.file(name)}).code == 0);
  }
  for (const auto& c : cases) {
    INFO(c.processes << " processes");
    const TempDir control;  // the record goes there too
    chmod(control.path().c_str(), 0777);
    Setup setup = level("2", {{"CHILD_RECORD", control.file("record")}, {"CONTROLDIR", control.path()}});
    setup.before = {"setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "prlimit",
                    "--nproc=" + std::to_string(c.processes), files.file("spfwrap"), files.file("child")};
    Wrapped spfwrap(setup);
    CHECK(spfwrap.client().reply() == c.greeting);
    if (*c.mail) {
      spfwrap.ask("EHLO x");
      CHECK(spfwrap.ask(mail) == c.mail);
    }
    CHECK(spfwrap.finish() != -1);
  }
}

TEST_CASE("mail does not stop because a log does, nor for want of descriptors 0, 1 or 2", "[waits]") {
  const struct { const char* redirection; const char* end; } cases[] = {
      {"2>/dev/full", "250 ok 1095 qp 4711"},
      {"2>&-", "250 ok 1095 qp 4711"},
      {"2</dev/null", "250 ok 1095 qp 4711"},  // not open for writing
  };
  for (const auto& c : cases) {
    INFO(c.redirection);
    Wrapped spfwrap(shell(c.redirection));
    const std::string heard = whole_session(spfwrap);
    CHECK(heard.ends_with(c.end));
    check_honest(spfwrap, heard);
    for (const ChildRun& run : spfwrap.runs())
      CHECK(run.commands.size() <= 5);  // no log line went to the child
  }
  for (const char* redirection : {"0<&-", "1>&-", "0<&- 1>&-", "0<&- 1>&- 2>&-"}) {
    INFO(redirection);
    Wrapped spfwrap(shell(redirection));
    const std::string heard = spfwrap.client().rest(500ms);
    CHECK((heard == "" || heard == "<silence>" || heard.starts_with("220 ")));
    CHECK(spfwrap.finish() != -1);
    for (const ChildRun& run : spfwrap.runs()) CHECK(run.messages.empty());
  }
}

TEST_CASE("SIGTERM is 421 and a clean end, wherever it comes") {
  SilentNameServer silence;
  const struct { const char* why; std::vector<std::string_view> said; Environment more; } cases[] = {
      {"at rest", {"EHLO x"}, {}},
      {"in a transaction", {"EHLO x", mail, "RCPT TO:<b@example.org>"}, {}},
      {"in DATA", {"EHLO x", mail, "RCPT TO:<b@example.org>", "DATA"}, {}},
      {"while DNS is asked", {"EHLO x"}, silence.environment()},
      {"while the child thinks", {"EHLO x"}, {{"CHILD_FAULT", "mail=stall"}}},
      {"while a new child comes up", {"EHLO x"}, {{"CHILD_FAULT", "2/greeting=stall"}}},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(level("2", c.more));
    spfwrap.client().reply();
    for (const auto line : c.said) spfwrap.ask(line);
    if (!c.more.empty()) {
      spfwrap.client().send(std::string(mail) + "\r\n");
      const std::size_t processes = c.more.count("CHILD_FAULT") && c.more.begin()->second[0] == 'm' ? 2 : 3;
      wait_until([&] { return spfwrap.process().group_size() >= static_cast<int>(processes); });
    }
    spfwrap.process().signal(SIGTERM);
    CHECK(spfwrap.client().rest() == "421 shutting down (#4.3.2)\n");
    CHECK(spfwrap.finish() == 0);
    for (const ChildRun& run : spfwrap.runs()) CHECK(run.messages.empty());
  }
}

TEST_CASE("signals that mean nothing change nothing") {
  Wrapped spfwrap(level("2"));
  spfwrap.client().reply();
  for (const char* line : {"EHLO x", mail, "RCPT TO:<b@example.org>", "DATA", "x\r\n.", "QUIT"}) {
    spfwrap.client().send(std::string(line) + "\r\n");
    for (int i = 0; i < 2000; ++i) spfwrap.process().signal(i % 2 ? SIGCHLD : SIGPIPE);
    CHECK(spfwrap.client().reply()[0] != '4');
  }
  CHECK(spfwrap.finish() == 0);
  CHECK(spfwrap.last_run().messages.size() == 1);
}
