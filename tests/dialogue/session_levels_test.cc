// Levels by address: the MAIL that is held back until a recipient is let through.
#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

using transcript::hello;
using transcript::plays;
using transcript::noop;

// SPFBEHAVIOR is 3; "low@" has 1 and "high@" 5.
spf::Config config(const std::string& from = "", const std::string& to = "low@:1\nhigh@:5\n") {
  spf::Config config = transcript::config();
  config.sender_levels = spf::Levels(from);
  config.recipient_levels = spf::Levels(to);
  return config;
}

// A MAIL with this result, which is held back.
std::string held(const std::string& result) {
  return R"(
  > MAIL FROM:<a@example.org> SIZE=1
  ? a@example.org,client.example = )" + result + R"( example.org -all
  < 250 ok
)";
}

std::string refused(const std::string& recipient) {
  return "> RCPT TO:<" + recipient + ">\n! log 550 " + recipient +
         "\n< 550 no, says example.org (#5.7.1)\n";
}
std::string deferred(const std::string& recipient) {
  return "> RCPT TO:<" + recipient + ">\n! log 451 " + recipient +
         "\n< 451 SPF lookup failure (#4.3.0)\n";
}
std::string taken(const std::string& recipient) {
  return "> RCPT TO:<" + recipient + ">\n+ RCPT TO:<" + recipient +
         ">\n- 250 recipient ok\n< 250 recipient ok\n";
}

// The child is started again for it, with this result, and takes EHLO.
std::string started(const std::string& result) {
  return "! start " + result + R"(
  - 220 child ESMTP
  + EHLO client.example
  - 250 child
  ! dismiss
)";
}

// The first recipient that is let through.
std::string given(const std::string& recipient, const std::string& result) {
  return "> RCPT TO:<" + recipient + ">\n" + started(result) + R"(
  ! log 250
  + MAIL FROM:<a@example.org> SIZE=1
  - 250 sender ok
  + RCPT TO:<)" + recipient + R"(>
  - 250 recipient ok
  < 250 recipient ok
)";
}

// Its first line shows that the header is there.
const std::string message = R"(
  > DATA
  + DATA
  - 354 go ahead
  < 354 go ahead
  > Subject: x
  + Received-SPF: fail (mx.local: SPF record at example.org does not designate
  +  192.0.2.1 as permitted sender) client-ip=192.0.2.1;
  +  envelope-from="a@example.org"; helo=client.example; mechanism=-all;
  +  receiver=mx.local; identity=mailfrom;
  + Subject: x
  > .
  + .
  - 250 queued
  < 250 queued
)";

// The child has no MAIL.
const std::string no_mail = R"(
  > DATA
  + DATA
  - 503 MAIL first
  < 503 MAIL first
)";
const std::string rset = R"(
  > RSET
  + RSET
  - 250 flushed
  < 250 flushed
)";

}  // namespace

TEST_CASE("prog gets a MAIL that was held back with the first recipient that is let through") {
  const std::string before = hello + held("fail");
  plays(before + given("low@r.example", "fail") + message, config());
  plays(before + refused("b@r.example") + refused("high@r.example") + given("low@r.example", "fail") +
            refused("b@r.example") + taken("low@s.example") + refused("high@r.example") + message,
        config());
  plays(before + given("low@r.example", "fail") + refused("b@r.example") + message, config());
  plays(before + refused("b@r.example") + no_mail, config());
  plays(before + no_mail + given("low@r.example", "fail") + message, config());
}

TEST_CASE("a recipient with a higher level has it, and the others theirs") {
  const std::string mail = R"(
    > MAIL FROM:<a@example.org> SIZE=1
    ? a@example.org,client.example = softfail example.org ~all
    < 250 ok
  )";
  plays(hello + mail + refused("high@r.example") + given("b@r.example", "softfail") + refused("high@r.example") +
            taken("low@r.example"),
        config());
}

