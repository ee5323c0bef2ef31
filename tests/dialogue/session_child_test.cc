// What a child says, or does not, and what its client hears of it.
#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

using transcript::hello;
using transcript::plays;
using transcript::noop;

const std::string mail = R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,client.example = pass example.org mx
  ! start pass
  - 220 child
  + EHLO client.example
  - 250 child
  ! dismiss
  ! log 250
  + MAIL FROM:<a@example.org>
)";

const std::string recipient = mail + R"(
  - 250 ok
  < 250 ok
  > RCPT TO:<b@example.net>
  + RCPT TO:<b@example.net>
)";

const std::string data = recipient + R"(
  - 250 ok
  < 250 ok
  > DATA
  + DATA
)";

// A line of the message has gone on behind the header.
const std::string body = data + R"(
  - 354 go ahead
  < 354 go ahead
  > x
  + Received-SPF: pass (mx.local: SPF record at example.org designates 192.0.2.1
  +  as permitted sender) client-ip=192.0.2.1; envelope-from="a@example.org";
  +  helo=client.example; mechanism=mx; receiver=mx.local; identity=mailfrom;
  + x
)";

}  // namespace

TEST_CASE("refusals of the child are passed on, and the session goes on") {
  const struct { const std::string& until; const char* said; const char* heard; } cases[] = {
      {mail, "- 550-no\n- 550 never\n", "< 550-no\n< 550 never\n"},
      {mail, "- 451 later\n", "< 451 later\n"},
      {recipient, "- 550 no such user\n", "< 550 no such user\n"},
      {recipient, "- 250\n", "< 250\\s\n"},  // RFC 5321 section 4.2
      {data, "- 503 RCPT first\n", "< 503 RCPT first\n"},
      {data, "- 451 not now\n", "< 451 not now\n"},
      {data, "- 554-no\n- 554-no\n- 554 no\n", "< 554-no\n< 554-no\n< 554 no\n"},
      {data, "- 471 x\n", "< 471 x\n"},
  };
  for (const auto& c : cases) {
    INFO(c.said);
    plays(hello + c.until + c.said + c.heard + noop);
  }
}

TEST_CASE("after a refused DATA what was pipelined is commands") {
  // Whole only: one octet at a time nothing is pipelined.
  CHECK(transcript::play(hello + recipient + R"(
    - 250 ok
    < 250 ok
    >> DATA\r\nNOOP\r\n.\r\nQUIT\r\n
    + DATA
    - 451 not now
    + NOOP
    - 250 ok
    + QUIT
    - 221 bye
    < 451 not now
    < 250 ok
    < 502 command not implemented (#5.5.1)
    < 221 bye
    ! finish
  )", transcript::config(), std::string::npos) == "");
}

TEST_CASE("what the child answers to the dot is the answer") {
  for (const std::string answer : {"250 ok 1 qp 2", "451 queue is full", "554 no"}) {
    INFO(answer);
    plays(hello + body + "> .\n+ .\n- " + answer + "\n< " + answer + "\n" + noop);
  }
}

TEST_CASE("what is no reply is 421 to the client, and the end") {
  const struct { const char* why; const char* said; } cases[] = {
      {"too few digits", "- 25 ok"},
      {"no blank after the code", "- 250ok"},
      {"no code", "- ok"},
      {"an empty line", "- "},
      {"two codes", "- 250-ok\n- 550 no"},
      {"no such code", "- 950 ok"},
      {"NUL", "- 250 \\0"},
      {"the end", "-|"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    plays(hello + recipient + c.said + "\n< 421 SMTP server trouble, closing (#4.3.0)\n! finish\n");
  }
}

TEST_CASE("a greeting that is none is named too") {
  for (const std::string said : {"hello there", "25 ok", "220-a\n- 250 b", "\\0"}) {
    INFO(said);
    plays("! start\n- " + said + R"(
      < 421 unable to start SMTP server (#4.3.0)
      ! warning SMTP server does not greet
      ! finish
    )");
  }
  plays("! start\n-|\n< 421 unable to start SMTP server (#4.3.0)\n! finish\n");
}

TEST_CASE("a reply too many is the end, behind that which was asked for") {
  const std::string one_more = R"(
    - 250 ok
    < 421 SMTP server trouble, closing (#4.3.0)
    ! finish
  )";
  plays("! start\n- 220 child\n< 220 child\n" + one_more);
  plays(hello + one_more);
  plays(hello + recipient + "- 250 ok\n< 250 ok\n" + one_more);
  plays(hello + recipient + "- 354 go\n< 354 go\n" + one_more);
}

TEST_CASE("the last word of a child that goes is passed on once") {
  for (const std::string word : {"421 shutting down", "451 out of memory"}) {
    INFO(word);
    plays(hello + noop + "- " + word + "\n< " + word + "\n! finish\n");
  }
  for (const std::string greeting : {"421 too busy", "554 no service", "451 later"}) {
    INFO(greeting);
    plays("! start\n- " + greeting + "\n< " + greeting + "\n-|\n! finish\n");
  }
}

TEST_CASE("a message that the child gives up, or takes too early, is not accepted") {
  const struct { const char* why; const char* said; const char* heard; } cases[] = {
      {"it dies in the body", "-|", "451 SMTP server gave up, message not accepted (#4.3.0)"},
      {"it dies at the dot", "> .\n+ .\n-|", "451 SMTP server gave up, message not accepted (#4.3.0)"},
      {"it refuses early", "- 451 See https://cr.yp.to/docs/smtplf.html.", "451 See https://cr.yp.to/docs/smtplf.html."},
      {"it is pleased too early", "- 250 ok", "451 SMTP server gave up, message not accepted (#4.3.0)"},
      {"it speaks nonsense in the body", "- more!", "451 SMTP server gave up, message not accepted (#4.3.0)"},
      {"it speaks nonsense at the dot", "> .\n+ .\n- thanks", "451 SMTP server gave up, message not accepted (#4.3.0)"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    plays(hello + body + c.said + "\n< " + c.heard + "\n! finish\n");
  }
}

TEST_CASE("where the client's words end no dot is made up") {
  const struct { const char* why; const char* said; const char* passed; } cases[] = {
      {"behind a line", "", ""},
      {"in a line", ">> y", "+> y"},
      {"at the dot", ">> .", ""},
      {"at its CR", ">> .\\r", ""},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    plays(hello + body + c.said + "\n" + c.passed + "\n>|\n! finish\n");
  }
}

TEST_CASE("a second start that fails is 451 to MAIL, and the next MAIL tries again") {
  const char* up_to_ehlo = "- 220 child\n+ EHLO client.example\n";
  const struct { const char* why; const char* up; const char* said; } cases[] = {
      {"it dies at once", "", "-|"},
      {"it is busy", "", "- 451 not now"},
      {"it refuses", "", "- 554 no"},
      {"it dies in its greeting", "", "- 220-more\n-|"},
      {"it speaks nonsense", "", "- hello"},
      {"it refuses EHLO", up_to_ehlo, "- 502 no"},
      {"it dies at EHLO", up_to_ehlo, "-|"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const std::string failed = std::string(R"(
      > MAIL FROM:<a@example.org>
      ? a@example.org,client.example = pass example.org mx
      ! start pass
    )") + c.up + c.said + R"(
      ! restore
      < 451 unable to start SMTP server again (#4.3.0)
    )";
    plays(hello + failed + failed + R"(
      > RCPT TO:<b@example.org>
      + RCPT TO:<b@example.org>
      - 503 MAIL first
      < 503 MAIL first
    )" + recipient + "- 250 ok\n< 250 ok\n");
  }
}
