#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

// How most dialogues begin.
using transcript::hello;
using transcript::plays;

// A MAIL that passes, with the child started again for it.
const std::string good_mail = R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,client.example = pass example.org mx
  ! start pass
  - 220 child ESMTP
  + EHLO client.example
  - 250 child
  ! dismiss
  ! log 250
  + MAIL FROM:<a@example.org>
  - 250 sender ok
  < 250 sender ok
)";

const std::string good_recipient = R"(
  > RCPT TO:<b@example.net>
  + RCPT TO:<b@example.net>
  - 250 recipient ok
  < 250 recipient ok
)";

// The child's 354, and the header it gets before the first octet of the message.
const std::string go_ahead = R"(
  > DATA
  + DATA
  - 354 go ahead
  < 354 go ahead
)";
const std::string header = R"(
  + Received-SPF: pass (mx.local: SPF record at example.org designates 192.0.2.1
  +  as permitted sender) client-ip=192.0.2.1; envelope-from="a@example.org";
  +  helo=client.example; mechanism=mx; receiver=mx.local; identity=mailfrom;
)";

const std::string quit = R"(
  > QUIT
  + QUIT
  - 221 bye
  < 221 bye
  ! finish
)";

}  // namespace

TEST_CASE("a message that passes arrives with its header") {
  plays(hello + good_mail + good_recipient + R"(
    )" + go_ahead + "> Subject: x" + header + R"(
    + Subject: x
    > .
    + .
    - 250 queued
    < 250 queued
  )" + quit);
}

