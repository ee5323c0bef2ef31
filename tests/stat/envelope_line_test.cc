#include "spf/stat/envelope_line.hh"

#include <string>

#include "tests/catch.hh"

namespace {

using spf::Decision;
using spf::Reading;
using spf::Result;

constexpr std::string_view now =
    "qlogenvelope: result=rejected code=550 reason=spf detail=fail helo=h.example mailfrom=a@b.example "
    "rcptto=r@l.example relay=no remoteip=192.0.2.1 remotehost=unknown pid=17 identity=mailfrom "
    "domain=b.example mechanism=-all lookups=3 voids=0 ms=12 tls=TLSv1.3 level=3 why= policy= shadow=550 "
    "heloresult=none";

}  // namespace

TEST_CASE("a line has its words") {
  spf::EnvelopeLine line;
  REQUIRE(spf::read_envelope_line(now, false, line) == Reading::read);
  CHECK(line.decision == Decision::reject);
  CHECK(line.result == Result::fail);
  CHECK(line.helo == "h.example");
  CHECK(line.mailfrom == "a@b.example");
  CHECK(line.rcptto == "r@l.example");
  CHECK(line.remoteip == "192.0.2.1");
  CHECK(line.pid == "17");
  CHECK(line.domain == "b.example");
  CHECK(line.milliseconds == 12u);
  CHECK(line.tls == "TLSv1.3");
  CHECK(line.why == "");
  CHECK(line.policy == "");
  CHECK(line.heloresult == "none");
}

TEST_CASE("keys may be missing, be new, or stand elsewhere") {
  const struct { const char* comment; const char* text; bool cut; const char* domain; int ms; } cases[] = {
      {"before ms= and tls=", "result=accepted code=250 reason=spf detail=pass domain=d", false, "d", -1},
      {"no reason", "result=accepted code=250 detail=pass domain=d ms=5", false, "d", 5},
      {"another order", "ms=5 domain=d detail=pass reason=spf code=250 result=accepted", false, "d", 5},
      {"new keys", "new= result=accepted code=250 x=1 detail=pass y domain=d z==", false, "d", -1},
      {"a key twice", "result=accepted code=250 detail=pass domain=d domain=e", false, "d", -1},
      {"an empty one twice", "result=accepted code=250 detail=pass domain= domain=e", false, "", -1},
      {"= in a value", "result=accepted code=250 detail=pass domain=a=b", false, "a=b", -1},
      {"cut in a word", "result=accepted code=250 detail=pass domain=d ms=50", true, "d", -1},
      {"cut behind a word", "result=accepted code=250 detail=pass domain=d ms=50 ", true, "d", 50},
      {"ms= is no number", "result=accepted code=250 detail=pass domain=d ms=-1", false, "d", -1},
      {"ms= is too large", "result=accepted code=250 detail=pass domain=d ms=4294967296", false, "d", -1},
      {"many blanks", "  result=accepted   code=250 detail=pass  domain=d  ", false, "d", -1},
  };
  for (const auto& c : cases) {
    INFO(c.comment);
    spf::EnvelopeLine line;
    const std::string text = "qlogenvelope: " + std::string(c.text);  // which its words are views of
    REQUIRE(spf::read_envelope_line(text, c.cut, line) == Reading::read);
    CHECK(line.decision == Decision::accept);
    CHECK(line.result == Result::pass);
    CHECK(line.domain == c.domain);
    CHECK((line.milliseconds ? int(*line.milliseconds) : -1) == c.ms);
  }
}

TEST_CASE("what is not ours is told from what is not understood") {
  const struct { const char* text; Reading reading; } cases[] = {
      {"", Reading::foreign},
      {"qlogenvelope:", Reading::foreign},
      {"tcpserver: ok 17 mx:192.0.2.25:25 :192.0.2.1::4711", Reading::foreign},
      {"rblsmtpd: 192.0.2.1 pid 17: qlogenvelope: result=accepted code=250 detail=pass", Reading::foreign},
      {"spfwrap: pid 17: TLSv1.3 with 192.0.2.1, nothing checked", Reading::foreign},
      {"spfwrap: warning: pid 17: bad SPFTIMEOUT: x: using 20", Reading::foreign},
      {"x qlogenvelope: result=accepted code=250 detail=pass", Reading::foreign},
      {"qlogenvelope: result=rejected code=553 reason=rcpthosts detail=chkrcptto", Reading::foreign},
      {"qlogenvelope: ", Reading::not_understood},
      {"qlogenvelope: result=accepted code=250 reason=spf", Reading::not_understood},
      {"qlogenvelope: result=accepted code=250 reason=spf detail=PASS", Reading::not_understood},
      {"qlogenvelope: result=accepted code=250 reason=spf detail=", Reading::not_understood},
      {"qlogenvelope: result=accepted code=550 reason=spf detail=fail", Reading::not_understood},
      {"qlogenvelope: result=rejected code=250 reason=spf detail=fail", Reading::not_understood},
      {"qlogenvelope: result=rejected code=421 reason=spf detail=fail", Reading::not_understood},
      {"qlogenvelope: result=rejected code=5500 reason=spf detail=fail", Reading::not_understood},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    spf::EnvelopeLine line{};
    line.helo = "untouched";
    CHECK(spf::read_envelope_line(c.text, false, line) == c.reading);
    CHECK(line.helo == "untouched");
  }
}

TEST_CASE("a line that is cut anywhere has nothing wrong in it") {
  spf::EnvelopeLine whole;
  REQUIRE(spf::read_envelope_line(now, false, whole) == Reading::read);
  const std::size_t detail = now.find(" helo=");
  for (std::size_t size = 0; size <= now.size(); ++size) {
    INFO(now.substr(0, size));
    spf::EnvelopeLine line{};
    const bool read = spf::read_envelope_line(now.substr(0, size), true, line) == Reading::read;
    CHECK(read == (size > detail));
    if (!read) continue;
    CHECK((line.domain.empty() || line.domain == whole.domain));
    CHECK((line.remoteip.empty() || line.remoteip == whole.remoteip));
    CHECK((!line.milliseconds || line.milliseconds == whole.milliseconds));
    CHECK((line.tls.empty() || line.tls == whole.tls));
  }
}
