// spfcheck IP HELO SENDER.
#include <signal.h>
#include <stdlib.h>

#include <sstream>

#include "tests/catch.hh"
#include "tests/support/name_server.hh"
#include "tests/support/spfcheck.hh"
#include "tests/support/temp_dir.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// The words of a text, whatever stands between them.
std::string in_one_line(const std::string& text) {
  std::istringstream in(text);
  std::string result;
  for (std::string word; in >> word;) result += (result.empty() ? "" : " ") + word;
  return result;
}

// All that the golden runs need.
void fill(DnsServer& dns) {
  dns.txt("example.org", "v=spf1 a mx include:_spf.example.org -all exp=why.example.org");
  dns.txt("example.org", "not for SPF");
  dns.mx("example.org", 10, "mail.example.org");
  dns.a("example.org", "192.0.2.80");
  dns.a("mail.example.org", "192.0.2.25");
  dns.txt("_spf.example.org", "v=spf1 ip4:198.51.100.0/24 redirect=_end.example.org");
  dns.txt("_end.example.org", "v=spf1 exists:%{ir}.list.example.org ?all");
  dns.txt("why.example.org", "%{i} is no host of %{d}");
}

}  // namespace

TEST_CASE("each result has its word and its exit status") {
  Spfcheck spfcheck;
  spfcheck.dns.txt("pass.example", "v=spf1 ip4:192.0.2.1 -all");
  spfcheck.dns.txt("fail.example", "v=spf1 -all");
  spfcheck.dns.txt("softfail.example", "v=spf1 ~all");
  spfcheck.dns.txt("neutral.example", "v=spf1 ?all");
  spfcheck.dns.txt("permerror.example", "v=spf1 moo -all");
  spfcheck.dns.fault("temperror.example", DnsServer::Fault::servfail);
  const struct { const char* result; int code; } cases[] = {
      {"neutral", 1}, {"pass", 2}, {"fail", 3}, {"softfail", 4},
      {"none", 5}, {"temperror", 6}, {"permerror", 7},
  };
  for (const auto& c : cases) {
    INFO(c.result);
    const std::string domain = std::string(c.result) + ".example", word = c.result + std::string("\n");
    const Finished quiet = spfcheck.run({"-q", "192.0.2.1", "h.example", "a@" + domain});
    CHECK(quiet.code == c.code);
    CHECK(quiet.out == word);
    CHECK(quiet.err == "");
    const Finished whole = spfcheck.run({"192.0.2.1", "h.example", "a@" + domain});
    CHECK(whole.code == c.code);
    CHECK(whole.out.starts_with(word));
    CHECK(whole.err == "");
    CHECK(longest_line(whole.out) <= 78);
  }
}

TEST_CASE("sender and HELO are taken in every form") {
  Spfcheck spfcheck;
  spfcheck.dns.txt("s.example", "v=spf1 +all");
  spfcheck.dns.txt("h.example", "v=spf1 -all");
  const struct { const char* helo; const char* sender; const char* checked; } cases[] = {
      {"h.example", "a@s.example", "s.example (identity mailfrom)"},
      {"h.example", "<a@s.example>", "s.example (identity mailfrom)"},
      {"h.example", "<@r.example:a@s.example>", "s.example (identity mailfrom)"},
      {"h.example", "", "h.example (identity helo)"},
      {"h.example", "<>", "h.example (identity helo)"},
      {"h.example", "postmaster", "h.example (identity helo)"},
      {"", "a@s.example", "s.example (identity mailfrom)"},
      {"", "", "none (identity helo)"},
  };
  for (const auto& c : cases) {
    INFO(c.helo << " " << c.sender);
    CHECK(contains(spfcheck.run({"192.0.2.1", c.helo, c.sender}).out, "checked        " + std::string(c.checked) + "\n"));
  }
}

TEST_CASE("a sender that MAIL can't have is wrong usage") {
  const Spfcheck spfcheck;
  for (const std::string sender : {"x%example.org", "x@example.org(a)", "x@[127.0.0.1]", "x@[0.0.0.0]",
                                   "x@[IPv6:::1]", "x\xc1\x80@example.org", "<x@example.org> SIZE=1"}) {
    INFO(sender);
    const Finished run = spfcheck.run({"192.0.2.1", "h", sender});
    CHECK(run.code == 100);
    CHECK(run.err.starts_with("spfcheck: fatal: no sender that MAIL can have: "));
  }
}

