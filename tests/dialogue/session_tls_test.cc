// TLS as the session sees it: what it asks of spftls and believes of it, and
// what is left of a dialogue in clear behind STARTTLS.
#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

using transcript::noop;

constexpr std::size_t whole = std::string::npos;

const std::string greeting = R"(
  ! start
  - 220 child ESMTP
  < 220 child ESMTP
)";

const std::string hello = greeting + R"(
  > EHLO clear.example
  + EHLO clear.example
  - 250-child
  - 250 SIZE 1000
  < 250-child
  < 250-SIZE 1000
  < 250 STARTTLS
)";

// Up to where the client is spftls's.
const std::string starttls = R"(
  > STARTTLS
  ! prepare_tls
  * ready
  < 220 ready for tls
  ! start_tls
)";

const std::string variables =
    "FORCETLS=0 SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=TLS_AES_256_GCM_SHA384 SSL_TLS_SNI=mx.example";

const std::string established = R"(
  * established TLSv1.3 TLS_AES_256_GCM_SHA384 mx.example
  ! start )" + variables + "\n";

const std::string inside = starttls + established + R"(
  - 220 child again
  ! dismiss
)";

const std::string hello_inside = R"(
  > EHLO tls.example
  + EHLO tls.example
  - 250-child
  - 250-STARTTLS
  - 250 SIZE 1000
  < 250-child
  < 250 SIZE 1000
)";

// A MAIL that passes, in clear and inside TLS.
const std::string mail_in_clear = R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,clear.example = pass example.org mx
  ! start pass
  - 220 child ESMTP
  + EHLO clear.example
  - 250 child
  ! dismiss
  ! log 250
  + MAIL FROM:<a@example.org>
  - 250 sender ok
  < 250 sender ok
)";

const std::string mail_inside = R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,tls.example = pass example.org mx
  ! start pass )" + variables + R"(
  - 220 child
  + EHLO tls.example
  - 250 child
  ! dismiss
  ! log 250 TLSv1.3
  + MAIL FROM:<a@example.org>
  - 250 sender ok
  < 250 sender ok
)";

// The child that is there gets this, and answers it.
const std::string quit = R"(
  > QUIT
  + QUIT
  - 221 bye
  < 221 bye
  ! finish
)";

// The same where in TLS nothing was checked, all the session long.
const std::string unchecked = "! log TLSv1.3 with 192.0.2.1, nothing checked\n";
const std::string quit_unchecked = R"(
  > QUIT
  + QUIT
  - 221 bye
  < 221 bye
)" + unchecked + "! finish\n";

// What spftls may do instead of saying "ready", and what is told of it.
struct Trouble {
  const char* what;
  const char* reason;
};
const Trouble not_ready[] = {
    {"* unusable control/servercert.pem: No such file or directory",
     "control/servercert.pem: No such file or directory"},
    {"* nonsense", "spftls does not make sense"},
    {"* established TLSv1.3", "spftls does not make sense"},
    {"* established TLSv1.3 C", "spftls does not make sense"},
    {"* failed no shared cipher", "spftls does not make sense"},
    {"*|", "spftls has died"},
    {"** read\n*|", "spftls has died"},
    {"~ 10", "spftls hangs"},
    {"** read\n~ 10", "spftls hangs"},
};
// And instead of "established".
const Trouble not_established[] = {
    {"* failed no shared cipher", "no shared cipher"},
    {"* failed no handshake in 30 seconds", "no handshake in 30 seconds"},
    {"* unusable no such file", "spftls does not make sense"},
    {"* ready or not", "spftls does not make sense"},
    {"* ready", "spftls does not make sense"},
    {"* nonsense", "spftls does not make sense"},
    {"* established TLSv1.3", "spftls does not make sense"},
    {"* EHLO client.example", "spftls does not make sense"},
    {"*|", "connection closed"},
    {"** established TLSv1.3 C\n*|", "connection closed"},
    {">!", "connection closed"},
    {"~ 40", "spftls hangs"},
    {"** established TLSv1.3 C\n~ 40", "spftls hangs"},
};

std::string unusable(const Trouble& trouble) {
  return std::string(trouble.what) + "\n! dismiss_tls\n! warning TLS is not offered: " +
         trouble.reason + "\n";
}

std::string failed(const Trouble& trouble) {
  return std::string(trouble.what) + "\n! warning TLS handshake with 192.0.2.1: " +
         trouble.reason + "\n! finish\n";
}

spf::Config terminate() {
  spf::Config config = transcript::config();
  config.starttls = spf::Starttls::terminate;
  return config;
}

