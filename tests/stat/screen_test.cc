// The screen: a small log whole, and what strangers write in a log.
#include "spf/stat/screen.hh"

#include <cstdlib>
#include <ctime>
#include <sstream>

#include "spf/stat/chart.hh"
#include "spf/stat/figures.hh"
#include "tests/catch.hh"
#include "tests/stat/made_log.hh"

namespace {

constexpr std::int64_t later = 2'000'000'000;

// All that is shown of time is that of this zone.
const bool zone_is_set = [] {
  setenv("TZ", "UTC", 1);
  tzset();
  return true;
}();

std::string screen_of(const std::string& log, bool blocks = false) {
  spf::Statistics statistics(later);
  std::istringstream in(log);
  for (std::string line; std::getline(in, line);) statistics.add(line, false);
  return spf::screen(statistics, blocks);
}

// Columns that UTF-8 takes.
std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0, columns = 0;
  for (const char c : text) {
    if ((c & 0xc0) != 0x80) ++columns;
    if (c == '\n') columns = 0;
    longest = std::max(longest, columns);
  }
  return longest;
}

}  // namespace

TEST_CASE("a small log, whole") {
  const std::string log =
      "@400000006b08ffb835d94934 tcpserver: status: 1/40\n"
      "@400000006b08ffb835d94934 qlogenvelope: result=accepted code=250 reason=spf detail=pass helo=h mailfrom=a@pass.example rcptto= relay=no remoteip=192.0.2.1 remotehost=unknown pid=1 identity=mailfrom domain=pass.example mechanism=mx lookups=1 voids=0 ms=3 tls=TLSv1.3 level=3 why= policy= shadow= heloresult=pass\n"
      "@400000006b08ffb835d94934 qlogenvelope: result=rejected code=550 reason=spf detail=fail helo=h mailfrom=a@fail.example rcptto=r@l.example relay=no remoteip=192.0.2.66 remotehost=unknown pid=2 identity=mailfrom domain=fail.example mechanism=-all lookups=1 voids=0 ms=40 tls=none level=3 why= policy= shadow= heloresult=\n"
      "@400000006b08ffb835d94934 qlogenvelope: result=rejected code=550 reason=spf detail=fail helo=h mailfrom=a@fail.example rcptto=s@l.example relay=no remoteip=192.0.2.66 remotehost=unknown pid=2 identity=mailfrom domain=fail.example mechanism=-all lookups=1 voids=0 ms=40 tls=none level=3 why= policy= shadow= heloresult=\n"
      "@400000006b09203835d94934 qlogenvelope: result=rejected code=451 reason=spf detail=temperror helo=h mailfrom=a@slow.example rcptto= relay=no remoteip=2001:db8::25 remotehost=unknown pid=3 identity=mailfrom domain=slow.example mechanism= lookups=1 voids=0 ms=20001 tls=TLSv1.2 level=3 why=DNS_problem policy= shadow= heloresult=\n"
      "@400000006b09203835d94934 qlogenvelope: result=accepted code=250 reason=spf detail=softfail helo=h mailfrom=a@soft.example rcptto= relay=no remoteip=192.0.2.67 remotehost=unknown pid=4 identity=mailfrom domain=soft.example mechanism=~all lookups=1 voids=0 ms=9 tls=TLSv1.3 level=3 why= policy= shadow= heloresult=fail\n"
      "@400000006b09203835d94934 qlogenvelope: result=accepted code=250 reason=spf detail=fail helo=h mailfrom=a@fail.example rcptto= relay=no remoteip=192.0.2.77 remotehost=unknown pid=5 identity=mailfrom domain=fail.example mechanism=-all lookups=1 voids=0 ms=9 tls=TLSv1.3 level=3 why= policy=forwarder:192.0.2.77 shadow= heloresult=\n"
      "@400000006b09203835d94934 qlogenvelope: result=accep\n";
  const std::string expected = R"(5 messages in 8 lines, 6 of them spfwrap's
from 2026-11-27 03:57 to 2026-11-27 06:16 UTC
1 qlogenvelope line not understood

Messages by result and code
            accepted 250 deferred 451  refused 550          all
  pass                 1            0            0            1    20.0 %
  fail                 1            0            1            2    40.0 %
  softfail             1            0            0            1    20.0 %
  neutral              0            0            0            0     0.0 %
  none                 0            0            0            0     0.0 %
  permerror            0            0            0            0     0.0 %
  temperror            0            1            0            1    20.0 %
  all                  3            1            1            5
  of these        60.0 %       20.0 %       20.0 %
  Recipients refused: 2.

What each level would have done
             let through     deferred      refused      it adds
  level 1              5            0            0
  level 2              4            1            0            1 temperror
  level 3              3            1            1            1 fail
  level 4              2            1            2            1 softfail
  level 5              2            1            2
  level 6              2            1            2
  Let through at each level, as policy= says: 1.
  With SPFHELO=2, refused besides from level 3 on: 1.

What level 2 would have cost: 1 message (temperror)
  of 1 domain, from 1 client
          1 slow.example                                1 2001:db8::25

What level 3 would have cost: 1 message (fail)
  of 1 domain, from 1 client
          1 fail.example                                1 192.0.2.66

What level 4 would have cost: 1 message (softfail)
  of 1 domain, from 1 client
          1 soft.example                                1 192.0.2.67

Refused most: 1 message
  of 1 domain, from 1 client
          1 fail.example                                1 192.0.2.66

Troubles: 1 reason
          1 temperror DNS_problem

Checks
  time      p50 9 ms, p99 20,001 ms, longest 20,001 ms
  in TLS    80.0 %: TLSv1.3 60.0 %, TLSv1.2 20.0 %

By hour
  let through =  @  2
  deferred       @  1
  refused     @     1
              27
  A column is 1 hour; at the right the most in one.
)";
  CHECK(screen_of(log) == expected);
  const std::string blocks = screen_of(log, true);
  CHECK(blocks.find("  let through ▄  █  2\n  deferred       █  1\n  refused     █     1\n") != blocks.npos);
}

