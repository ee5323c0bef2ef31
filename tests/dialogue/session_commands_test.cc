// Which commands go on to the child, in which form, and which are answered here.
#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

using transcript::hello;
using transcript::plays;
using transcript::noop;

const std::string greeting = hello.substr(0, hello.find("  > EHLO"));

// Where what is said at once matters: octet by octet nothing is.
void plays_whole(const std::string& text) {
  CHECK(transcript::play(text, transcript::config(), std::string::npos) == "");
}

std::string mail(const std::string& said, const std::string& checked, const std::string& passed) {
  return "> " + said + "\n? " + checked + ",client.example = pass example.org mx\n" + R"(
  ! start pass
  - 220 child
  + EHLO client.example
  - 250 child
  ! dismiss
  ! log 250
  + )" + passed + R"(
  - 250 sender ok
  < 250 sender ok
)";
}

}  // namespace

TEST_CASE("MAIL reaches the child in one form, whatever was sent, and that is what is checked") {
  const struct { const char* said; const char* checked; const char* passed; } cases[] = {
      {"MAIL FROM:<a@b>", "a@b", "MAIL FROM:<a@b>"},
      {"mail from:<a@b>", "a@b", "MAIL FROM:<a@b>"},
      {"MaIl   FrOm:<a@b>", "a@b", "MAIL FROM:<a@b>"},
      {"MAIL FROM : <a@b>", "a@b", "MAIL FROM:<a@b>"},
      {"MAIL FROM:a@b", "a@b", "MAIL FROM:<a@b>"},
      {"MAIL FROM: a@b SIZE=100", "a@b", "MAIL FROM:<a@b> SIZE=100"},
      {"MAIL FROM:<a@b>  SIZE=100   BODY=8BITMIME", "a@b", "MAIL FROM:<a@b> SIZE=100 BODY=8BITMIME"},
      {"MAIL FROM:<@a.example,@b.example:a@b>", "a@b", "MAIL FROM:<a@b>"},           // a source route
      {"MAIL FROM:a@b AUTH=<x@y>", "a@b", "MAIL FROM:<a@b> AUTH=<x@y>"},
      {"MAIL FROM:<>", "", "MAIL FROM:<>"},                                          // the null sender
      {"MAIL FROM:<prvs=123=a@b>", "prvs=123=a@b", "MAIL FROM:<prvs=123=a@b>"},      // BATV
      {"MAIL FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]", "MAIL FROM:<a@[192.0.2.1]>"},
      {"MAIL FROM:<a@b.>", "a@b.", "MAIL FROM:<a@b.>"},
      {"MAIL FROM:<\"a@c\"@b>", "\"a@c\"@b", "MAIL FROM:<\"a@c\"@b>"},
  };
  for (const auto& c : cases) {
    INFO(c.said);
    plays(hello + mail(c.said, c.checked, c.passed));
  }
}

TEST_CASE("RCPT reaches the child in one form too") {
  const struct { const char* said; const char* passed; } cases[] = {
      {"RCPT TO:<b@c>", "RCPT TO:<b@c>"},
      {"rcpt  to : <b@c>", "RCPT TO:<b@c>"},
      {"RCPT TO:b@c", "RCPT TO:<b@c>"},
      {"RCPT TO:<@a.example:b@c>  NOTIFY=NEVER", "RCPT TO:<b@c> NOTIFY=NEVER"},
      {"RCPT TO:<postmaster>", "RCPT TO:<postmaster>"},
  };
  std::string text = hello + mail("MAIL FROM:<a@b>", "a@b", "MAIL FROM:<a@b>");
  for (const auto& c : cases)
    text += std::string("> ") + c.said + "\n+ " + c.passed + "\n- 250 ok\n< 250 ok\n";
  plays(text);
}