TEST_CASE("the recipients of a mail that fails are refused and the child hears nothing of it") {
  plays(hello + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,client.example = fail example.org -all
    < 250 ok
    > RCPT TO:<b@example.net>
    ! log 550 b@example.net
    < 550 no, says example.org (#5.7.1)
    > RCPT TO:<c@example.net>
    ! log 550 c@example.net
    < 550 no, says example.org (#5.7.1)
    > DATA
    + DATA
    - 503 MAIL first
    < 503 MAIL first
    > RSET
    + RSET
    - 250 flushed
    < 250 flushed
    > RCPT TO:<b@example.net>
    + RCPT TO:<b@example.net>
    - 503 MAIL first
    < 503 MAIL first
  )" + quit);
}

TEST_CASE("a mail that can't be checked now is deferred from level 2") {
  plays(hello + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,client.example = temperror example.org
    ! log 451
    < 451 SPF lookup failure (#4.3.0)
  )" + quit);
}

TEST_CASE("no older transaction stays open behind a mail that the child does not see") {
  for (const std::string verdict : {"fail", "temperror"}) {
    INFO(verdict);
    plays(hello + good_mail + good_recipient + R"(
      > MAIL FROM:<x@example.net>
      ? x@example.net,client.example = )" + verdict + R"( example.net -all
      + RSET
      - 250 flushed
    )" + (verdict == "fail" ? "< 250 ok" : "! log 451\n< 451 SPF lookup failure (#4.3.0)"));
  }
}

TEST_CASE("a child that does not take RSET, so that an older transaction may be open, ends the session") {
  for (const char* answer : {"502 what is RSET", "451 not now", "354 go on"}) {
    INFO(answer);
    plays(hello + good_mail + good_recipient + R"(
      > MAIL FROM:<x@example.net>
      ? x@example.net,client.example = fail example.net -all
      + RSET
      - )" + answer + R"(
      < 421 SMTP server trouble, closing (#4.3.0)
      ! finish
    )");
  }
}

TEST_CASE("the child is not started again for a mail with the same variables") {
  plays(hello + good_mail + R"(
    > RSET
    + RSET
    - 250 flushed
    < 250 flushed
    > MAIL FROM:<a@example.org>
    ? a@example.org,client.example = pass example.org mx
    ! log 250
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
    # a second MAIL starts afresh
    > MAIL FROM:<a@example.org>
    ? a@example.org,client.example = pass example.org mx
    + RSET
    - 250 flushed
    ! log 250
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
  )" + quit);
}

TEST_CASE("a child that does not come up again costs a 451 and the old one stays") {
  const std::string again = R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,client.example = pass example.org mx
    ! start pass
  )";
  plays(hello + again + R"(
    - 421 too busy
    ! restore
    < 451 unable to start SMTP server again (#4.3.0)
  )" + again + R"(
    - 220 child
    + EHLO client.example
    - 502 no
    ! restore
    < 451 unable to start SMTP server again (#4.3.0)
  )" + again + R"(
    -|
    ! restore
    < 451 unable to start SMTP server again (#4.3.0)
  )" + again + R"(
    - 220 child
    + EHLO client.example
    ~
    ! restore
    < 451 unable to start SMTP server again (#4.3.0)
    > NOOP
    + NOOP
    - 250 ok
    < 250 ok
  )" + quit);
  // An older transaction is not left open behind the 451.
  plays(hello + good_mail + R"(
    > MAIL FROM:<x@example.net>
    ? x@example.net,client.example = pass example.net mx
    ! start pass
    -|
    ! restore
    + RSET
    - 250 flushed
    < 451 unable to start SMTP server again (#4.3.0)
  )" + quit);
}

TEST_CASE("after 235 the client is trusted") {
  plays(hello + R"(
    > AUTH LOGIN
    + AUTH LOGIN
    - 334 VXNlcm5hbWU6
    < 334 VXNlcm5hbWU6
    > QUIT
    + QUIT
    - 334 UGFzc3dvcmQ6
    < 334 UGFzc3dvcmQ6
    > secret
    + secret
    - 235 ok
    < 235 ok
    > MAIL FROM:<a@example.org>
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
  )" + good_recipient + R"(
    > DATA
    + DATA
    - 354 go ahead
    < 354 go ahead
    > hello
    + hello
    > .
    + .
    - 250 queued
    < 250 queued
  )" + quit);
}

TEST_CASE("authentication begins without variables of an older mail, and not inside one") {
  plays(hello + good_mail + R"(
    > AUTH PLAIN AGEAYg==
    < 503 AUTH not permitted during a mail transaction (#5.5.1)
    > RSET
    + RSET
    - 250 flushed
    < 250 flushed
    > AUTH PLAIN AGEAYg==
    ! start
    - 220 child
    + EHLO client.example
    - 250 child
    ! dismiss
    + AUTH PLAIN AGEAYg==
    - 535 no
    < 535 no
  )" + quit);
}

TEST_CASE("an answer to 334 that can't go on cancels") {
  plays(hello + R"(
    > AUTH LOGIN
    + AUTH LOGIN
    - 334 VXNlcm5hbWU6
    < 334 VXNlcm5hbWU6
    > a\rMAIL FROM:<b@example.org>
    + *
    - 501 cancelled
    < 501 cancelled
  )" + quit);
}

TEST_CASE("what may not go on is answered here") {
  plays(hello + R"(
    > XCLIENT ADDR=192.0.2.2
    < 502 command not implemented (#5.5.1)
    > STARTTLS
    < 502 command not implemented (#5.5.1)
    > DATAX
    < 502 command not implemented (#5.5.1)
    > \sNOOP
    < 502 command not implemented (#5.5.1)
    >
    < 502 command not implemented (#5.5.1)
    > MAIL FROM:<a@b> X=<c@d> \t
    ? a@b,client.example = fail b -all
    < 250 ok
    > MAIL a@b
    < 501 syntax: MAIL FROM:<address> (#5.5.4)
    > RCPT TO b@c
    < 501 syntax: RCPT TO:<address> (#5.5.4)
    > MAIL FROM:<x%victim.example>
    < 501 syntax: MAIL FROM:<address> (#5.5.4)
    > MAIL FROM:<x@[192.0.2.25]>
    < 501 syntax: MAIL FROM:<address> (#5.5.4)
    > MAIL FROM:<x@[192.0.2.26]>
    ? x@[192.0.2.26],client.example = fail b -all
    < 250 ok
    > RCPT TO:<x@victim(c).example>
    < 501 syntax: RCPT TO:<address> (#5.5.4)
    > DATA now
    < 501 syntax error in parameters (#5.5.4)
    > EHLO \e[2J
    < 501 syntax error in parameters (#5.5.4)
    > NOOP\0
    < 500 NUL or CR in command line (#5.5.2)
    > NOOP\rQUIT
    < 500 NUL or CR in command line (#5.5.2)
    # a line may end in LF alone; what goes on ends in CRLF
    >> nOoP  whatever\n
    + NOOP
    - 250 ok
    < 250 ok
    > vrfy someone
    + VRFY someone
    - 252 perhaps
    < 252 perhaps
    > BDAT 10 LAST
    < 521 BDAT not supported, closing (#5.5.1)
    ! finish
  )");
}

TEST_CASE("a line over the bound gets one reply and is swallowed to its end") {
  for (const std::size_t length : {2049, 2100, 60000, 200000}) {
    INFO(length);
    plays(hello + "> NOOP " + std::string(length - 5, 'x') +
          "\n< 500 line too long (#5.5.2)\n" + quit);
  }
  plays(hello + "> VRFY " + std::string(2048 - 5, 'x') + "\n+ VRFY " +
        std::string(2048 - 5, 'x') + "\n- 252 x\n< 252 x\n" + quit);
  plays(hello + "> AUTH " + std::string(12288 - 5, 'x') + "\n+ AUTH " +
        std::string(12288 - 5, 'x') + "\n- 535 x\n< 535 x\n" + quit);
  plays(hello + "> AUTH " + std::string(12289 - 5, 'x') + "\n< 500 line too long (#5.5.2)\n" +
        quit);
}

TEST_CASE("EHLO offers only what this program knows") {
  plays(R"(
    ! start
    - 220 child
    < 220 child
    > ehlo  x
    + EHLO x
    - 250-child at your service
    - 250-PIPELINING
    - 250-STARTTLS
    - 250-SIZE 1000
    - 250-auth PLAIN
    - 250-AUTH=PLAIN
    - 250-XCLIENT NAME
    - 250 CHUNKING
    < 250-child at your service
    < 250-PIPELINING
    < 250-SIZE 1000
    < 250-auth PLAIN
    < 250 AUTH=PLAIN
  )");
}

TEST_CASE("replies wait until the last complete command that waits is answered") {
  // Whole only: one octet at a time nothing is pipelined.
  CHECK(transcript::play(hello + R"(
    >> NOOP\r\nXYZZY\r\nNOOP\r\n
    + NOOP
    - 250 first
    + NOOP
    - 250 second
    < 250 first
    < 502 command not implemented (#5.5.1)
    < 250 second
  )", transcript::config(), std::string::npos) == "");
}

TEST_CASE("data mode begins with the child's 354 and not before") {
  plays(hello + good_mail + R"(
    >> DATA\r\nMAIL FROM:<x@example.net>\r\n
    + DATA
    - 503 RCPT first
    ? x@example.net,client.example = fail example.net -all
    + RSET
    - 250 flushed
    < 503 RCPT first
    < 250 ok
  )");
}

TEST_CASE("a bare LF ends the session and the message without a dot") {
  plays(hello + good_mail + good_recipient + go_ahead + R"(
    >> a\n.\r\nMAIL FROM:<x@example.net>\r\n
    < 451 See https://cr.yp.to/docs/smtplf.html.
    ! finish
  )" + header + "+> a");
}

TEST_CASE("a message is lost with its child, and the client knows") {
  const std::string begun = hello + good_mail + good_recipient + go_ahead + "> x" + header + "+ x\n";
  // It dies without a word, or says yes before it has all: neither is believed.
  for (const std::string early : {"-|", "- 250 queued", "- nonsense"})
    plays(begun + early + R"(
      < 451 SMTP server gave up, message not accepted (#4.3.0)
      ! finish
    )");
  plays(begun + R"(
    - 552-too
    - 552 much
    < 552-too
    < 552 much
    ! finish
  )");
  plays(begun + R"(
    > .
    + .
    -|
    < 451 SMTP server gave up, message not accepted (#4.3.0)
    ! finish
  )");
}

TEST_CASE("a client that vanishes in DATA ends the child's input without a dot") {
  plays(hello + good_mail + good_recipient + go_ahead + "> x" + header + R"(
    + x
    >> .\r
    >|
    ! finish
  )");
}

TEST_CASE("a client that closed still gets all replies to complete commands") {
  CHECK(transcript::play(hello + R"(
    >> NOOP\r\nRSET\r\nQUI
    >|
    + NOOP
    - 250 first
    + RSET
    - 250 second
    < 250 first
    < 250 second
    ! finish
  )", transcript::config(), std::string::npos) == "");
}

TEST_CASE("the check is given up when the client closes and nothing else waits") {
  plays(hello + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,client.example
    >|
    ! abandon
    ! finish
    < 451 SPF lookup failure (#4.3.0)
  )");
}

TEST_CASE("a child that speaks unasked has its last word passed on") {
  plays(hello + R"(
    - 421 going down
    < 421 going down
    ! finish
  )");
  for (const std::string said : {"- 250 hello", "- hello", "-|"})
    plays(hello + said + R"(
      < 421 SMTP server trouble, closing (#4.3.0)
      ! finish
    )");
  // It took its leave in a reply: no second farewell.
  plays(hello + R"(
    > NOOP
    + NOOP
    - 421 out of memory
    < 421 out of memory
    -|
    ! finish
  )");
  plays(R"(
    ! start
    - 554 go away
    < 554 go away
    -|
    ! finish
  )");
}

TEST_CASE("replies that are no SMTP end the session") {
  for (const std::string said :
       {"- 25 ok", "- 250_ok", "- 199 ok", "- 650 ok", "- 250-a\n- 251 b", "- \\0", "-|"}) {
    INFO(said);
    plays(hello + "> NOOP\n+ NOOP\n" + said + R"(
      < 421 SMTP server trouble, closing (#4.3.0)
      ! finish
    )");
  }
  plays(hello + "> NOOP\n+ NOOP\n- 250 " + std::string(3000, 'x') + R"(
      < 421 SMTP server trouble, closing (#4.3.0)
      ! finish
  )");
}

TEST_CASE("time runs out for the client with 421 and for the child with 421") {
  plays(hello + R"(
    >> NOO
    ~
    < 421 timeout (#4.4.2)
    ! finish
  )");
  plays(hello + R"(
    > NOOP
    + NOOP
    ~
    < 421 SMTP server trouble, closing (#4.3.0)
    ! finish
  )");
}

TEST_CASE("a go-ahead without a mail that was let through is not followed") {
  plays(hello + R"(
    > DATA
    + DATA
    - 354 go ahead
    < 421 SMTP server trouble, closing (#4.3.0)
    ! finish
  )");
}

TEST_CASE("STARTTLS passes unwatched only where it is configured") {
  spf::Config config = transcript::config();
  config.starttls = spf::Starttls::pass;
  plays(R"(
    ! start
    - 220 child
    < 220 child
    > EHLO x
    + EHLO x
    - 250-child
    - 250 STARTTLS
    < 250-child
    < 250 STARTTLS
    > STARTTLS
    + STARTTLS
    - 220 go on
    < 220 go on
    ! warning STARTTLS: 192.0.2.1 goes unchecked from here on
    >> \x16\x03\x01\r\n
    +> \x16\x03\x01\r\n
    - \x17\x03
    < \x17\x03
    >|
    ! close
    -|
    ! finish
  )", config);
}

// Who can write into the connection could else have commands of his in the child's TLS.
TEST_CASE("what was sent in clear behind a STARTTLS that is passed on is not part of it") {
  spf::Config config = transcript::config();
  config.starttls = spf::Starttls::pass;
  for (const char* injected : {"MAIL FROM:<x@evil.example>\\r\\n", "RSET\\r\\nNOOP\\r\\n", "NO", "\\x16\\x03\\x01"}) {
    INFO(injected);
    plays(transcript::hello + ">> STARTTLS\\r\\n" + injected + R"(
      + STARTTLS
      - 220 go on
      < 220 go on
      ! warning STARTTLS: 192.0.2.1 goes unchecked from here on
      >> \x16\x03\x01\x02
      +> \x16\x03\x01\x02
      >|
      ! close
      -|
      ! finish
    )", config);
  }
}
