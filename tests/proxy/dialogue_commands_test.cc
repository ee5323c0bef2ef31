// Commands through real processes: their form, their order, and their replies in
// one write. Which of them go on is what tests/dialogue/session_commands_test.cc tells.
#include <algorithm>

#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

const std::string pass = "a@pass.example.org";

}  // namespace

TEST_CASE("commands go on in one form or are answered here") {
  const struct { const char* said; const char* reply; const char* heard; } cases[] = {
      {"ehlo  x", "250-child.example\n250-8BITMIME\n250 AUTH PLAIN", "EHLO x"},
      {"auth PLAIN", "334 ", "AUTH PLAIN"},
      {"*", "501 auth exchange cancelled (#5.0.0)", "*"},
      {"MAIL a@pass.example.org", "501 syntax: MAIL FROM:<address> (#5.5.4)", nullptr},
      {"NOOP\rQUIT", "500 NUL or CR in command line (#5.5.2)", nullptr},
      {"XCLIENT ADDR=127.0.0.1", "502 command not implemented (#5.5.1)", nullptr},
      {"vrfy b", "252 send some mail", "VRFY b"},
      {"mail from:@a.example:a@pass.example.org  SIZE=100", "250 ok", "MAIL FROM:<a@pass.example.org> SIZE=100"},
      {"rcpt  to : b@example.org", "250 ok", "RCPT TO:<b@example.org>"},
      {"BDAT 33 LAST\r\nNOOP", "521 BDAT not supported, closing (#5.5.1)", nullptr},
  };
  Wrapped spfwrap(level("1", {{"CHILD_EHLO", "8BITMIME|CHUNKING|AUTH PLAIN|STARTTLS"}}));
  spfwrap.client().reply();
  for (const auto& c : cases) {
    INFO(c.said);
    const std::size_t before = spfwrap.last_run().commands.size();
    CHECK(spfwrap.ask(c.said) == c.reply);
    if (c.heard)
      CHECK(spfwrap.last_run().commands.back() == c.heard);
    else
      CHECK(spfwrap.last_run().commands.size() == before);
  }
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.finish() == 0);
  CHECK(spfwrap.last_run().value("SPFRESULT") == "pass");
}

TEST_CASE("STARTTLS that is passed on is unseen from then on, with a warning") {
  Wrapped passed(level("3", {{"CHILD_EHLO", "8BITMIME|STARTTLS"}, {"SPFSTARTTLS", "pass"}}));
  passed.client().reply();
  CHECK(passed.ask("EHLO x") == "250-child.example\n250-8BITMIME\n250 STARTTLS");
  CHECK(passed.ask("STARTTLS") == "220 ready for tls");
  const std::string bytes("\x16\x03\x01 MAIL FROM:<a@fail.example.org>\n\0.\r\n", 38);
  passed.client().send(bytes);  // the child sends everything back from here
  passed.client().half_close();
  std::string expected = bytes;
  std::erase(expected, '\r');
  CHECK(passed.client().rest() == expected);
  CHECK(passed.errors().find(passed.warned("STARTTLS: ")) != std::string::npos);
  CHECK(passed.finish() == 0);
}

TEST_CASE("pipelined commands go on one by one, and their replies come back in one write") {
  Setup setup = level("3");
  setup.over = Over::packets;
  Wrapped spfwrap(setup);
  spfwrap.hello();
  const unsigned before = spfwrap.client().arrivals();
  spfwrap.client().send("RSET\r\nMAIL FROM:<" + pass + ">\r\nRCPT TO:<b@example.org>\r\nDATA\r\n");
  for (const char* reply : {"250 flushed", "250 ok", "250 ok", "354 go ahead"})
    CHECK(spfwrap.client().reply() == reply);
  CHECK(spfwrap.client().arrivals() == before + 1);
  spfwrap.client().send("x\r\n.\r\nMAIL FROM:<a@fail.example.org>\r\nRCPT TO:<b@example.org>\r\nQUIT\r\n");
  CHECK(spfwrap.client().reply() == "250 ok 1095 qp 4711");
  CHECK(spfwrap.client().reply() == "250 ok");
  CHECK(spfwrap.client().reply().starts_with("550"));
  CHECK(spfwrap.client().reply() == "221 child.example");
  CHECK(spfwrap.client().arrivals() == before + 2);
  for (const ChildRun& run : spfwrap.runs()) CHECK_FALSE(run.ahead);
}

TEST_CASE("a whole session in one segment, and octet by octet, is the same") {
  const std::string session =
      "EHLO x\r\nMAIL FROM:<" + pass + ">\r\nRCPT TO:<b@example.org>\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.\r\n"
      "MAIL FROM:<a@fail.example.org>\r\nRCPT TO:<b@example.org>\r\nRSET\r\nQUIT\r\n";
  std::string replies[2], messages[2];
  for (const int i : {0, 1}) {
    Wrapped spfwrap(level("3"));
    CHECK(spfwrap.client().send(session, i == 0 ? session.size() : 1));
    replies[i] = spfwrap.client().rest();
    REQUIRE(spfwrap.last_run().messages.size() == 1);
    messages[i] = spfwrap.last_run().messages[0];
    CHECK(spfwrap.finish() == 0);
  }
  CHECK(replies[0] == replies[1]);
  CHECK(messages[0] == messages[1]);
  CHECK(std::count(replies[0].begin(), replies[0].end(), '\n') >= 11);
}
