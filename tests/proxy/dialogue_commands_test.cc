// Which commands go on, in which form, and which are answered here.
#include <algorithm>

#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

bool heard(const Wrapped& spfwrap, std::string_view start) {
  for (const ChildRun& run : spfwrap.runs())
    for (const std::string& command : run.commands)
      if (command.starts_with(start)) return true;
  return false;
}

const std::string pass = "a@pass.example.org";

}  // namespace

TEST_CASE("MAIL reaches the child in one form, whatever was sent") {
  const struct { std::string sent; std::string heard; } cases[] = {
      {"MAIL FROM:<" + pass + ">", "MAIL FROM:<" + pass + ">"},
      {"mail from:<" + pass + ">", "MAIL FROM:<" + pass + ">"},
      {"MaIl   FrOm:<" + pass + ">", "MAIL FROM:<" + pass + ">"},
      {"MAIL FROM :<" + pass + ">", "MAIL FROM:<" + pass + ">"},
      {"MAIL FROM: <" + pass + ">", "MAIL FROM:<" + pass + ">"},
      {"MAIL FROM:" + pass, "MAIL FROM:<" + pass + ">"},
      {"MAIL FROM: " + pass + " SIZE=100", "MAIL FROM:<" + pass + "> SIZE=100"},
      {"MAIL FROM:<" + pass + ">  SIZE=100   BODY=8BITMIME",
       "MAIL FROM:<" + pass + "> SIZE=100 BODY=8BITMIME"},
      {"MAIL FROM:<@a.example,@b.example:" + pass + ">", "MAIL FROM:<" + pass + ">"},
      {"MAIL FROM:" + pass + " AUTH=<x@fail.example.org>",
       "MAIL FROM:<" + pass + "> AUTH=<x@fail.example.org>"},
      {"MAIL FROM:<>", "MAIL FROM:<>"},
      {"MAIL FROM:<prvs=123=" + pass + ">", "MAIL FROM:<prvs=123=" + pass + ">"},          // BATV
      {"MAIL FROM:<SRS0=x=y=b.example=c@pass.example.org>",
       "MAIL FROM:<SRS0=x=y=b.example=c@pass.example.org>"},
      {"MAIL FROM:<list-return-b=c@pass.example.org>", "MAIL FROM:<list-return-b=c@pass.example.org>"},
      {"MAIL FROM:<a@[192.0.2.1]>", "MAIL FROM:<a@[192.0.2.1]>"},
      {"MAIL FROM:<a@pass.example.org.>", "MAIL FROM:<a@pass.example.org.>"},
      {"MAIL FROM:<\xc3\xa4@pass.example.org>", "MAIL FROM:<\xc3\xa4@pass.example.org>"},
      {"MAIL FROM:<\"a b\"@pass.example.org>", "MAIL FROM:<\"a b\"@pass.example.org>"},
  };
  for (const auto& c : cases) {
    INFO(c.sent);
    Wrapped spfwrap(level("1"));
    spfwrap.hello("pass.example.org");
    CHECK(spfwrap.ask(c.sent) == "250 ok");
    const ChildRun run = spfwrap.last_run();
    CHECK(run.commands.back() == c.heard);
    if (c.sent.find('[') == std::string::npos) CHECK(run.value("SPFRESULT") == "pass");
  }
}

TEST_CASE("RCPT reaches the child in one form too") {
  const struct { const char* sent; const char* heard; } cases[] = {
      {"RCPT TO:<b@example.org>", "RCPT TO:<b@example.org>"},
      {"rcpt  to : <b@example.org>", "RCPT TO:<b@example.org>"},
      {"RCPT TO:b@example.org", "RCPT TO:<b@example.org>"},
      {"RCPT TO:<@a.example:b@example.org>  NOTIFY=NEVER", "RCPT TO:<b@example.org> NOTIFY=NEVER"},
      {"RCPT TO:<postmaster>", "RCPT TO:<postmaster>"},
  };
  Wrapped spfwrap(level("1"));
  spfwrap.hello().ask("MAIL FROM:<" + pass + ">");
  for (const auto& c : cases) {
    INFO(c.sent);
    CHECK(spfwrap.ask(c.sent) == "250 ok");
    CHECK(spfwrap.last_run().commands.back() == c.heard);
  }
}