spf::Config smtps() {
  spf::Config config = terminate();
  config.smtps = true;
  return config;
}

void plays(const std::string& text, const spf::Config& config = terminate()) {
  transcript::plays(text, config);
}

}  // namespace

TEST_CASE("EHLO offers STARTTLS once, whatever the child offers") {
  const struct { const char* said; const char* passed; } cases[] = {
      {"- 250 child", "< 250-child"},
      {"- 250-child\n- 250 STARTTLS", "< 250-child"},
      {"- 250-child\n- 250-starttls\n- 250 SIZE", "< 250-child\n< 250-SIZE"},
      {"- 250-child\n- 250-STARTTLS REQUIRED\n- 250-StartTLS\n- 250 SIZE", "< 250-child\n< 250-SIZE"},
  };
  for (const auto& c : cases) {
    INFO(c.said);
    const std::string end = std::string(c.passed) + "\n< 250 STARTTLS\n";
    plays(greeting + "> EHLO x\n+ EHLO x\n" + c.said + "\n" + end + quit);
  }
}

TEST_CASE("STARTTLS is offered to each EHLO, and spftls started by STARTTLS alone") {
  plays(greeting + R"(
    > HELO x
    + HELO x
    - 250 child
    < 250 child
    > EHLO x
    + EHLO x
    - 502 no
    < 502 no
    > EHLO x
    + EHLO x
    - 250 child
    < 250-child
    < 250 STARTTLS
    > EHLO x
    + EHLO x
    - 250 child
    < 250-child
    < 250 STARTTLS
  )" + inside + quit_unchecked);
}

