// Where SPFANNOTATE puts header and variables, which fields SPFHEADERTYPE makes of
// them, and what SPFSTRIP takes out.
#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

using transcript::hello;
using transcript::plays;

namespace {

constexpr std::size_t whole = std::string::npos;

spf::Config annotate(spf::Annotate how) {
  spf::Config config = transcript::config();
  config.annotate = how;
  return config;
}

// A MAIL that passes, where nothing is started for it.
const std::string passes = R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,client.example = pass example.org mx
)";
const std::string goes_on = R"(
  ! log 250
  + MAIL FROM:<a@example.org>
  - 250 sender ok
  < 250 sender ok
  > RCPT TO:<b@example.net>
  + RCPT TO:<b@example.net>
  - 250 ok
  < 250 ok
  > DATA
  + DATA
  - 354 go ahead
  < 354 go ahead
)";
const std::string received_spf = R"(
  + Received-SPF: pass (mx.local: SPF record at example.org designates 192.0.2.1
  + \sas permitted sender) client-ip=192.0.2.1; envelope-from="a@example.org";
  + \shelo=client.example; mechanism=mx; receiver=mx.local; identity=mailfrom;
)";
// Its header comes when the message does.
std::string body(const std::string& header = "", const std::string& sent = "", const std::string& rest = "") {
  return sent + "> Subject: x\n" + header + rest + R"(
    + Subject: x
    > .
    + .
    - 250 ok
    < 250 ok
  )";
}
const std::string refused = R"(
  > MAIL FROM:<x@evil.example>
  ? x@evil.example,client.example = fail evil.example -all
  < 250 ok
)";
const std::string trusted = R"(
  > AUTH PLAIN AGEAYg==
  + AUTH PLAIN AGEAYg==
  - 235 ok
  < 235 ok
  > MAIL FROM:<c@example.com>
)";
const std::string trusted_goes_on = R"(
  + MAIL FROM:<c@example.com>
  - 250 sender ok
  < 250 sender ok
)";

}  // namespace

TEST_CASE("header: prog is started once, and the header stands at the top of DATA") {
  const spf::Config config = annotate(spf::Annotate::header);
  plays(hello + passes + goes_on + body(received_spf) + refused + passes + goes_on + body(received_spf),
        config);
  plays(hello + trusted + trusted_goes_on, config);
}

TEST_CASE("queue: prog is started once, and the queue program told before prog sees MAIL") {
  const spf::Config config = annotate(spf::Annotate::queue);
  const std::string told = "! annotate pass with header\n";
  plays(hello + passes + told + goes_on + body() + refused + passes + told + goes_on + body(), config);
}

TEST_CASE("queue: for a MAIL that is not checked the queue program finds nothing") {
  plays(hello + passes + "! annotate pass with header\n" + goes_on + body() + trusted + "! annotate\n" +
            trusted_goes_on,
        annotate(spf::Annotate::queue));
}

TEST_CASE("SPFHEADERTYPE: either field, or both, wherever they go") {
  const std::string results = "+ Authentication-Results: mx.id; spf=pass smtp.mailfrom=example.org\n";
  const struct { spf::HeaderType type; std::string fields; } cases[] = {
      {spf::HeaderType::spf, received_spf},
      {spf::HeaderType::ar, results},
      {spf::HeaderType::both, received_spf + results},
  };
  for (const auto& c : cases) {
    spf::Config config = annotate(spf::Annotate::header);
    config.header_type = c.type;
    config.authserv_id = "mx.id";
    plays(hello + passes + goes_on + body(c.fields), config);
  }
}

TEST_CASE("SPFSTRIP: fields that claim to be ours do not go on, of trusted clients neither") {
  const std::string forged = R"(
    > AUTHENTICATION-results:
    > \smx.id; spf=pass smtp.mailfrom=bank.example
    > Authentication-Results: other.example; spf=pass
    > Received-SPF: pass
  )";
  const std::string others = "+ Authentication-Results: other.example; spf=pass\n";
  const struct { spf::Strip strip; std::string rest; } cases[] = {
      {spf::Strip::own, others + "+ Received-SPF: pass\n"},
      {spf::Strip::all, others},
  };
  for (const auto& c : cases) {
    spf::Config config = annotate(spf::Annotate::header);
    config.strip = c.strip;
    config.authserv_id = "mx.id";
    plays(hello + passes + goes_on + body(received_spf, forged, c.rest), config);
    plays(hello + trusted + trusted_goes_on + R"(
      > RCPT TO:<b@example.net>
      + RCPT TO:<b@example.net>
      - 250 ok
      < 250 ok
      > DATA
      + DATA
      - 354 go ahead
      < 354 go ahead
    )" + body("", forged, c.rest), config);
  }
}

TEST_CASE("a STARTTLS that prog has takes nothing along of an older MAIL") {
  const std::string mail = R"(
    ! log 250
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    < 250 sender ok
    > STARTTLS
  )";
  const std::string unwatched = R"(
    + STARTTLS
    - 220 go ahead
    < 220 go ahead
    ! warning STARTTLS: 192.0.2.1 goes unchecked from here on
    >> \x16\x03
    +> \x16\x03
  )";
  const std::string reset = "+ RSET\n- 250 flushed\n";
  const std::string again = "- 220 child\n+ EHLO client.example\n- 250 child\n! dismiss\n";
  const struct { spf::Annotate how; std::string before, behind; } cases[] = {
      {spf::Annotate::queue, "! annotate pass with header\n", reset + "! annotate\n"},
      {spf::Annotate::header, "", reset},
      {spf::Annotate::data, "! start pass\n" + again, "! start\n" + again},
      {spf::Annotate::env, "! start pass\n" + again, "! start\n" + again},
  };
  for (const auto& c : cases) {
    spf::Config config = annotate(c.how);
    config.starttls = spf::Starttls::pass;
    CHECK(transcript::play(hello + passes + c.before + mail + c.behind + unwatched, config, whole) == "");
  }
}

TEST_CASE("where the queue program can't be told of a MAIL, prog does not see it") {
  spf::Config config = annotate(spf::Annotate::queue);
  spf::Session session(config, 42, transcript::is_own);
  const auto client = [&session](std::string_view octets) {
    session.from_client().append(octets);
    session.resume();
  };
  const auto child = [&session](std::string_view octets) {
    session.to_child().clear();
    session.from_child().append(octets);
    session.resume();
  };
  session.resume();
  child("220 child\r\n");
  client("EHLO x\r\n");
  child("250 child\r\n");
  session.to_client().clear();
  client("MAIL FROM:<a@example.org>\r\n");
  spf::Verdict verdict;
  verdict.result = spf::Result::pass;
  session.check_done(verdict);
  session.resume();
  CHECK(session.to_child().empty());  // it waits
  session.annotated(false);
  session.resume();
  CHECK(session.to_child().empty());
  CHECK(session.to_client().data() == "451 unable to annotate the message (#4.3.0)\r\n");
}
