// SPFHELO: the HELO name that is judged beside MAIL's domain.
#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

using transcript::hello;
using transcript::plays;

spf::Config config(spf::HeloCheck check) {
  spf::Config config = transcript::config();
  config.helo_check = check;
  return config;
}

std::string mail(const std::string& verdicts) {
  return "> MAIL FROM:<a@example.org>\n? a@example.org,client.example = " + verdicts + "\n";
}

const std::string given = R"(
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

}  // namespace

TEST_CASE("a field for the HELO name stands below that for MAIL's domain") {
  for (const auto check : {spf::HeloCheck::annotate, spf::HeloCheck::refuse})
    plays(hello + mail("pass example.org mx helo:softfail") + given + R"(
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
      +  helo=client.example; mechanism=mx; receiver=mx.local; identity=mailfrom;
      + Received-SPF: softfail (mx.local: transitioning SPF record at client.example
      +  does not designate 192.0.2.1 as permitted sender) client-ip=192.0.2.1;
      +  helo=client.example; mechanism=a; receiver=mx.local; identity=helo;
      + Subject: x
    )", config(check));
}

TEST_CASE("a HELO name that fails is refused with its own text, with SPFHELO=2 alone") {
  const std::string refused = hello + mail("pass example.org mx helo:fail") + R"(
    < 250 ok
    > RCPT TO:<b@example.net>
    ! log 550 b@example.net
    < 550 no, says HELO (#5.7.1)
  )";
  plays(refused, config(spf::HeloCheck::refuse));
  plays(hello + mail("pass example.org mx helo:fail") + given, config(spf::HeloCheck::annotate));
  spf::Config low = config(spf::HeloCheck::refuse);
  low.level = 2;
  plays(hello + mail("pass example.org mx helo:fail") + given, low);
  // MAIL's domain comes first.
  plays(hello + mail("fail example.org -all helo:fail") + R"(
    < 250 ok
    > RCPT TO:<b@example.net>
    ! log 550 b@example.net
    < 550 no, says example.org (#5.7.1)
  )", config(spf::HeloCheck::refuse));
}

TEST_CASE("a HELO name that fails is held back too where recipients differ, and may be exempted") {
  spf::Config levels = config(spf::HeloCheck::refuse);
  levels.recipient_levels = spf::Levels("low@:1");
  levels.dmarc = true;
  plays(hello + mail("pass example.org mx helo:fail") + R"(
    < 250 ok
    > RCPT TO:<b@example.net>
    ?? a@example.org,client.example = none
    ! log 550 b@example.net
    < 550 no, says HELO (#5.7.1)
    > RCPT TO:<low@example.net>
    ! start pass
    - 220 child ESMTP
    + EHLO client.example
    - 250 child
    ! dismiss
    ! log 250
    + MAIL FROM:<a@example.org>
    - 250 sender ok
    + RCPT TO:<low@example.net>
    - 250 recipient ok
    < 250 recipient ok
  )", levels);
}
