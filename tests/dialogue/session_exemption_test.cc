// What is let through although its level refuses it.
#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

using transcript::hello;
using transcript::plays;
using transcript::noop;

// SPFBEHAVIOR is 3; "low@" has 1.
spf::Config config(const std::string& to = "") {
  spf::Config config = transcript::config();
  config.dmarc = true;
  config.recipient_levels = spf::Levels(to);
  return config;
}

const std::string mail = R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,client.example = fail example.org -all
)";
const std::string asked = "?? a@example.org,client.example = ";

// prog gets MAIL, in an environment with this result, and the reason behind it.
std::string given(const std::string& result, const std::string& logged) {
  return "! start " + result + R"(
  - 220 child ESMTP
  + EHLO client.example
  - 250 child
  ! dismiss
  ! log )" + logged + R"(
  + MAIL FROM:<a@example.org>
  - 250 sender ok
)";
}
std::string taken(const std::string& recipient) {
  return "+ RCPT TO:<" + recipient + ">\n- 250 recipient ok\n< 250 recipient ok\n";
}
std::string named(const std::string& recipient) { return "> RCPT TO:<" + recipient + ">\n"; }
std::string refused(const std::string& recipient) {
  return named(recipient) + "! log 550 " + recipient + "\n< 550 no, says example.org (#5.7.1)\n";
}
std::string deferred(const std::string& recipient) {
  return named(recipient) + "! log 451 " + recipient + "\n< 451 SPF lookup failure (#4.3.0)\n";
}
const std::string no_mail = R"(
  > DATA
  + DATA
  - 503 MAIL first
  < 503 MAIL first
)";

}  // namespace

TEST_CASE("a refusal is not given where there is a reason against it") {
  plays(hello + mail + asked + "dmarc:example.org:reject\n" +
            given("fail dmarc:example.org:reject", "250 dmarc:example.org:reject") + "< 250 sender ok\n" +
            named("b@r.example") + taken("b@r.example") + named("c@r.example") + taken("c@r.example"),
        config());
  plays(hello + mail + asked + "none\n< 250 ok\n" + refused("b@r.example") + refused("c@r.example") + no_mail,
        config());
  plays(hello + mail + asked + "trouble\n! log 451\n< 451 SPF lookup failure (#4.3.0)\n" + noop, config());
}