TEST_CASE("what servers read differently is 501 here, and the child hears nothing of it") {
  const char* mails[] = {
      "", " a@b", " <a@b>", " FROM", " FROM:", " FROM<a@b>", " FROM:<a@b", " FROM:a@b>", " FROM:<a@b>x",
      " FROM:<a@b>SIZE=1", " FROM:\"<x@b>\"@c", " FROM:<@x.test>", " FROM:<<a@b>>", " FROM:a\\\\@b",
      " TO:<a@b>", " X FROM:<a@b>",
  };
  const char* rcpts[] = {"", " b@c", " TO:", " FROM:<b@c>", " TO:<b@c>x"};
  std::string text = hello;
  for (const char* argument : mails)
    text += std::string("> MAIL") + argument + "\n< 501 syntax: MAIL FROM:<address> (#5.5.4)\n";
  for (const char* argument : rcpts)
    text += std::string("> RCPT") + argument + "\n< 501 syntax: RCPT TO:<address> (#5.5.4)\n";
  plays(text + noop);
}

TEST_CASE("known verbs go on, in any case") {
  const struct { const char* said; const char* passed; } cases[] = {
      {"noop", "NOOP"}, {"rset", "RSET"}, {"vrfy b", "VRFY b"}, {"Expn list", "EXPN list"},
      {"help", "HELP"}, {"helo x.example", "HELO x.example"}, {"data", "DATA"}, {"quit", "QUIT"},
  };
  std::string text = hello;
  for (const auto& c : cases)
    text += std::string("> ") + c.said + "\n+ " + c.passed + "\n- 550 so be it\n< 550 so be it\n";
  plays(text + "! finish\n");
}

TEST_CASE("other verbs are 502 here") {
  std::string text = hello;
  for (const char* said : {"DATAX", "MAILX FROM:<a@b>", "\\sNOOP", "XCLIENT ADDR=127.0.0.1", "XFORWARD ADDR=127.0.0.1",
                           "ETRN example.org", "TURN", "BURL x", "SEND", "GET / HTTP/1.1", "STARTTLS"})
    text += std::string("> ") + said + "\n< 502 command not implemented (#5.5.1)\n";
  plays(text + noop);
}

