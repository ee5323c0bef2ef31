// Who waits for whom: a client that has closed its side, with nothing left to be
// answered, is not kept waiting by a child that is still coming up.
#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

constexpr std::size_t whole = std::string::npos;

using transcript::hello;
using transcript::plays;

// A MAIL that passes, up to the start of its child.
const std::string mail = R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,client.example = pass example.org mx
  ! start pass
)";

spf::Config terminate() {
  spf::Config config = transcript::config();
  config.starttls = spf::Starttls::terminate;
  return config;
}

}  // namespace

TEST_CASE("a client that closes before the greeting ends the session, unless it has asked something") {
  plays("! start\n>|\n! finish\n");
  plays("! start\n- 220-not yet all\n>|\n! finish\n");
  plays("! start\n>> NOOP\n>|\n! finish\n");  // a partial line is no command
  plays("! start\n>> " + std::string(5000, 'x') + "\n>|\n! finish\n");
  plays(R"(
    ! start
    > NOOP
    > QUIT
    >|
    - 220 child
    + NOOP
    - 250 ok
    + QUIT
    - 221 bye
    < 220 child
    < 250 ok
    < 221 bye
    ! finish
  )");
  plays(R"(
    ! start
    > XYZZY
    >> QUI
    >|
    - 220 child
    < 220 child
    < 502 command not implemented (#5.5.1)
    ! finish
  )");
  // What comes of the child first counts first.
  plays("! start\n- 220 child\n< 220 child\n>|\n! finish\n");
  plays("! start\n> NOOP\n>|\n-|\n< 421 unable to start SMTP server (#4.3.0)\n! finish\n");
}

TEST_CASE("a restart that nobody waits for any more is given up, and its command answered") {
  const std::string given_up = R"(
    >|
    ! restore unsaid
    < 451 unable to start SMTP server again (#4.3.0)
    ! finish
  )";
  plays(hello + mail + given_up);
  plays(hello + mail + "- 220-child\n" + given_up);
  plays(hello + mail + "- 220 child\n+ EHLO client.example\n" + given_up);
  plays(hello + mail + "- 220 child\n+ EHLO client.example\n- 250-child\n" + given_up);
  plays(hello + mail + ">> RCPT TO:<b@exam\n" + given_up);
  plays(hello + mail + ">!\n! finish\n");
}

TEST_CASE("a restart that a half-closed client still needs goes on") {
  plays(hello + mail + R"(
    > RCPT TO:<b@example.net>
    > QUIT
    >|
    - 220 child
    + EHLO client.example
    - 250 child
    ! dismiss
    ! log 250
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    + RCPT TO:<b@example.net>
    - 250 recipient ok
    + QUIT
    - 221 bye
    < 250 sender ok
    < 250 recipient ok
    < 221 bye
    ! finish
  )");
  // And if it fails, it is warned of as ever.
  plays(hello + mail + "> NOOP\n>|\n-|\n! restore\n+ NOOP\n- 250 ok\n" +
        "< 451 unable to start SMTP server again (#4.3.0)\n< 250 ok\n! finish\n");
}

TEST_CASE("nothing is started for the last command of a client that has closed") {
  CHECK(transcript::play(hello + mail + R"(
    - 220 child
    + EHLO client.example
    - 250 child
    ! dismiss
    ! log 250
    + MAIL FROM:<a@example.org>
    >> RSET\r\nAUTH PLAIN AGEAYg==\r\n
    >|
    - 250 sender ok
    + RSET
    - 250 flushed
    < 250 sender ok
    < 250 flushed
    < 451 unable to start SMTP server again (#4.3.0)
    ! finish
  )", transcript::config(), whole) == "");
}

TEST_CASE("after its handshake a client owes no patience either") {
  const std::string variables = "FORCETLS=0 SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=C\n";
  const std::string inside = R"(
    > STARTTLS
    ! prepare_tls
    * ready
    < 220 ready for tls
    ! start_tls
    * established TLSv1.3 C
    ! start )" + variables;
  const std::string finish = "! log TLSv1.3 with 192.0.2.1, nothing checked\n! finish\n";
  plays("! start\n- 220 child\n< 220 child\n" + inside + "*|\n! restore unsaid\n" + finish, terminate());
  plays("! start\n- 220 child\n< 220 child\n" + inside + R"(
    > NOOP
    *|
    - 220 child again
    ! dismiss
    + NOOP
    - 250 ok
    < 250 ok
  )" + finish, terminate());
  spf::Config smtps = terminate();
  smtps.smtps = true;
  const std::string first = "! prepare_tls\n* ready\n! start_tls\n* established TLSv1.3 C\n! start " + variables;
  plays(first + "*|\n" + finish, smtps);
  plays(first + "> QUIT\n*|\n- 220 child\n+ QUIT\n- 221 bye\n< 220 child\n< 221 bye\n" + finish, smtps);
}

TEST_CASE("more than a buffer's fill in one line does not hide that the client has gone") {
  spf::Config config = transcript::config();
  spf::Session session(config, 42, transcript::is_own);
  session.resume();
  for (std::size_t sent = 0; sent < 70000;) {
    const std::size_t now = std::min<std::size_t>(session.from_client().room(), 70000 - sent);
    REQUIRE(now > 0);
    session.from_client().append(std::string(now, 'x'));
    session.resume();
    sent += now;
  }
  CHECK_FALSE(session.finished());
  session.client_closed();
  session.resume();
  CHECK(session.finished());
}

TEST_CASE("a child that says something else than a greeting is complained of") {
  CHECK(transcript::play("! start\n- hello\n! warning SMTP server does not greet\n"
                         "< 421 unable to start SMTP server (#4.3.0)\n! finish\n",
                         transcript::config(), std::string::npos) == "");
}

TEST_CASE("a child is up once it has greeted, and a new one once it has taken EHLO") {
  spf::Config config = transcript::config();
  spf::Session session(config, 42, transcript::is_own);
  const auto child = [&session](std::string_view octets) {
    session.from_child().append(octets);
    session.resume();
    session.to_child().clear();
  };
  session.resume();
  CHECK_FALSE(session.child_is_up());
  child("220-child\r\n");
  CHECK_FALSE(session.child_is_up());
  child("220 child\r\n");
  CHECK(session.child_is_up());
  session.from_client().append("EHLO x\r\nMAIL FROM:<a@example.org>\r\n");
  session.resume();
  session.to_child().clear();
  child("250 child\r\n");
  spf::Verdict pass;
  pass.result = spf::Result::pass;
  session.check_done(pass);
  session.resume();
  CHECK_FALSE(session.child_is_up());
  child("220 child\r\n");
  CHECK_FALSE(session.child_is_up());
  child("250 child\r\n");
  CHECK(session.child_is_up());
}