TEST_CASE("where no rule can make a difference for this MAIL, nothing is held back") {
  const std::string at_once = R"(
    > MAIL FROM:<a@example.org> SIZE=1
    ? a@example.org,client.example = RESULT example.org -all
    )" + started("RESULT") + R"(
    ! log 250
    + MAIL FROM:<a@example.org> SIZE=1
    - 250 sender ok
    < 250 sender ok
  )";
  const auto with = [](std::string text, const std::string& result) {
    for (std::size_t at; (at = text.find("RESULT")) != text.npos;) text.replace(at, 6, result);
    return text;
  };
  for (const std::string result : {"pass", "none", "permerror"})
    plays(hello + with(at_once, result) + taken("b@r.example") + taken("high@r.example"), config());
  // All refuse it.
  plays(hello + held("fail") + refused("b@r.example") + refused("high@r.example") + no_mail, config("", "high@:5"));
  // All defer it.
  plays(hello + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,client.example = temperror example.org
    ! log 451
    < 451 SPF lookup failure (#4.3.0)
  )", config("", "high@:5"));
}

TEST_CASE("a MAIL without a verdict is deferred for those who can wait") {
  plays(hello + held("temperror") + deferred("b@r.example") + no_mail, config());
  const auto with_header = [](std::string text) {
    const std::size_t begin = text.find("  + Received-SPF"), end = text.find("  + Subject");
    return text.replace(begin, end - begin, R"(
      + Received-SPF: temperror (mx.local: error in processing during lookup of
      +  example.org: DNS problem) client-ip=192.0.2.1; envelope-from="a@example.org";
      +  helo=client.example; mechanism=-all; receiver=mx.local; identity=mailfrom;
)");
  };
  plays(hello + held("temperror") + deferred("b@r.example") + given("low@r.example", "temperror") +
            deferred("high@r.example") + with_header(message),
        config());
}

TEST_CASE("a sender has a level of his own, and a recipient's is stronger") {
  const std::string unchecked = R"(
    > MAIL FROM:<a@example.org>
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
  )";
  const std::string no_header = R"(
    > DATA
    + DATA
    - 354 go ahead
    < 354 go ahead
    > Subject: x
    + Subject: x
    > .
    + .
    - 250 queued
    < 250 queued
  )";
  plays(hello + unchecked + taken("b@r.example") + no_header, config("@example.org:0", ""));
  plays(hello + unchecked + taken("b@r.example"), config("@example.org:0", "b@:0\n"));
  // A recipient wants the check.
  plays(hello + held("fail") + refused("high@r.example") + given("b@r.example", "fail"), config("@example.org:0"));
  plays(hello + held("fail") + refused("b@r.example"), config("@example.org:4"));
  plays(hello + held("fail") + given("off@r.example", "fail") + refused("b@r.example"), config("", "off@:0"));
  // The null sender has none.
  plays(hello + R"(
    > MAIL FROM:<>
    ? ,client.example = fail client.example -all
    < 250 ok
    > RCPT TO:<b@r.example>
    ! log 550 b@r.example
    < 550 no, says client.example (#5.7.1)
    > RCPT TO:<low@r.example>
    )" + started("fail") + R"(
    ! log 250
    + MAIL FROM:<>
    - 250 sender ok
    + RCPT TO:<low@r.example>
    - 250 recipient ok
    < 250 recipient ok
  )", config("@client.example:1\n@.example:1\n"));
}