TEST_CASE("where there is nothing, that is said") {
  CHECK(screen_of("") == "no message of spfwrap's in 0 lines\n");
  CHECK(screen_of("tcpserver: status: 0/40\nx\n") == "no message of spfwrap's in 2 lines\n");
  CHECK(screen_of("qlogenvelope: \n") == "no message of spfwrap's in 1 line\n1 qlogenvelope line not understood\n");
  const std::string undated = screen_of("qlogenvelope: result=accepted code=250 reason=spf detail=pass\n");
  CHECK(undated.starts_with("1 message in 1 line\n\nMessages"));
  CHECK(undated.ends_with("\nNothing was refused.\n"));
  CHECK(screen_of("@4fffffff6b09203835d94934 qlogenvelope: result=accepted code=250 reason=spf detail=pass\n")
            .starts_with("1 message in 1 line\n1 message with a time in the future\n\n"));
}

TEST_CASE("a screen is harmless and narrow, whatever the log has") {
  std::string log;
  const std::string octets = "\x1b[2J\x9b\x7f\r\t\xff";
  for (const char* detail : {"fail", "softfail", "neutral", "none", "permerror", "temperror"})
    for (int i = 0; i < 3; ++i)
      log += "qlogenvelope: result=rejected code=550 reason=spf detail=" + std::string(detail) + " helo=" + octets +
             " mailfrom=" + octets + " rcptto=r remoteip=" + std::string(std::size_t(i * 300), '1') + octets +
             " domain=" + std::string(std::size_t(i * 300), 'd') + octets + " ms=299999 tls=" + octets +
             std::to_string(i) + "xxxxxxxxxx why=" + octets + std::string(std::size_t(i * 500), 'w') + '\n';
  log += std::string("qlogenvelope: result=accepted code=250 reason=spf detail=pass tls=\0x domain=\0\n", 77);
  const std::string text = screen_of(log);
  for (const char c : text) REQUIRE((c == '\n' || (c >= ' ' && c <= '~')));
  CHECK(longest_line(text) <= 79);
}

