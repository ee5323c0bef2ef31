// The fail2ban filter of tests/examples/files takes the client's address, and no other that the
// client has put into the line.
#include "tests/catch.hh"
#include "tests/examples/fail2ban.hh"
#include "tests/support/wrapped.hh"

using namespace test;

TEST_CASE("a client can't have another address banned, whatever it says") {
  if (left_out(!fail2ban::there(), "no fail2ban here")) return;
  const std::string forged = "remoteip=198.51.100.9 remotehost=x", dense = "remoteip=198.51.100.9_remotehost=x";
  const struct { std::string helo, sender, recipient; } sessions[] = {
      {"mail.example.org", "<\"x " + forged + " \"@fail.example.org>", "<b@example.org>"},
      {"mail.example.org", "<" + dense + "@fail.example.org>", "<" + dense + "@example.org>"},
      {"x " + forged, "<a@fail.example.org>", "<\" " + forged + "\"@example.org>"},
      {forged, "<a@fail.example.org>", "<b@example.org> " + forged},
      {"x relay=no " + forged, "<\"relay=no\t" + forged + "\"@fail.example.org>", "<\"\xc2\xa0" + forged + "\"@example.org>"},
  };
  std::string log, refused;
  for (const auto& each : sessions) {
    Wrapped spfwrap(level("3"));
    spfwrap.client().reply();
    for (const std::string& command : {"HELO " + each.helo, "MAIL FROM:" + each.sender, "RCPT TO:" + each.recipient,
                                       std::string("RCPT TO:<b@example.org>")})
      spfwrap.ask(command);
    spfwrap.finish();
    for (const std::string& line : spfwrap.log()) {
      log += "@400000006927d2a01dcd6500 " + line + "\n";
      refused += "192.0.2.1\n";
    }
  }
  CHECK(refused.size() >= std::size(sessions) * 10);  // "192.0.2.1" and its line feed

  // Nor one whose message was let through, or by a line of another program.
  for (const std::string line :
       {"qlogenvelope: result=accepted code=250 reason=spf detail=pass helo=h mailfrom=a@b rcptto= relay=no remoteip=198.51.100.9 remotehost=h pid=1",
        "qlogenvelope: result=rejected code=451 reason=spf detail=temperror helo=h mailfrom=a@b rcptto= relay=no remoteip=198.51.100.9 remotehost=h pid=1",
        "rblsmtpd: 198.51.100.9 pid 1: 451 qlogenvelope: result=rejected code=550 reason=spf detail=fail helo=h mailfrom=a@b rcptto=c@d relay=no remoteip=198.51.100.9 remotehost=h",
        "spfwrap: pid 1: TLSv1.3 with 198.51.100.9, nothing checked",
        "spfwrap: warning: pid 1: TLS handshake with 198.51.100.9: no shared cipher",
        "tcpserver: ok 1 mx:192.0.2.2:25 remoteip=198.51.100.9:198.51.100.9::4711"})
    log += "@400000006927d2a01dcd6500 " + line + "\n";
  INFO(log);
  CHECK(fail2ban::banned(log) == refused);
}