TEST_CASE("a sender who is not checked finds a prog that knows of no verdict") {
  plays(hello + held("fail") + given("low@r.example", "fail") + R"(
    > MAIL FROM:<b@trusted.example>
    ! start
    - 220 child ESMTP
    + EHLO client.example
    - 250 child
    ! dismiss
    + MAIL FROM:<b@trusted.example>
    - 250 sender ok
    < 250 sender ok
  )" + taken("b@r.example"), config("@trusted.example:0", "low@:0\n"));
  plays(hello + held("fail") + given("low@r.example", "fail") + R"(
    > MAIL FROM:<b@trusted.example>
    ! start
    - 220 child ESMTP
    + EHLO client.example
    - 451 not now
    ! restore
    + RSET
    - 250 flushed
    < 451 unable to start SMTP server again (#4.3.0)
  )", config("@trusted.example:0", "low@:0\n"));
}

TEST_CASE("what prog says of the MAIL that was held back is the answer to the recipient, and the next one tries again") {
  const std::string again = R"(
    > RCPT TO:<low@s.example>
    + MAIL FROM:<a@example.org> SIZE=1
    - 250 sender ok
    + RCPT TO:<low@s.example>
    - 250 recipient ok
    < 250 recipient ok
  )";
  for (const std::string reply : {"451 not now", "553 never"}) {
    const std::string not_taken = R"(
      > RCPT TO:<low@r.example>
      )" + started("fail") + R"(
      ! log 250
      + MAIL FROM:<a@example.org> SIZE=1
      - )" + reply + R"(
      < )" + reply + "\n";
    plays(hello + held("fail") + not_taken + again + refused("b@r.example") + message, config());
    plays(hello + held("fail") + not_taken + refused("b@r.example") + no_mail + again + message, config());
    plays(hello + held("fail") + not_taken + no_mail + rset + noop, config());
  }
  // It does not come up.
  plays(hello + held("fail") + R"(
    > RCPT TO:<low@r.example>
    ! start fail
    - 554 no
    ! restore
    < 451 unable to start SMTP server again (#4.3.0)
  )" + given("low@r.example", "fail") + message, config());
  // It closes.
  plays(hello + held("fail") + R"(
    > RCPT TO:<low@r.example>
    )" + started("fail") + R"(
    ! log 250
    + MAIL FROM:<a@example.org> SIZE=1
    - 421 going
    < 421 going
    ! finish
  )", config());
}

TEST_CASE("a held MAIL that prog refuses can't be tried without end") {
  std::string text = hello + held("fail") + R"(
    > RCPT TO:<low@r.example>
    )" + started("fail") + R"(
    ! log 250
    + MAIL FROM:<a@example.org> SIZE=1
    - 451 not now
    < 451 not now
  )";
  for (int i = 1; i < 1000; ++i) text += R"(
    > RCPT TO:<low@r.example>
    + MAIL FROM:<a@example.org> SIZE=1
    - 451 not now
    < 451 not now
  )";
  plays(text + R"(
    > RCPT TO:<low@r.example>
    < 421 too many messages in one session (#4.7.0)
    ! finish
  )", config());
}

TEST_CASE("RSET, EHLO and another MAIL end a held one") {
  const std::string no_transaction = R"(
    > RCPT TO:<low@r.example>
    + RCPT TO:<low@r.example>
    - 503 MAIL first
    < 503 MAIL first
  )";
  plays(hello + held("fail") + rset + no_transaction, config());
  plays(hello + held("fail") + R"(
    > EHLO other.example
    + EHLO other.example
    - 250 child
    < 250 child
  )" + no_transaction, config());
  plays(hello + held("fail") + R"(
    > MAIL FROM:<b@example.net>
    ? b@example.net,client.example = pass example.net mx
    )" + started("pass") + R"(
    ! log 250
    + MAIL FROM:<b@example.net>
    - 250 sender ok
    < 250 sender ok
  )" + taken("b@r.example"), config());
  // An EHLO that prog does not take ends nothing.
  plays(hello + held("fail") + R"(
    > EHLO other.example
    + EHLO other.example
    - 501 no
    < 501 no
  )" + given("low@r.example", "fail"), config());
}

TEST_CASE("no older transaction stays open behind a MAIL that is held back, nor one held back behind another") {
  const std::string older = hello + held("fail") + given("low@r.example", "fail");
  plays(older + R"(
    > MAIL FROM:<a@example.org> SIZE=1
    ? a@example.org,client.example = fail example.org -all
    + RSET
    - 250 flushed
    < 250 ok
  )" + refused("b@r.example") + no_mail + R"(
    > RCPT TO:<low@r.example>
    ! log 250
    + MAIL FROM:<a@example.org> SIZE=1
    - 250 sender ok
    + RCPT TO:<low@r.example>
    - 250 recipient ok
    < 250 recipient ok
  )" + message, config());
  plays(older + rset + held("fail") + refused("b@r.example") + no_mail, config());
}

