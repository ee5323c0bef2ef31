// The log: its lines to the letter.
#include <regex>

#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// Time and process id made the same in every run.
std::string settled(const Wrapped& spfwrap, std::size_t n) {
  const auto log = spfwrap.log();
  if (n >= log.size()) return "(no such line)";
  std::string line = std::regex_replace(log[n], std::regex(" ms=[0-9]+ "), " ms=N ");
  return std::regex_replace(line, std::regex(" pid=" + std::to_string(const_cast<Wrapped&>(spfwrap).process().pid()) + " "), " pid=P ");
}

}  // namespace

TEST_CASE("the log has a line for each MAIL let through or deferred, and for each RCPT refused") {
  Wrapped spfwrap(level("3"));
  spfwrap.hello();
  spfwrap.talk({"MAIL FROM:<a@pass.example.org>", "RCPT TO:<b@example.org>", "RCPT TO:<c@example.org>",
                "MAIL FROM:<a@fail.example.org>", "RCPT TO:<b@example.org>", "RCPT TO:<c@example.org>",
                "MAIL FROM:<a@temperror.example>", "MAIL FROM:<a@none.example.org>",
                "MAIL FROM:<>", "QUIT"});
  CHECK(spfwrap.finish() == 0);
  const std::string lines[] = {
      "qlogenvelope: result=accepted code=250 reason=spf detail=pass helo=mail.example.org "
      "mailfrom=a@pass.example.org rcptto= relay=no remoteip=192.0.2.1 remotehost=client.example pid=P "
      "identity=mailfrom domain=pass.example.org mechanism=ip4:192.0.2.0/24 lookups=0 voids=0 ms=N "
      "tls=none level=3 why= policy= shadow= heloresult=",
      "qlogenvelope: result=rejected code=550 reason=spf detail=fail helo=mail.example.org "
      "mailfrom=a@fail.example.org rcptto=b@example.org relay=no remoteip=192.0.2.1 "
      "remotehost=client.example pid=P identity=mailfrom domain=fail.example.org mechanism=-all "
      "lookups=0 voids=0 ms=N tls=none level=3 why= policy= shadow= heloresult=",
      "qlogenvelope: result=rejected code=550 reason=spf detail=fail helo=mail.example.org "
      "mailfrom=a@fail.example.org rcptto=c@example.org relay=no remoteip=192.0.2.1 "
      "remotehost=client.example pid=P identity=mailfrom domain=fail.example.org mechanism=-all "
      "lookups=0 voids=0 ms=N tls=none level=3 why= policy= shadow= heloresult=",
  };
  for (std::size_t i = 0; i < std::size(lines); ++i) CHECK(settled(spfwrap, i) == lines[i]);
  REQUIRE(spfwrap.log().size() == 6);
  const std::string deferred = settled(spfwrap, 3), none = settled(spfwrap, 4), helo = settled(spfwrap, 5);
  CHECK(deferred.find(" code=451 reason=spf detail=temperror helo=mail.example.org mailfrom=a@temperror.example ") !=
        std::string::npos);
  CHECK(deferred.find(" level=3 why=error_in_processing_during_lookup_of_temperror.example:_DNS_problem policy= ") !=
        std::string::npos);
  CHECK(none.find("result=accepted code=250 reason=spf detail=none ") != std::string::npos);
  CHECK(none.find(" domain=none.example.org mechanism= lookups=") != std::string::npos);
  CHECK(helo.find(" mailfrom= rcptto= ") != std::string::npos);
  CHECK(helo.find(" identity=helo domain=mail.example.org mechanism=a ") != std::string::npos);
}

TEST_CASE("lookups and voids are counted as RFC 7208 section 4.6.4 counts them") {
  const struct { const char* name; const char* counts; } cases[] = {
      {"include", " lookups=1 voids=0 "},
      {"a", " lookups=1 voids=0 "},
      {"redirect", " lookups=1 voids=0 "},
  };
  for (const auto& c : cases) {
    INFO(c.name);
    Wrapped spfwrap(level("1"));
    spfwrap.hello().ask("MAIL FROM:<a@" + std::string(c.name) + ".example.org>");
    CHECK(settled(spfwrap, 0).find(c.counts) != std::string::npos);
  }
}

TEST_CASE("octets outside 33-126 become _ in the log") {
  Wrapped spfwrap(level("3"));
  spfwrap.hello("x y\xff").talk({"MAIL FROM:<\"a b\"@fail.example.org>", "RCPT TO:<\"c d\xe4\"@example.org>"});
  const std::string line = settled(spfwrap, 0);
  INFO(line);
  CHECK(line.find(" helo=x_y_ mailfrom=\"a_b\"@fail.example.org rcptto=\"c_d_\"@example.org relay=no ") !=
        std::string::npos);
  for (const char c : line) CHECK((c >= 32 && c < 127));
}

TEST_CASE("each log line is one write, so that lines of many processes do not mix") {
  Setup setup = level("3", {{"TCPREMOTEHOST", std::string(300, 'h')}});
  Wrapped spfwrap(setup);
  spfwrap.hello(std::string(250, 'h')).talk({"MAIL FROM:<" + std::string(200, 'a') + "@fail.example.org>",
                                             "RCPT TO:<" + std::string(200, 'b') + "@example.org>"});
  REQUIRE(spfwrap.log().size() == 1);
  CHECK(spfwrap.log()[0].size() < 4096);
}