TEST_CASE("the largest figures are no wider") {
  test::LogPlan plan;
  plan.domains = plan.clients = 1'000'000;
  test::MadeLog log(plan);
  std::string lines;
  for (int i = 0; i < 3000; ++i) lines += log.next();
  spf::Statistics statistics(later);
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) statistics.add(line, false);
  for (auto& counts : statistics.decided) counts.fill(900'000'000);
  statistics.judged.fill(900'000'000);
  const std::string text = spf::screen(statistics, true);
  INFO(text);
  CHECK(longest_line(text) <= 79);
}

TEST_CASE("figures and names in columns") {
  CHECK(spf::grouped(0) == "0");
  CHECK(spf::grouped(999) == "999");
  CHECK(spf::grouped(1000) == "1,000");
  CHECK(spf::grouped(18446744073709551615u) == "18,446,744,073,709,551,615");
  CHECK(spf::percent(0, 0) == "0.0 %");
  CHECK(spf::percent(0, 7) == "0.0 %");
  CHECK(spf::percent(1, 3) == "33.3 %");
  CHECK(spf::percent(2, 3) == "66.7 %");
  CHECK(spf::percent(1, 10000) == "0.1 %");
  CHECK(spf::percent(9999, 10000) == "99.9 %");
  CHECK(spf::percent(18446744073709551615u, 18446744073709551615u) == "100.0 %");
  CHECK(spf::right("1", 3) == "  1");
  CHECK(spf::left("1", 3) == "1  ");
  CHECK(spf::left("1234", 3) == "1234");
  CHECK(spf::end_of("mail.example.org", 16) == "mail.example.org");
  CHECK(spf::end_of("mail.example.org", 14) == "...example.org");
  CHECK(spf::beginning_of("parse_error", 8) == "parse...");
}

TEST_CASE("a chart has at most 54 columns, of hours, days or more") {
  const struct { std::int64_t hours; const char* width; } cases[] = {
      {1, "1 hour"},   {54, "1 hour"},   {55, "2 hours"},  {7 * 24, "4 hours"}, {14 * 24, "8 hours"},
      {31 * 24, "1 day"}, {54 * 24, "1 day"}, {90 * 24, "2 days"}, {366 * 24, "7 days"}, {19'000, "30 days"}};
  for (const auto& c : cases) {
    INFO(c.hours);
    spf::Hours hours;
    // Begun at midnight.
    for (std::int64_t i = 0; i < c.hours; ++i) hours.add(20'000 * 24 + i, spf::Decision::accept);
    const std::string text = spf::hour_chart(hours, true);
    CHECK(text.find("A column is " + std::string(c.width) + ";") != text.npos);
    CHECK(longest_line(text) <= 79);
    std::size_t columns = 0;
    for (std::size_t at = 0; (at = text.find("\xe2\x96", at)) != text.npos; ++at) ++columns;
    CHECK(columns <= 54);
  }
}

TEST_CASE("a chart begins after a long gap, and says so") {
  spf::Hours hours;
  hours.add(0, spf::Decision::accept);  // a clock that was not set
  hours.add(500'000, spf::Decision::accept);
  hours.add(500'001, spf::Decision::reject);
  CHECK(spf::hour_chart(hours, false) ==
        "  let through @   1\n"
        "  deferred        0\n"
        "  refused      @  1\n"
        "              15\n"
        "  A column is 1 hour; at the right the most in one.\n"
        "  Before a gap of over 30 days, not shown: 1 messages.\n");
}

TEST_CASE("a chart begins in the first hour there is, in each zone") {
  for (const char* zone : {"XXX12", "XXX5", "UTC", "XXX-5:30", "XXX-14"}) {
    setenv("TZ", zone, 1);
    tzset();
    for (const std::int64_t hours : {1, 60, 1000, 15'000}) {
      spf::Hours all;
      for (std::int64_t hour = 0; hour < hours; ++hour) all.add(hour, spf::Decision::accept);
      const std::string text = spf::hour_chart(all, false);
      CHECK(text.starts_with("  let through "));
      CHECK(longest_line(text) <= 79);
    }
  }
  setenv("TZ", "UTC", 1);
  tzset();
}