TEST_CASE("a whole run shows records, terms, DNS, limits, header, environment and replies") {
  Spfcheck spfcheck;
  fill(spfcheck.dns);
  const Finished run = spfcheck.run({"192.0.2.7", "h.example", "a@example.org"},
                                    {{"SPFBEHAVIOR", "3"}, {"SPFRULES", "ip4:192.0.2.99 moo"}});
  CHECK(run.code == 3);
  const std::string expected = R"(fail
  client         192.0.2.7
  HELO           h.example
  sender         a@example.org
  checked        example.org (identity mailfrom)
  matched        -all
  used           5 of 10 terms that ask DNS, 1 of 2 voids, n ms of 20 s
                 local rules: 0 of 10 terms that ask DNS, 0 of 2 voids
  level          3 (SPFBEHAVIOR)
  warning        spfrules: left out: moo: unknown mechanism

Evaluation
                 example.org TXT: 2 records (n ms)
                 v=spf1 a mx include:_spf.example.org -all exp=why.example.org
  no match       a
                   example.org A: 192.0.2.80 (n ms)
  no match       mx
                   example.org MX: mail.example.org (n ms)
                   mail.example.org A: 192.0.2.25 (n ms)
  no match       include:_spf.example.org
                   _spf.example.org TXT: 1 record (n ms)
                   v=spf1 ip4:198.51.100.0/24 redirect=_end.example.org
  no match         ip4:198.51.100.0/24
  followed         redirect=_end.example.org
                     _end.example.org TXT: 1 record (n ms)
                     v=spf1 exists:%{ir}.list.example.org ?all
  no match           exists:%{ir}.list.example.org
                       7.2.0.192.list.example.org A: no such name (n ms)
  match              ?all
  no match       ip4:192.0.2.99 (local rule)
  match          -all
                 exp=why.example.org
                   why.example.org TXT: "%{i} is no host of %{d}" (n ms)

Header
Received-SPF: fail (mx.local: SPF record at example.org does not designate
 192.0.2.7 as permitted sender) client-ip=192.0.2.7;
 envelope-from="a@example.org"; helo=h.example; mechanism=-all;
 receiver=mx.local; identity=mailfrom;

Environment of prog
  SPFRESULT      fail
  SPFIDENTITY    mailfrom
  SPFDOMAIN      example.org
  SPFMECHANISM   -all
  SPFHEADER      fail (mx.local: SPF record at example.org does not designate
                   192.0.2.7 as permitted sender) client-ip=192.0.2.7;
                   envelope-from="a@example.org"; helo=h.example;
                   mechanism=-all; receiver=mx.local; identity=mailfrom;
  SPFEXPLANATION 192.0.2.7 is no host of example.org

Replies
  level 0        spfwrap steps aside
  levels 1-2     MAIL and RCPT go to prog, which answers
  levels 3-6     MAIL  250 ok
                 RCPT  550-SPF fail: example.org says:
                 RCPT  550 192.0.2.7 is no host of example.org (#5.7.1)
)";
  CHECK(masked(run.out) == expected);
}

TEST_CASE("with SPFHEADERTYPE the header has the fields that it will have") {
  Spfcheck spfcheck;
  fill(spfcheck.dns);
  const std::string results = "Authentication-Results: mx.local; spf=fail smtp.mailfrom=example.org\n";
  const std::string variable = "  SPFAUTHRESULTS mx.local; spf=fail smtp.mailfrom=example.org\n";
  const struct { const char* type; bool has_spf, has_results; } cases[] = {
      {"spf", true, false}, {"ar", false, true}, {"both", true, true}};
  for (const auto& c : cases) {
    INFO(c.type);
    const Finished run = spfcheck.run({"192.0.2.7", "h.example", "a@example.org"}, {{"SPFHEADERTYPE", c.type}});
    const auto header = run.out.find("\nHeader\n");
    REQUIRE(header != run.out.npos);
    CHECK((run.out.find("\nReceived-SPF: fail ", header) != run.out.npos) == c.has_spf);
    CHECK((run.out.find('\n' + results, header) != run.out.npos) == c.has_results);
    CHECK((run.out.find(variable, header) != run.out.npos) == c.has_results);
    CHECK(run.out.find("  SPFHEADER      fail (mx.local: ", header) != run.out.npos);
  }
}

TEST_CASE("terms after the one that decides are not reached") {
  Spfcheck spfcheck;
  fill(spfcheck.dns);
  const Finished run = spfcheck.run({"192.0.2.25", "h.example", "a@example.org"});
  CHECK(run.code == 2);
  const std::string terms = R"(
  match          mx
                   example.org MX: mail.example.org (n ms)
                   mail.example.org A: 192.0.2.25 (n ms)
  not reached    include:_spf.example.org
  not reached    -all

)";
  const std::string replies = R"(