TEST_CASE("it is searched for where a refusal is due, and nowhere else") {
  for (const std::string result : {"pass", "softfail", "none"})
    plays(hello + "> MAIL FROM:<a@example.org>\n? a@example.org,client.example = " + result + " example.org x\n" +
              given(result, "250") + "< 250 sender ok\n",
          config());
  plays(hello + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,client.example = temperror example.org
    ! log 451
    < 451 SPF lookup failure (#4.3.0)
  )", config());
  spf::Config none = config();
  none.dmarc = false;
  plays(hello + mail + "< 250 ok\n" + refused("b@r.example"), none);
}

TEST_CASE("a network of forwarders is no question for a process") {
  spf::Config networks = config();
  networks.dmarc = false;
  networks.forwarders = "192.0.2.0/24\n";
  plays(hello + mail + given("fail forwarder:192.0.2.0/24", "250 forwarder:192.0.2.0/24") + "< 250 sender ok\n",
        networks);
  networks.forwarders = "198.51.100.0/24\n";
  plays(hello + mail + "< 250 ok\n" + refused("b@r.example"), networks);
}

TEST_CASE("of a held MAIL it is searched for with the first recipient to be refused, and once") {
  const std::string held = hello + mail + "< 250 ok\n";
  const spf::Config levels = config("low@:1");
  // It lets all others through too, prog being told of it with the MAIL.
  plays(held + named("b@r.example") + asked + "forwarder:f.example\n" +
            given("fail forwarder:f.example", "250 forwarder:f.example") + taken("b@r.example") +
            named("c@r.example") + taken("c@r.example") + named("low@r.example") + taken("low@r.example"),
        levels);
  plays(held + named("b@r.example") + asked + "none\n! log 550 b@r.example\n< 550 no, says example.org (#5.7.1)\n" +
            refused("c@r.example") + named("low@r.example") + given("fail", "250") + taken("low@r.example") +
            refused("b@r.example"),
        levels);
  plays(held + named("b@r.example") + asked + "trouble\n! log 451 b@r.example\n< 451 SPF lookup failure (#4.3.0)\n" +
            deferred("c@r.example") + named("low@r.example") + given("fail", "250") + taken("low@r.example"),
        levels);
  // prog has the MAIL already: the log has the reason with the recipient.
  plays(held + named("low@r.example") + given("fail", "250") + taken("low@r.example") + named("b@r.example") +
            asked + "forwarder:f.example\n! log 250 b@r.example forwarder:f.example\n" + taken("b@r.example") +
            named("c@r.example") + taken("c@r.example"),
        levels);
  plays(held + named("low@r.example") + given("fail", "250") + taken("low@r.example") + named("b@r.example") +
            asked + "none\n! log 550 b@r.example\n< 550 no, says example.org (#5.7.1)\n" + refused("c@r.example") +
            named("low@s.example") + taken("low@s.example"),
        levels);
  // Another MAIL, another search.
  plays(held + named("b@r.example") + asked + "none\n! log 550 b@r.example\n< 550 no, says example.org (#5.7.1)\n" +
            mail + "< 250 ok\n" + named("b@r.example") + asked +
            "none\n! log 550 b@r.example\n< 550 no, says example.org (#5.7.1)\n",
        levels);
}

TEST_CASE("prog that refuses a held MAIL for which there is a reason is asked again, and the log has it once") {
  plays(hello + mail + "< 250 ok\n" + named("b@r.example") + asked + R"(forwarder:f.example
    ! start fail forwarder:f.example
    - 220 child ESMTP
    + EHLO client.example
    - 250 child
    ! dismiss
    ! log 250 forwarder:f.example
    + MAIL FROM:<a@example.org>
    - 451 not now
    < 451 not now
    > RCPT TO:<b@r.example>
    + MAIL FROM:<a@example.org>
    - 250 sender ok
  )" + taken("b@r.example"), config("low@:1"));
}

TEST_CASE("the queue program is told the reason") {
  spf::Config queue = config();
  queue.annotate = spf::Annotate::queue;
  plays(hello + mail + asked + R"(forwarder:f.example
    ! annotate fail forwarder:f.example with header
    ! log 250 forwarder:f.example
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
  )", queue);
}

TEST_CASE("SPFSHADOW and temperror ask for no search") {
  spf::Config shadow = config("low@:1");
  shadow.level = 1;
  shadow.shadow_level = 3;
  plays(hello + mail + given("fail", "250") + "< 250 sender ok\n", shadow);
  plays(hello + R"(
    > MAIL FROM:<a@example.org>
    ? a@example.org,client.example = temperror example.org
    < 250 ok
  )" + deferred("b@r.example"), config("low@:1"));
}

TEST_CASE("a search ends with the client, with prog, and with us") {
  const std::string at_mail = hello + mail + "?? a@example.org,client.example\n";
  plays(at_mail + ">|\n! abandon\n< 451 SPF lookup failure (#4.3.0)\n! finish\n", config());
  plays(at_mail + ">!\n! finish\n", config());
  plays(at_mail + "^\n< 421 shutting down (#4.3.2)\n! finish\n", config());
  plays(at_mail + "-|\n< 421 SMTP server trouble, closing (#4.3.0)\n! finish\n", config());
  const std::string at_rcpt = hello + mail + "< 250 ok\n" + named("b@r.example") + "?? a@example.org,client.example\n";
  plays(at_rcpt + ">|\n! abandon\n< 451 SPF lookup failure (#4.3.0)\n! finish\n", config("low@:1"));
  plays(at_rcpt + "-|\n< 421 SMTP server trouble, closing (#4.3.0)\n! finish\n", config("low@:1"));
}

TEST_CASE("what it takes of the processor counts") {
  plays(hello + mail + "?? a@example.org,client.example = none 10001\n< 250 ok\n" + R"(
    > MAIL FROM:<a@example.org>
    < 421 too much work in one session (#4.7.0)
    ! finish
  )", config());
}

TEST_CASE("what is sent while it is searched for waits") {
  plays(hello + R"(
    >> MAIL FROM:<a@example.org>\r\nRCPT TO:<b@r.example>\r\nRCPT TO:<low@r.example>\r\nNOOP\r\n
    ? a@example.org,client.example = fail example.org -all
    ?? a@example.org,client.example = none
    ! log 550 b@r.example
    )" + given("fail", "250") + R"(
    + RCPT TO:<low@r.example>
    - 250 recipient ok
    + NOOP
    - 250 ok
    < 250 ok
    < 550 no, says example.org (#5.7.1)
    < 250 recipient ok
    < 250 ok
  )", config("low@:1"));
}