TEST_CASE("without a spftls that can be used there is one warning, no TLS, and mail, unless it is SMTPS") {
  for (const Trouble& trouble : not_ready) {
    INFO(trouble.what);
    plays(hello + "> STARTTLS\n! prepare_tls\n" + unusable(trouble) + R"(
      < 454 TLS not available (#4.3.0)
      > EHLO clear.example
      + EHLO clear.example
      - 250-child
      - 250 STARTTLS
      < 250 child
    )" + mail_in_clear + R"(
      > STARTTLS
      < 454 TLS not available (#4.3.0)
    )" + quit);
    // With SMTPS it is the end instead.
    plays("! prepare_tls\n" + unusable(trouble) + "! finish\n", smtps());
    // The same as above when nobody has asked what is offered.
    plays(greeting + "> STARTTLS\n! prepare_tls\n" + unusable(trouble) +
          "< 454 TLS not available (#4.3.0)\n> STARTTLS\n< 454 TLS not available (#4.3.0)\n" + quit);
  }
}

TEST_CASE("STARTTLS needs no EHLO before it, but no argument behind it") {
  plays(greeting + R"(
    > STARTTLS
    ! prepare_tls
    * ready
    < 220 ready for tls
    ! start_tls
  )" + established + "- 220 child again\n! dismiss\n" + hello_inside + quit_unchecked);
  plays(greeting + R"(
    > STARTTLS now
    < 501 syntax error in parameters (#5.5.4)
  )" + noop + quit);
  plays(hello + R"(
    > STARTTLS now
    < 501 syntax error in parameters (#5.5.4)
    > starttls \t
    ! prepare_tls
    * ready
    < 220 ready for tls
    ! start_tls
  )" + established + "- 220 child again\n! dismiss\n" + noop + quit_unchecked);
}

TEST_CASE("the fresh child has the TLS variables, its greeting is for nobody") {
  plays(hello + starttls + R"(
    * established TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256
    ! start FORCETLS=0 SSL_PROTOCOL=TLSv1.2 SSL_CIPHER=ECDHE-RSA-AES128-GCM-SHA256
    - 220-child
    - 220 again
    ! dismiss
  )" + hello_inside + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,tls.example = softfail example.org ~all
    ! start softfail FORCETLS=0 SSL_PROTOCOL=TLSv1.2 SSL_CIPHER=ECDHE-RSA-AES128-GCM-SHA256
    - 220 child
    + EHLO tls.example
    - 250 child
    ! dismiss
    ! log 250 TLSv1.2
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
  )" + quit);
}

TEST_CASE("each later start has the TLS variables too") {
  plays(hello + inside + hello_inside + mail_inside + R"(
    > RSET
    + RSET
    - 250 flushed
    < 250 flushed
    > AUTH PLAIN AGEAYg==
    ! start )" + variables + R"(
    - 220 child
    + EHLO tls.example
    - 250 child
    ! dismiss
    + AUTH PLAIN AGEAYg==
    - 535 no
    < 535 no
  )" + mail_inside + quit);
}

// Each of these stands in one segment with STARTTLS, as who can write into the
// connection would have it, or comes before the 220.
TEST_CASE("what was sent in clear behind STARTTLS is never read") {
  const std::string injected[] = {
      "MAIL FROM:<x@evil.example>\\r\\n",
      "RCPT TO:<x@evil.example>\\r\\n",
      "EHLO evil.example\\r\\n",
      "EHLO evil.example\\r\\nMAIL FROM:<x@evil.example>\\r\\nRCPT TO:<b@example.net>\\r\\nDATA\\r\\n",
      "AUTH PLAIN AGEAYg==\\r\\n",
      "STARTTLS\\r\\n",
      "QUIT\\r\\n",
      "established TLSv1.3 C evil.example\\n",
      "failed\\n",
      "MAIL FROM:<x@evil",
      "NO",
      "\\r",
      "\\0",
      "\\x16\\x03\\x01\\n",
      std::string(3000, 'x'),
  };
  const std::string after = established + "- 220 child again\n! dismiss\n" + noop + hello_inside +
                            mail_inside + quit;
  for (const std::string& octets : injected) {
    INFO(octets);
    plays(hello + ">> STARTTLS\\r\\n" + octets + "\n! prepare_tls\n* ready\n< 220 ready for tls\n! start_tls\n" +
          after);
    plays(hello + ">> NOOP\\r\\nSTARTTLS\\n" + octets + R"(
      + NOOP
      - 250 ok
      ! prepare_tls
      * ready
      < 250 ok
      < 220 ready for tls
      ! start_tls
    )" + after);
    plays(greeting + "> STARTTLS\n! prepare_tls\n>> " + octets +
          "\n* ready\n< 220 ready for tls\n! start_tls\n" + after);
  }
}

TEST_CASE("where TLS does not begin, what stood behind STARTTLS is a command like any other") {
  plays(greeting + R"(
    > STARTTLS
    ! prepare_tls
    > NOOP
    * unusable no such file
    ! dismiss_tls
    ! warning TLS is not offered: no such file
    + NOOP
    - 250 ok
    < 454 TLS not available (#4.3.0)
    < 250 ok
  )" + quit);
}

TEST_CASE("plaintext behind the handshake's line is read, when the child is there") {
  // Whole only: the client has no more to say before it is asked.
  CHECK(transcript::play(hello + starttls + R"(
    ** established TLSv1.3 TLS_AES_256_GCM_SHA384 mx.example\nNOOP\r\nQUIT\r\n
    ! start )" + variables + R"(
    - 220 child again
    ! dismiss
    + NOOP
    - 250 ok
    + QUIT
    - 221 bye
    < 250 ok
    < 221 bye
  )" + unchecked + "! finish\n", terminate(), whole) == "");
}

TEST_CASE("the HELO name of the dialogue in clear is forgotten") {
  plays(hello + inside + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org, = pass example.org mx
    ! start pass )" + variables + R"(
    - 220 child
    ! dismiss
    ! log 250 TLSv1.3
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
  )" + quit);
  plays(hello + inside + hello_inside + mail_inside + quit);
}

TEST_CASE("authentication in clear is forgotten, that inside TLS is not") {
  const std::string login = R"(
    > AUTH PLAIN AGEAYg==
    + AUTH PLAIN AGEAYg==
    - 235 ok
    < 235 ok
  )";
  plays(hello + login + inside + hello_inside + mail_inside + quit);
  plays(hello + inside + hello_inside + login + R"(
    > MAIL FROM:<a@example.org>
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
  )" + quit_unchecked);
}

TEST_CASE("a sender refused in clear, or a transaction opened, is forgotten") {
  const std::string prepared = R"(
    > STARTTLS
    ! prepare_tls
    * ready
    < 220 ready for tls
    ! start_tls
  )" + established + R"(
    - 220 child again
    ! dismiss
    > RCPT TO:<b@example.net>
    + RCPT TO:<b@example.net>
    - 503 MAIL first
    < 503 MAIL first
  )";
  plays(hello + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,clear.example = fail example.org -all
    < 250 ok
  )" + prepared + quit);
  // The fresh child has no transaction to be reset.
  plays(hello + mail_in_clear + prepared + hello_inside + mail_inside + quit);
  plays(hello + mail_in_clear + prepared + R"(
    > AUTH PLAIN AGEAYg==
    + AUTH PLAIN AGEAYg==
    - 535 no
    < 535 no
    > DATA
    + DATA
    - 354 go ahead
    < 421 SMTP server trouble, closing (#4.3.0)
    ! finish
  )");
}

TEST_CASE("a message inside TLS has its header, and its refusals the protocol") {
  plays(hello + inside + hello_inside + mail_inside + R"(
    > RCPT TO:<b@example.net>
    + RCPT TO:<b@example.net>
    - 250 recipient ok
    < 250 recipient ok
    > DATA
    + DATA
    - 354 go ahead
    < 354 go ahead
    > Subject: x
    + Received-SPF: pass (mx.local: SPF record at example.org designates 192.0.2.1
    +  as permitted sender) client-ip=192.0.2.1; envelope-from="a@example.org";
    +  helo=tls.example; mechanism=mx; receiver=mx.local; identity=mailfrom;
    + Subject: x
    > .
    + .
    - 250 queued
    < 250 queued
    > MAIL FROM:<x@example.net>
    ? x@example.net,tls.example = fail example.net -all
    < 250 ok
    > RCPT TO:<b@example.net>
    ! log 550 b@example.net TLSv1.3
    < 550 no, says example.net (#5.7.1)
    > MAIL FROM:<x@example.net>
    ? x@example.net,tls.example = temperror example.net
    ! log 451 TLSv1.3
    < 451 SPF lookup failure (#4.3.0)
  )" + quit);
}

TEST_CASE("a fresh child that does not greet ends the session inside TLS") {
  for (const char* said : {"- 421 too busy", "- 554 go away", "- nonsense", "-|", "~ 60"}) {
    INFO(said);
    plays(hello + inside.substr(0, inside.find("- 220 child again")) + said + R"(
      ! restore
      < 421 unable to start SMTP server (#4.3.0)
    )" + unchecked + "! finish\n");
  }
}

TEST_CASE("inside TLS there is no second STARTTLS") {
  const std::string refused = R"(
    > STARTTLS
    < 503 TLS is active already (#5.5.1)
    > STARTTLS now
    < 503 TLS is active already (#5.5.1)
  )";
  plays(hello + inside + refused + hello_inside + refused + mail_inside + refused + quit);
}

TEST_CASE("a handshake that fails costs one warning and the session, without a word") {
  for (const Trouble& trouble : not_established) {
    INFO(trouble.what);
    plays(hello + starttls + failed(trouble));
    plays("! prepare_tls\n* ready\n! start_tls\n" + failed(trouble), smtps());
  }
  const std::string endless = hello + starttls + "** established " + std::string(1012, 'x') + "\n";
  plays(endless + "! warning TLS handshake with 192.0.2.1: spftls does not make sense\n! finish\n");
}

TEST_CASE("a client that goes before its handshake is waited for by nobody") {
  const std::string waiting = greeting + "> STARTTLS\n! prepare_tls\n";
  plays(waiting + ">!\n! finish\n");
  plays(waiting + R"(
    >|
    * ready
    < 220 ready for tls
    ! start_tls
    ! warning TLS handshake with 192.0.2.1: connection closed
    ! finish
  )");
  plays(hello + starttls + established + ">!\n" + unchecked + "! finish\n");
}

TEST_CASE("SIGTERM ends each wait for TLS, in clear and inside with 421, between them silently") {
  const std::string said = "^\n! finish\n< 421 shutting down (#4.3.2)\n";
  plays(greeting + "> STARTTLS\n! prepare_tls\n" + said);
  plays(hello + starttls + "^\n! finish\n");
  const std::string said_inside = "^\n" + unchecked + "! finish\n< 421 shutting down (#4.3.2)\n";
  plays(hello + starttls + established + said_inside);
  plays(hello + inside + said_inside);
  const std::string transaction = hello + inside + hello_inside + mail_inside + R"(
    > RCPT TO:<b@example.net>
    + RCPT TO:<b@example.net>
    - 250 ok
    < 250 ok
  )";
  plays(transaction + said);
  plays(transaction + "> DATA\n+ DATA\n- 354 go\n< 354 go\n" + said);
}

TEST_CASE("who has sent mail in clear may still have TLS") {
  plays(hello + mail_in_clear + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,clear.example = fail example.org -all
    + RSET
    - 250 flushed
    < 250 ok
    > EHLO clear.example
    + EHLO clear.example
    - 250 child
    < 250-child
    < 250 STARTTLS
  )" + inside + hello_inside + quit);
}

TEST_CASE("SMTPS comes before the greeting, and the first child has its variables") {
  const std::string ready = "! prepare_tls\n* ready\n! start_tls\n";
  const std::string greeted = ready + established + "- 220 child\n< 220 child\n";
  plays(greeted + hello_inside + mail_inside + R"(
    > STARTTLS
    < 503 TLS is active already (#5.5.1)
  )" + quit, smtps());
  plays(ready + established + "- 554 go away\n< 554 go away\n" + quit_unchecked, smtps());
  plays(ready + established + "-|\n< 421 unable to start SMTP server (#4.3.0)\n" + unchecked + "! finish\n", smtps());
  plays("! prepare_tls\n>!\n! finish\n", smtps());
  plays("! prepare_tls\n^\n! finish\n", smtps());
  plays(ready + "^\n! finish\n", smtps());
  plays(ready + established + "^\n< 421 shutting down (#4.3.2)\n" + unchecked + "! finish\n", smtps());
  // Where it is all of TLS that there is.
  for (const spf::Starttls otherwise : {spf::Starttls::hide, spf::Starttls::pass}) {
    spf::Config alone = smtps();
    alone.starttls = otherwise;
    plays(greeted + hello_inside + mail_inside + R"(
      > STARTTLS
      < 503 TLS is active already (#5.5.1)
    )" + quit, alone);
  }
}

TEST_CASE("who is to have TLS and nothing else is not checked") {
  spf::Config config = smtps();
  config.only_tls = true;
  plays("! prepare_tls\n* ready\n! start_tls\n" + established + R"(
    - 220 child
    < 220 child
  )" + hello_inside + R"(
    > MAIL FROM:<a@example.org>
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
    > RSET
    + RSET
    - 250 flushed
    < 250 flushed
    > AUTH PLAIN AGEAYg==
    + AUTH PLAIN AGEAYg==
    - 235 ok
    < 235 ok
    > MAIL FROM:<x@evil.example>
    + MAIL FROM:<x@evil.example>
    - 250 sender ok
    < 250 sender ok
  )" + quit_unchecked, config);
}

TEST_CASE("TLS that was done before us is in the log, and that is all") {
  spf::Config config = transcript::config();
  config.outer_tls = "TLSv1.2";
  plays(greeting + R"(
    > EHLO x
    + EHLO x
    - 250-child
    - 250 STARTTLS
    < 250 child
    > STARTTLS
    < 502 command not implemented (#5.5.1)
    > MAIL FROM:<a@example.org>
    ? a@example.org,x = fail example.org -all
    < 250 ok
    > RCPT TO:<b@example.net>
    ! log 550 b@example.net TLSv1.2
    < 550 no, says example.org (#5.7.1)
  )" + quit, config);
}

TEST_CASE("a client whose address nobody knows is unknown in the line of a session with nothing checked") {
  spf::Config config = smtps();
  config.only_tls = true;
  config.client = spf::Address();
  plays("! prepare_tls\n* ready\n! start_tls\n" + established + R"(
    - 220 child
    < 220 child
    >!
    ! log TLSv1.3 with unknown, nothing checked
    ! finish
  )", config);
}

TEST_CASE("with SPFAUTH=tls AUTH is neither offered nor passed on before TLS, and as ever in it") {
  const std::string in_clear = greeting + R"(
    > EHLO x
    + EHLO x
    - 250-child
    - 250-AUTH PLAIN
    - 250-AUTH=LOGIN
    - 250 SIZE 1000
    < 250-child
    < 250-SIZE 1000
)";
  const std::string refused = R"(
    > AUTH PLAIN AGEAYg==
    < 538 encryption required for authentication (#5.7.11)
    > auth
    < 538 encryption required for authentication (#5.7.11)
)" + noop;
  const std::string taken = R"(
    > AUTH PLAIN AGEAYg==
    + AUTH PLAIN AGEAYg==
    - 235 ok
    < 235 ok
)";
  spf::Config config = terminate();
  config.auth_needs_tls = true;
  plays(in_clear + "< 250 STARTTLS\n" + refused + inside + R"(
    > EHLO x
    + EHLO x
    - 250-child
    - 250 AUTH PLAIN
    < 250-child
    < 250 AUTH PLAIN
)" + taken, config);

  // Also where TLS can't be had, and where prog has it; not where it was before us.
  const std::string plain = greeting + "> EHLO x\n+ EHLO x\n- 250-child\n- 250 AUTH PLAIN\n";
  for (const spf::Starttls starttls : {spf::Starttls::hide, spf::Starttls::unavailable, spf::Starttls::pass}) {
    config.starttls = starttls;
    plays(plain + "< 250 child\n" + refused, config);
  }
  config.starttls = spf::Starttls::hide;
  config.outer_tls = "TLSv1.3";
  plays(plain + "< 250-child\n< 250 AUTH PLAIN\n" + taken, config);
}