Replies
  level 0        spfwrap steps aside
  levels 1-6     MAIL and RCPT go to prog, which answers
)";
  CHECK(contains(masked(run.out), terms));
  CHECK(contains(run.out, replies));
}

TEST_CASE("what goes wrong is shown where it goes wrong") {
  Spfcheck spfcheck;
  auto& dns = spfcheck.dns;
  dns.txt("syntax.example", "v=spf1 mx ip4:1.2.3 -all");
  dns.txt("outer.example", "v=spf1 include:syntax.example -all");
  dns.txt("two.example", "v=spf1 -all");
  dns.txt("two.example", "v=spf1 +all");
  dns.txt("down.example", "v=spf1 a:x.example -all");
  dns.fault("x.example", DnsServer::Fault::servfail);
  dns.txt("voids.example", "v=spf1 a:1.none.example a:2.none.example a:3.none.example -all");
  const struct { const char* domain; const char* shown; } cases[] = {
      {"syntax.example", "  permerror      ip4:1.2.3: bad IPv4 address\n"},
      {"outer.example", "  permerror        ip4:1.2.3: bad IPv4 address\n"},
      {"outer.example", "  permerror      include:syntax.example\n"},
      {"outer.example", "  not reached    -all\n"},
      {"two.example", "                 two.example TXT: 2 SPF records (n ms)\n"
                      "                 v=spf1 -all\n                 v=spf1 +all\n"},
      {"down.example", "  temperror      a:x.example\n                   x.example A: no usable answer (n ms)\n"},
      {"down.example", "  level 1        MAIL and RCPT go to prog, which answers\n"
                       "  levels 2-6     MAIL  451 SPF lookup failure (#4.3.0)\n"},
      {"voids.example", "  permerror      a:3.none.example\n"},
      {"voids.example", "  reason         too many void DNS lookups in SPF record at voids.example\n"},
      {"none.example", "                 none.example TXT: no such name (n ms)\n"},
  };
  for (const auto& c : cases) {
    const std::string out = masked(spfcheck.run({"192.0.2.1", "h", "a@" + std::string(c.domain)}).out);
    INFO(c.shown << "in\n" << out);
    CHECK(contains(out, c.shown));
  }
}

TEST_CASE("local rules and the guess are marked where they come in") {
  Spfcheck spfcheck;
  spfcheck.dns.txt("example.org", "v=spf1 -all");
  const struct { const char* variable; const char* sender; const char* shown; } cases[] = {
      {"SPFRULES", "a@example.org", "  match          ip4:192.0.2.1 (local rule)\n  not reached    -all\n"},
      {"SPFGUESS", "a@none.example", "  match          ip4:192.0.2.1 (local rule)\n"},
  };
  for (const auto& c : cases) {
    const Finished run = spfcheck.run({"192.0.2.1", "h", c.sender}, {{c.variable, "ip4:192.0.2.1"}});
    INFO(run.out);
    CHECK(run.code == 2);
    CHECK(contains(run.out, c.shown));
    CHECK(contains(run.out, "  matched        ip4:192.0.2.1 (local rule)\n"));
    CHECK(contains(run.out, "local rules: 0 of 10"));
  }
}

TEST_CASE("loopback passes, and is told why") {
  Spfcheck spfcheck;
  const Finished run = spfcheck.run({"127.0.0.1", "h.example", "a@example.org"});
  CHECK(run.code == 2);
  CHECK(contains(run.out, "nothing: this machine's own addresses pass without DNS\n"));
  CHECK(spfcheck.dns.seen().empty());
}