TEST_CASE("pipelined recipients are answered in order, each by its own level") {
  plays(hello + R"(
    >> MAIL FROM:<a@example.org> SIZE=1\r\nRCPT TO:<b@r.example>\r\nRCPT TO:<low@r.example>\r\nRCPT TO:<high@r.example>\r\nRCPT TO:<low@s.example>\r\nDATA\r\n
    ? a@example.org,client.example = fail example.org -all
    ! log 550 b@r.example
    )" + started("fail") + R"(
    ! log 250
    + MAIL FROM:<a@example.org> SIZE=1
    - 250 sender ok
    + RCPT TO:<low@r.example>
    - 250 recipient ok
    ! log 550 high@r.example
    + RCPT TO:<low@s.example>
    - 250 recipient ok
    + DATA
    - 354 go ahead
    < 250 ok
    < 550 no, says example.org (#5.7.1)
    < 250 recipient ok
    < 550 no, says example.org (#5.7.1)
    < 250 recipient ok
    < 354 go ahead
  )", config());
}

TEST_CASE("AUTH and STARTTLS between MAIL and RCPT are what they are in any transaction") {
  plays(hello + held("fail") + R"(
    > AUTH PLAIN AGEAYg==
    < 503 AUTH not permitted during a mail transaction (#5.5.1)
  )" + given("low@r.example", "fail"), config());

  spf::Config tls = config();
  tls.starttls = spf::Starttls::terminate;
  plays(R"(
    ! start
    - 220 child ESMTP
    < 220 child ESMTP
    > EHLO client.example
    + EHLO client.example
    - 250 child
    < 250-child
    < 250 STARTTLS
  )" + held("fail") + R"(
    > STARTTLS
    ! prepare_tls
    * ready
    < 220 ready for tls
    ! start_tls
    * established TLSv1.3 C
    ! start FORCETLS=0 SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=C
    - 220 child ESMTP
    ! dismiss
    > RCPT TO:<low@r.example>
    + RCPT TO:<low@r.example>
  )", tls);

  // Where it is passed on, and prog does not want it.
  spf::Config passed = config();
  passed.starttls = spf::Starttls::pass;
  plays(hello + held("fail") + R"(
    > STARTTLS
    + STARTTLS
    - 454 no
    < 454 no
  )" + given("low@r.example", "fail") + message, passed);
}

TEST_CASE("the queue program is told of a held MAIL when prog is, and of nothing before") {
  spf::Config queue = config("@trusted.example:0", "low@:0\n");
  queue.annotate = spf::Annotate::queue;
  const std::string opened = R"(
    > RCPT TO:<low@r.example>
    ! annotate fail with header
    ! log 250
    + MAIL FROM:<a@example.org> SIZE=1
    - 250 sender ok
    + RCPT TO:<low@r.example>
    - 250 recipient ok
    < 250 recipient ok
  )";
  plays(hello + held("fail") + refused("b@r.example") + opened + refused("b@r.example") + R"(
    > MAIL FROM:<b@trusted.example>
    ! annotate
    + RSET
    - 250 flushed
    + MAIL FROM:<b@trusted.example>
    - 250 sender ok
    < 250 sender ok
  )", queue);
  plays(hello + held("fail") + R"(
    > RCPT TO:<low@r.example>
    ! annotate fail with header
    ! log 250
    + MAIL FROM:<a@example.org> SIZE=1
    - 451 not now
    < 451 not now
    > RCPT TO:<low@r.example>
    ! annotate fail with header
    + MAIL FROM:<a@example.org> SIZE=1
    - 250 sender ok
    + RCPT TO:<low@r.example>
    - 250 recipient ok
    < 250 recipient ok
  )", queue);
}

TEST_CASE("a client that goes while prog is started for a held MAIL") {
  plays(hello + held("fail") + R"(
    > RCPT TO:<low@r.example>
    ! start fail
    >|
    ! restore unsaid
    < 451 unable to start SMTP server again (#4.3.0)
    ! finish
  )", config());
  plays(hello + held("fail") + R"(
    > RCPT TO:<low@r.example>
    ! start fail
    >!
    ! finish
  )", config());
  plays(hello + held("fail") + R"(
    >|
    ! finish
  )", config());
}

TEST_CASE("prog that takes DATA without a MAIL is not believed") {
  plays(hello + held("fail") + R"(
    > DATA
    + DATA
    - 354 go ahead
    < 421 SMTP server trouble, closing (#4.3.0)
    ! finish
  )", config());
}