TEST_CASE("what follows BDAT or QUIT in the same breath is not executed") {
  const std::string behind = "MAIL FROM:<a@b>\\r\\nNOOP\\r\\n\n";
  plays_whole(hello + ">> BDAT 33 LAST\\r\\n" + behind + R"(
    < 521 BDAT not supported, closing (#5.5.1)
    ! finish
  )");
  plays_whole(hello + ">> QUIT\\r\\n" + behind + R"(
    + QUIT
    - 221 bye
    < 221 bye
    ! finish
  )");
}

TEST_CASE("NUL and CR in a line are one 500 and go nowhere") {
  std::string text = hello;
  for (const char* line : {"NOOP\\0x", "\\0NOOP", "NOOP\\rMAIL FROM:<a@b>", "\\rNOOP", "NOOP\\r"})
    text += std::string("> ") + line + "\n< 500 NUL or CR in command line (#5.5.2)\n";
  plays(text + noop);
}

TEST_CASE("an answer to 334 may be as long as an AUTH line") {
  const std::string answer(12288, 'A');
  plays(hello + "> AUTH PLAIN\n+ AUTH PLAIN\n- 334\\s\n< 334\\s\n> " + answer + "\n+ " + answer +
        "\n- 235 ok\n< 235 ok\n");
}

TEST_CASE("an AUTH that succeeds is trust, one that is refused or given up changes nothing") {
  const std::string asked = "> AUTH PLAIN\n+ AUTH PLAIN\n- 334\\s\n< 334\\s\n";
  const std::string failing = "> MAIL FROM:<x@y>\n? x@y,client.example = fail y -all\n< 250 ok\n" +
                              std::string("> RCPT TO:<b@c>\n! log 550 b@c\n< 550 no, says y (#5.7.1)\n");
  plays(hello + asked + "> bad\n+ bad\n- 535 no\n< 535 no\n" + failing);
  plays(hello + asked + "> *\n+ *\n- 501 cancelled\n< 501 cancelled\n" + failing);
  plays(hello + asked + "> AGEAYg==\n+ AGEAYg==\n- 235 ok\n< 235 ok\n" +
        "> MAIL FROM:<x@y>\n+ MAIL FROM:<x@y>\n- 250 ok\n< 250 ok\n");
}

TEST_CASE("EHLO keywords that are not handled are dropped, and the last line stays one") {
  const struct { std::vector<std::string> offered, passed; } cases[] = {
      {{"PIPELINING", "SIZE 1000", "8BITMIME"}, {"PIPELINING", "SIZE 1000", "8BITMIME"}},
      {{"8BITMIME", "CHUNKING"}, {"8BITMIME"}},
      {{"CHUNKING", "STARTTLS", "PRDR"}, {}},
      {{"STARTTLS", "ENHANCEDSTATUSCODES", "XCLIENT NAME ADDR", "DSN", "ETRN"}, {"ENHANCEDSTATUSCODES", "DSN"}},
      {{"SMTPUTF8", "AUTH PLAIN LOGIN", "HELP", "XFORWARD NAME", "BURL imap", "REQUIRETLS", "LIMITS RCPTMAX=1", "X-NEW"},
       {"SMTPUTF8", "AUTH PLAIN LOGIN", "HELP"}},
      {{"pipelining", "size"}, {"pipelining", "size"}},
      {{"SIZEABLE", "AUTHX"}, {}},
  };
  const auto reply = [](const char* who, const std::vector<std::string>& keywords) {
    std::string text;
    for (std::size_t i = 0; i <= keywords.size(); ++i)
      text += who + std::string(i == keywords.size() ? "250 " : "250-") + (i == 0 ? "child" : keywords[i - 1]) + '\n';
    return text;
  };
  for (const auto& c : cases) plays(greeting + "> EHLO x\n+ EHLO x\n" + reply("- ", c.offered) + reply("< ", c.passed) + noop);
}

TEST_CASE("an EHLO that the child refuses is refused, and the HELO behind it counts") {
  plays(greeting + R"(
    > EHLO x
    + EHLO x
    - 502 no
    < 502 no
    > HELO y
    + HELO y
    - 250 child
    < 250 child
    > MAIL FROM:<a@b>
    ? a@b,y = pass b mx
    ! start pass
    - 220 child
    + HELO y
    - 250 child
    ! dismiss
    ! log 250
    + MAIL FROM:<a@b>
    - 250 ok
    < 250 ok
  )");
}

TEST_CASE("a part of a line at the end of all is not executed") {
  for (const char* part : {"MAIL FROM:<a@b>", "NOOP", "QUIT\\r"}) {
    INFO(part);
    plays(hello + ">> " + part + "\n>|\n! finish\n");
  }
}

TEST_CASE("behind a refused sender a new MAIL, RSET or EHLO starts afresh") {
  const std::string refused = R"(
    > MAIL FROM:<x@y>
    ? x@y,client.example = fail y -all
    < 250 ok
    > RCPT TO:<b@c>
    ! log 550 b@c
    < 550 no, says y (#5.7.1)
  )";
  const std::string unknown = R"(
    > RCPT TO:<b@c>
    + RCPT TO:<b@c>
    - 503 MAIL first
    < 503 MAIL first
  )";
  plays(hello + refused + "> RSET\n+ RSET\n- 250 ok\n< 250 ok\n" + unknown);
  plays(hello + refused + "> EHLO client.example\n+ EHLO client.example\n- 250 child\n< 250 child\n" + unknown);
  plays(hello + refused + refused + mail("MAIL FROM:<a@b>", "a@b", "MAIL FROM:<a@b>") + R"(
    > RCPT TO:<b@c>
    + RCPT TO:<b@c>
    - 250 ok
    < 250 ok
  )");
}