TEST_CASE("what servers read differently is 501 here") {
  Wrapped spfwrap(level("1"));
  spfwrap.hello();
  for (const char* sent :
       {"MAIL", "MAIL a@pass.example.org", "MAIL <a@pass.example.org>", "MAIL FROM", "MAIL FROM:",
        "MAIL FROM<a@pass.example.org>", "MAIL FROM:<a@pass.example.org", "MAIL FROM:a@pass.example.org>",
        "MAIL FROM:<a@pass.example.org>x", "MAIL FROM:<a@pass.example.org>SIZE=1",
        "MAIL FROM:\"<x@pass.example.org>\"@fail.example.org", "MAIL FROM:<@x.test>",
        "MAIL FROM:<<a@pass.example.org>>", "MAIL FROM:a\\@pass.example.org",
        "MAIL TO:<a@pass.example.org>", "MAIL X FROM:<a@pass.example.org>",
        "RCPT", "RCPT b@example.org", "RCPT TO:", "RCPT FROM:<b@example.org>", "RCPT TO:<b@example.org>x"}) {
    INFO(sent);
    CHECK(spfwrap.ask(sent).starts_with("501 "));
  }
  CHECK(spfwrap.ask("NOOP") == "250 ok");
  CHECK_FALSE(heard(spfwrap, "MAIL"));
  CHECK_FALSE(heard(spfwrap, "RCPT"));
}

TEST_CASE("known verbs go on, in any case") {
  const struct { const char* sent; const char* heard; const char* reply; } cases[] = {
      {"noop", "NOOP", "250 ok"},
      {"rset", "RSET", "250 flushed"},
      {"vrfy b", "VRFY b", "252 send some mail"},
      {"Expn list", "EXPN list", "252 send some mail"},
      {"help", "HELP", "214 https://example.org/help"},
      {"helo x.example", "HELO x.example", "250 child.example"},
      {"data", "DATA", "503 MAIL first (#5.5.1)"},
      {"quit", "QUIT", "221 child.example"},
  };
  Wrapped spfwrap(level("1"));
  spfwrap.client().reply();
  for (const auto& c : cases) {
    INFO(c.sent);
    CHECK(spfwrap.ask(c.sent) == c.reply);
    CHECK(spfwrap.last_run().commands.back() == c.heard);
  }
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("other verbs are 502 here") {
  Wrapped spfwrap(level("1"));
  spfwrap.hello();
  for (const char* sent : {"DATAX", "MAILX FROM:<a@pass.example.org>", " NOOP", "XCLIENT ADDR=127.0.0.1",
                           "XFORWARD ADDR=127.0.0.1", "ETRN example.org", "TURN", "BURL x", "SEND", "GET / HTTP/1.1",
                           "STARTTLS"}) {
    INFO(sent);
    CHECK(spfwrap.ask(sent).starts_with("502 "));
  }
  CHECK(spfwrap.last_run().commands.size() == 1);  // EHLO
}

TEST_CASE("BDAT is 521 and the end, and what follows it is not executed") {
  Wrapped spfwrap(level("1"));
  spfwrap.hello().client().send("BDAT 33 LAST\r\nMAIL FROM:<a@pass.example.org>\r\nNOOP\r\n");
  CHECK(spfwrap.client().reply().starts_with("521 "));
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.finish() != -1);
  CHECK_FALSE(heard(spfwrap, "MAIL"));
  CHECK_FALSE(heard(spfwrap, "NOOP"));
}

TEST_CASE("a line may end in LF alone, and goes on with CRLF") {
  Wrapped spfwrap(level("1"));
  spfwrap.client().reply();
  spfwrap.client().send("EHLO x\nMAIL FROM:<a@pass.example.org>\n");
  CHECK(spfwrap.client().reply().starts_with("250-child.example"));
  CHECK(spfwrap.client().reply() == "250 ok");
  CHECK(spfwrap.last_run().commands == Arguments{"EHLO x", "MAIL FROM:<a@pass.example.org>"});
}

TEST_CASE("NUL, CR inside and too much length are one 500 and go nowhere") {
  const std::string_view lines[] = {
      std::string_view("NOOP\0x", 6),
      std::string_view("\0NOOP", 5),
      "NOOP\rMAIL FROM:<a@fail.example.org>",
      "\rNOOP",
      "NOOP\r",  // CR CR LF
  };
  Wrapped spfwrap(level("1"));
  spfwrap.hello();
  for (const auto line : lines) {
    INFO(line);
    CHECK(spfwrap.ask(line).starts_with("500 "));
  }
  for (const std::size_t size : {2049u, 5000u, 300000u}) {
    INFO(size);
    CHECK(spfwrap.ask("NOOP " + std::string(size - 5, 'x')).starts_with("500 "));
  }
  CHECK(spfwrap.ask("NOOP " + std::string(2043, 'x')) == "250 ok");
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
}