TEST_CASE("no text from outside reaches the terminal unfiltered") {
  Spfcheck spfcheck;
  auto& dns = spfcheck.dns;
  const std::string evil = "\x1b[2J\r\n\x07\xff\x9b" "1m";
  dns.txt("record.example", "v=spf1 exists:" + evil + ".example -all");
  dns.txt("exp.example", "v=spf1 mx ptr -all exp=text.example");
  dns.txt("text.example", evil);
  dns.mx("exp.example", 1, evil + ".example");
  dns.ptr("1.2.0.192.in-addr.arpa", evil + ".exp.example");
  dns.txt("twice.example", "v=spf1 " + evil);
  dns.txt("twice.example", "v=spf1 " + evil);
  for (const char* domain : {"record.example", "exp.example", "twice.example"})
    for (const Arguments& arguments :
         {Arguments{"192.0.2.1", evil, "a@" + std::string(domain)}, Arguments{domain}}) {
      const Finished run = spfcheck.run(arguments, {{"SPFRULES", evil}, {"SPFEXP", evil}});
      INFO(run.out);
      CHECK(contains(run.out, "[2J"));
      CHECK(is_harmless(run.out));
      CHECK(run.err == "");
    }
  CHECK(is_harmless(spfcheck.run({"192.0.2.1", "h", evil}).err));
  CHECK(is_harmless(spfcheck.run({evil}).err));
}

TEST_CASE("of a record without end the beginning is shown") {
  Spfcheck spfcheck;
  std::string record = "v=spf1";
  for (unsigned i = 0; i < 4000; ++i) record += " ip4:10.0.0.1";
  spfcheck.dns.txt("long.example", record + " -all");
  for (const Arguments& arguments : {Arguments{"192.0.2.1", "h", "a@long.example"}, Arguments{"long.example"}}) {
    const Finished run = spfcheck.run(arguments);
    INFO(run.err);
    CHECK(run.out.size() < 200000);
    CHECK(contains(run.out, "                 ip4:10.0.0.1\n" "                 lines left out: ") == (arguments.size() == 1));
    CHECK(contains(run.out, "  no match       ip4:10.0.0.1\n" "                 lines left out: ") == (arguments.size() == 3));
  }
}

TEST_CASE("header and replies are the ones that spfwrap gives") {
  Environment same = name_server().environment();
  same.insert({{"CONTROLDIR", "/nonexistent"}, {"TCPLOCALHOST", "mx.local"}});
  Wrapped annotated(level("1")), rejecting(level("6"));
  annotated.hello();
  rejecting.hello();
  for (const char* name : {"pass", "fail", "softfail", "neutral", "none", "permerror", "explained", "longexp"}) {
    const std::string sender = "a@" + std::string(name) + ".example.org", mail = "MAIL FROM:<" + sender + ">";
    const std::string out = in_one_line(run({program("spfcheck"), "192.0.2.1", "mail.example.org", sender}, same).out);
    INFO(out);
    annotated.ask(mail);
    const std::string header = annotated.last_run().value("SPFHEADER");
    CHECK(contains(header, sender));
    CHECK(contains(out, "Received-SPF: " + header));
    annotated.ask("RSET");
    if (std::string(name) == "pass") continue;
    const std::string reply = rejecting.talk({mail, "RCPT TO:<b@example.org>"});
    CHECK(reply.starts_with("250 ok\n550"));
    std::string replies = "MAIL 250 ok";
    for (std::size_t at = 7, end; (end = reply.find('\n', at)) != reply.npos; at = end + 1)
      replies += " RCPT " + reply.substr(at, end - at);
    CHECK(contains(out, replies));
    rejecting.ask("RSET");
  }
}

TEST_CASE("who reads only the first lines hears no complaint") {
  Spfcheck spfcheck;
  fill(spfcheck.dns);
  const Finished run = test::run({"sh", "-c", program("spfcheck") + " 192.0.2.1 h a@example.org | head -n 1"},
                                 {{"NAMESERVERS", spfcheck.dns.address()},
                                  {"RES_OPTIONS", "port:" + std::to_string(spfcheck.dns.port())}});
  CHECK(run.out == "fail\n");
  CHECK(run.err == "");
}

TEST_CASE("a check that crashes is no result") {
  const SilentNameServer silent;
  const TempDir files;
  Environment environment = silent.environment();
  environment["CONTROLDIR"] = files.path();
  {
    const Fd out = open_append(files.file("out")), err = open_append(files.file("err"));
    Process spfcheck({program("spfcheck"), "192.0.2.1", "h", "a@example.org"}, environment,
                     {-1, out.get(), err.get()});
    const std::string pid = std::to_string(spfcheck.pid());
    int child = 0;
    wait_until([&] {
      child = atoi(read_file("/proc/" + pid + "/task/" + pid + "/children").c_str());
      return child > 0;
    });
    REQUIRE(child > 0);
    kill(child, SIGKILL);
    CHECK(spfcheck.wait() == 111);
  }
  CHECK(read_file(files.file("out")) == "");
  CHECK(read_file(files.file("err")) ==
        "spfcheck: fatal: the check died of signal 9; spfwrap would take that for temperror\n");
}
