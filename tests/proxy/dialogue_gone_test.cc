// Clients that are gone and children that hang: neither keeps the other, or
// us, waiting for what can't come any more.
#include "tests/catch.hh"
#include "tests/support/name_server.hh"
#include "tests/support/server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

constexpr const char* mail = "MAIL FROM:<a@pass.example.org>";
constexpr const char* rcpt = "RCPT TO:<b@example.org>";

// Whether the child of the record got as far as `command`.
bool heard(const std::string& record, const std::string& command) {
  return wait_until([&] {
    for (const ChildRun& run : read_record(record))
      for (const std::string& line : run.commands)
        if (line.starts_with(command)) return true;
    return false;
  });
}

}  // namespace

TEST_CASE("a client that closes is noticed at once, whatever the child hangs in") {
  const struct { const char* why; const char* fault; std::vector<std::string_view> said; } cases[] = {
      {"the greeting", "greeting=stall", {}},
      {"EHLO", "ehlo=stall", {"EHLO x"}},
      {"NOOP", "noop=stall", {"EHLO x", "NOOP"}},
      {"MAIL", "mail=stall", {"EHLO x", mail}},
      {"the greeting of the second start", "2/greeting=stall", {"EHLO x", mail}},
      {"EHLO of the second start", "2/ehlo=stall", {"EHLO x", mail}},
      {"RCPT", "rcpt=stall", {"EHLO x", mail, rcpt}},
      {"DATA", "data=stall", {"EHLO x", mail, rcpt, "DATA"}},
      {"the body", "body=stall", {"EHLO x", mail, rcpt, "DATA", "x"}},
      {"the dot", "queue=stall", {"EHLO x", mail, rcpt, "DATA", "x\r\n."}},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(level("1", {{"CHILD_FAULT", c.fault}}));
    for (std::size_t i = 0; i < c.said.size(); ++i) {
      if (i > 0 && c.said[i] != "x") spfwrap.client().reply();
      spfwrap.client().send(std::string(c.said[i]) + "\r\n");
    }
    REQUIRE(wait_until([&] { return !spfwrap.runs().empty(); }));
    if (!c.said.empty() && c.said.size() < 5) heard(spfwrap.files().file("record"), "EHLO");
    const auto start = Clock::now();
    CHECK(spfwrap.finish() == 0);
    CHECK(since(start) < 4s);
    for (const ChildRun& run : spfwrap.runs()) CHECK(run.messages.empty());
  }
}

TEST_CASE("over TCP, where a hang-up is a reset, it is noticed too") {
  const TempDir files;
  const Server server({program("spfwrap"), test_program("child")},
                      "127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"1\"\n",
                      {{"CHILD_RECORD", files.file("record")},
                       {"CHILD_FAULT", "mail=stall;help=say:214 x\\r\\n"}});
  SmtpClient client = server.connect();
  client.reply();
  client.ask("EHLO x");
  client.send(std::string(mail) + "\r\n");
  REQUIRE(heard(files.file("record"), "MAIL"));
  client.reset();
  // stall ends with its input: the child hears of it.
  CHECK(wait_until([&] {
    const auto runs = read_record(files.file("record"));
    return runs.size() == 2 && runs.back().end == "eof";
  }, 5s));
}

TEST_CASE("a client that only half-closed is waited for, with full buffers too") {
  Wrapped spfwrap(level("1", {{"CHILD_GREET", "0"}}));
  spfwrap.hello().talk({mail, rcpt, "DATA"});
  std::string body;
  while (body.size() < 1 << 20) body += "All of this was sent before anything was heard.\r\n";
  spfwrap.client().send(body + ".\r\nNOOP\r\nQUIT\r\n");
  spfwrap.client().half_close();
  CHECK(spfwrap.client().rest() == "250 ok 1095 qp 4711\n250 ok\n221 child.example\n");
  CHECK(spfwrap.finish() == 0);
  CHECK(spfwrap.last_run().messages.size() == 1);
}

TEST_CASE("a child that hangs or speaks nonsense is killed at once when the session is over", "[waits]") {
  const struct { const char* why; const char* fault; const char* timeout; } cases[] = {
      {"hangs in its greeting", "greeting=hang", "1\n"},
      {"hangs in NOOP", "noop=hang", "1\n"},
      {"its reply does not end", "noop=endless", "1200\n"},
      {"no reply at all, and hangs", "noop=say:what?\\r\\n|hang", "1200\n"},
      {"one reply too many, and hangs", "noop=say:250 ok\\r\\n250 ok\\r\\n|hang", "1200\n"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Setup setup = level("1", {{"CHILD_FAULT", c.fault}});
    setup.control = {{"timeoutsmtpd", c.timeout}};
    Wrapped spfwrap(setup);
    const auto start = Clock::now();
    spfwrap.client().send("NOOP\r\nNOOP\r\n");
    CHECK(spfwrap.client().rest().find("421 ") != std::string::npos);
    CHECK(spfwrap.finish() == 111);
    CHECK(since(start) < 6s);
  }
}

TEST_CASE("a new child that hangs at its start leaves the old one and its session", "[waits]") {
  for (const char* fault : {"2/greeting=hang", "2/ehlo=hang", "2/connect=die", "2/ehlo=say:554 no\\r\\n|hang"}) {
    INFO(fault);
    Setup setup = level("1", {{"CHILD_FAULT", fault}});
    setup.control = {{"timeoutsmtpd", "1\n"}};
    Wrapped spfwrap(setup);
    CHECK(spfwrap.hello().ask(mail) == "451 unable to start SMTP server again (#4.3.0)");
    CHECK(spfwrap.talk({"NOOP", "QUIT"}) == "250 ok\n221 child.example\n");
    CHECK(spfwrap.finish() == 0);
  }
}