TEST_CASE("an AUTH line may be longer") {
  Wrapped spfwrap(level("1", {{"CHILD_EHLO", "AUTH PLAIN"}}));
  spfwrap.hello();
  CHECK(spfwrap.ask("AUTH PLAIN") == "334 ");
  CHECK(spfwrap.ask(std::string(12288, 'A')).starts_with("235 "));
}

TEST_CASE("EHLO keywords that are not handled are dropped, and the last line stays one") {
  const struct { const char* offered; const char* reply; } cases[] = {
      {"PIPELINING|SIZE 1000|8BITMIME", "250-child.example\n250-PIPELINING\n250-SIZE 1000\n250 8BITMIME"},
      {"8BITMIME|CHUNKING", "250-child.example\n250 8BITMIME"},
      {"CHUNKING|STARTTLS|PRDR", "250 child.example"},
      {"STARTTLS|ENHANCEDSTATUSCODES|XCLIENT NAME ADDR|DSN|ETRN",
       "250-child.example\n250-ENHANCEDSTATUSCODES\n250 DSN"},
      {"SMTPUTF8|AUTH PLAIN LOGIN|HELP|XFORWARD NAME|BURL imap|REQUIRETLS|LIMITS RCPTMAX=1|X-NEW",
       "250-child.example\n250-SMTPUTF8\n250-AUTH PLAIN LOGIN\n250 HELP"},
      {"pipelining|size", "250-child.example\n250-pipelining\n250 size"},
      {"SIZEABLE|AUTHX", "250 child.example"},
  };
  for (const auto& c : cases) {
    INFO(c.offered);
    Wrapped spfwrap(level("1", {{"CHILD_EHLO", c.offered}}));
    spfwrap.client().reply();
    CHECK(spfwrap.ask("EHLO x") == c.reply);
    CHECK(spfwrap.ask("NOOP") == "250 ok");
  }
}

TEST_CASE("an EHLO that the child refuses is refused") {
  Wrapped spfwrap(level("1", {{"CHILD_FAULT", "ehlo=say:502 no\\r\\n"}}));
  spfwrap.client().reply();
  CHECK(spfwrap.ask("EHLO x") == "502 no");
  CHECK(spfwrap.ask("HELO x") == "250 child.example");
  CHECK(spfwrap.ask("MAIL FROM:<" + pass + ">") == "250 ok");
  CHECK(spfwrap.last_run().commands == Arguments{"HELO x", "MAIL FROM:<" + pass + ">"});
}

TEST_CASE("STARTTLS is hidden, or passed and then unseen, with a warning") {
  Wrapped hidden(level("3", {{"CHILD_EHLO", "8BITMIME|STARTTLS"}, {"SPFSTARTTLS", "hide"}}));
  hidden.client().reply();
  CHECK(hidden.ask("EHLO x") == "250-child.example\n250 8BITMIME");
  CHECK(hidden.ask("STARTTLS").starts_with("502 "));
  CHECK(hidden.ask("NOOP") == "250 ok");

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
  CHECK(passed.errors().find("spfwrap: warning: ") != std::string::npos);
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

TEST_CASE("input after QUIT is ignored") {
  Wrapped spfwrap(level("1"));
  spfwrap.hello().client().send("QUIT\r\nMAIL FROM:<" + pass + ">\r\n");
  CHECK(spfwrap.client().rest() == "221 child.example\n");
  CHECK(spfwrap.finish() == 0);
  CHECK_FALSE(heard(spfwrap, "MAIL"));
}

TEST_CASE("a part of a line at end of file is not executed") {
  for (const char* rest : {"MAIL FROM:<a@pass.example.org>", "NOOP", "QUIT\r"}) {
    INFO(rest);
    Wrapped spfwrap(level("1"));
    spfwrap.hello().client().send(rest);
    spfwrap.client().half_close();
    CHECK(spfwrap.client().rest() == "");
    CHECK(spfwrap.finish() == 0);
    CHECK(spfwrap.last_run().commands.size() == 1);
  }
}
