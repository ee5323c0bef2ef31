// spfcheck DOMAIN: a record judged without a client.
#include "tests/catch.hh"
#include "tests/support/spfcheck.hh"

using namespace test;

namespace {

// Lines as they were before they were broken.
std::string unwrapped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t next = text.find_first_not_of(' ', i + 1);
    if (text[i] == '\n' && next != text.npos && next - i - 1 == 19) {
      result += ' ';
      i = next - 1;
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

TEST_CASE("a good record is good") {
  Spfcheck spfcheck;
  auto& dns = spfcheck.dns;
  dns.txt("example.org", "v=spf1 mx include:_spf.example.org -all");
  dns.mx("example.org", 10, "mail.example.org");
  dns.a("mail.example.org", "192.0.2.25");
  dns.aaaa("mail.example.org", "2001:db8::25");
  dns.txt("_spf.example.org", "v=spf1 ip4:198.51.100.0/24 a:mail.%{o} ~all");
  const Finished run = spfcheck.run({"example.org"});
  const std::string expected = R"(good
  domain         example.org
  terms          3 of 10 that ask DNS, where nothing matches
  voids          0 of 2
  size           50 octets
  time           n ms of 20 s

Record
                 example.org TXT: 1 record (n ms)
                 v=spf1 mx include:_spf.example.org -all
  1 term         mx
                   example.org MX: mail.example.org (n ms)
                   mail.example.org A: 192.0.2.25 (n ms)
                   mail.example.org AAAA: 2001:db8::25 (n ms)
  2 terms        include:_spf.example.org
                   _spf.example.org TXT: 1 record (n ms)
                   v=spf1 ip4:198.51.100.0/24 a:mail.%{o} ~all
                   ip4:198.51.100.0/24
  1 term           a:mail.%{o}
                     mail.example.org A: 192.0.2.25 (known)
                     mail.example.org AAAA: 2001:db8::25 (known)
                   ~all
                 -all
)";
  CHECK(run.code == 0);
  CHECK(run.err == "");
  CHECK(masked(run.out) == expected);
  const Finished quiet = spfcheck.run({"-q", "Example.ORG."});
  CHECK(quiet.code == 0);
  CHECK(quiet.out == "good\n");
}

TEST_CASE("what the owner may not have meant is a warning, what breaks the record an error") {
  const std::string networks = [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text += " ip4:198.51.100." + std::to_string(i);
    return text;
  }();
  const auto a_terms = [](int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += " a:good.example";
    return text;
  };
  const struct { std::string record; const char* grade; int code; const char* said; } cases[] = {
      // warnings
      {"v=spf1 a:good.example", "warnings", 1, "no all and no redirect=: whoever is not listed gets neutral"},
      {"v=spf1 +all", "warnings", 1, "+all: everybody may send in this name"},
      {"v=spf1 all", "warnings", 1, "all: everybody may send in this name"},
      {"v=spf1 ?all", "warnings", 1, "?all: nothing is said of whoever is not listed"},
      {"v=spf1 -all a:good.example", "warnings", 1, "a:good.example: never reached, after all"},
      {"v=spf1 -all redirect=good.example", "warnings", 1, "redirect= is not used where there is all"},
      {"v=spf1 ptr -all", "warnings", 1, "ptr: slow, and not to be used (RFC 7208 section 5.5)"},
      {"v=spf1 ipv4=192.0.2.1 -all", "warnings", 1, "ipv4=192.0.2.1: an unknown modifier, ignored; did you mean \"ip4:\"?"},
      {"v=spf1 A=good.example -all", "warnings", 1, "did you mean \"a:\"?"},
      {"v=spf1 redirct=good.example", "warnings", 1, "did you mean \"redirect=\"?"},
      {"v=spf1 a:gone.example -all", "warnings", 1, "a:gone.example: DNS has nothing for gone.example"},
      {"v=spf1 include:open.example -all", "warnings", 1, "open.example: +all: including it lets everybody send"},
      {"v=spf1" + networks + " -all", "warnings", 1, "octets with the name; over 450 they may not fit into an answer over UDP"},
      {"v=spf1 a:gone.example a:4.example ptr -all", "warnings", 1, "a client with an IPv6 address makes 2 void lookups, of at most 2, and maybe 1 more"},
      {"v=spf1 -all exp=gone.example", "warnings", 1, "exp=gone.example: not exactly one text there"},
      {"v=spf1 -all exp=badtext.example", "warnings", 1, "exp=badtext.example: bad macro"},
      // nothing to say
      {"v=spf1 moo=x -all", "good", 0, "good"},
      {"v=spf1 redirect=good.example", "good", 0, "2 terms        redirect=good.example"},
      {"v=spf1 exists:%{ir}.list.example -all", "good", 0, "depends on the client: not followed"},
      {"v=spf1" + a_terms(10) + " -all", "good", 0, "10 of 10 that ask DNS"},
      {"v=spf1 -all" + a_terms(11), "warnings", 1, "0 of 10 that ask DNS"},
      // errors
      {"v=spf1 a:good.example ipv4:192.0.2.1 -all", "permerror", 7,
       "record.example: octet 23, ipv4:192.0.2.1: unknown mechanism; did you mean \"ip4:\"?"},
      {"v=spf1 ip4:192.0.2.1.1 -all", "permerror", 7, "octet 8, ip4:192.0.2.1.1: bad IPv4 address"},
      {"v=spf1 include:none.example -all", "permerror", 7, "none.example: no SPF record, and record.example refers to it"},
      {"v=spf1 redirect=none.example", "permerror", 7, "none.example: no SPF record, and record.example refers to it"},
      {"v=spf1 include:two.example -all", "permerror", 7, "two.example: more than one SPF record"},
      {"v=spf1 include:record.example -all", "permerror", 7, "record.example: a loop, this record leads to itself"},
      {"v=spf1 redirect=Record.example.", "permerror", 7, "a loop, this record leads to itself"},
      {"v=spf1" + a_terms(11) + " -all", "permerror", 7, "11 terms that ask DNS, of at most 10"},
      {"v=spf1 include:good.example" + a_terms(9) + " -all", "permerror", 7, "11 terms that ask DNS, of at most 10"},
      {"v=spf1 a:1.none.example mx:2.none.example exists:3.none.example -all", "permerror", 7,
       "a client with an IPv4 address makes 3 void lookups, of at most 2"},
      {"v=spf1 a:4.example mx:4.example a:4.example -all", "permerror", 7,
       "a client with an IPv6 address makes 3 void lookups, of at most 2"},
      {"v=spf1 mx:many.example -all", "permerror", 7, "many.example: 11 MX records, of at most 10"},
      {"v=spf1 include:down.example -all", "temperror", 6, "down.example: DNS gives no usable answer"},
      // no record
      {"v=spf2.0/pra -all", "none", 5, "record.example: this is no SPF record, which begins with \"v=spf1 \""},
      {"something else", "none", 5, "record.example: no SPF record"},
  };
  Spfcheck spfcheck;
  auto& dns = spfcheck.dns;
  for (const auto& c : cases) {
    dns.clear();
    dns.txt("record.example", c.record);
    dns.txt("good.example", "v=spf1 a -all");
    dns.a("good.example", "192.0.2.1");
    dns.aaaa("good.example", "2001:db8::1");
    dns.txt("open.example", "v=spf1 +all");
    dns.txt("two.example", "v=spf1 -all");
    dns.txt("two.example", "v=spf1 -all");
    dns.txt("badtext.example", "%{z}");
    dns.a("4.example", "192.0.2.4");  // and no AAAA
    dns.mx("4.example", 1, "4.example");
    for (int i = 0; i < 11; ++i) dns.mx("many.example", 1, "m" + std::to_string(i) + ".example");
    dns.fault("down.example", DnsServer::Fault::servfail);
    const Finished run = spfcheck.run({"record.example"});
    INFO(c.record << "\n" << run.out);
    CHECK(run.code == c.code);
    CHECK(run.out.starts_with(std::string(c.grade) + "\n"));
    CHECK(contains(unwrapped(run.out), c.said));
    CHECK(run.err == "");
  }
}

TEST_CASE("each include shows what it costs in all") {
  Spfcheck spfcheck;
  auto& dns = spfcheck.dns;
  dns.txt("record.example", "v=spf1 include:one.example include:three.example ip4:192.0.2.1 -all");
  dns.txt("one.example", "v=spf1 ip4:192.0.2.2 ~all");
  dns.txt("three.example", "v=spf1 include:one.example redirect=one.example");
  const Finished run = spfcheck.run({"record.example"});
  INFO(run.out);
  CHECK(contains(run.out, "  terms          4 of 10"));
  CHECK(contains(run.out, "  1 term         include:one.example\n"));
  CHECK(contains(run.out, "  3 terms        include:three.example\n"));
  CHECK(contains(run.out, "  1 term           redirect=one.example\n"));
}

TEST_CASE("a walk is bounded, whatever the records say") {
  Spfcheck spfcheck;
  auto& dns = spfcheck.dns;
  // Each record leads to the next ten times: 10^20 in all.
  for (int depth = 0; depth < 20; ++depth) {
    std::string record = "v=spf1";
    for (int i = 0; i < 10; ++i) record += " include:d" + std::to_string(depth + 1) + ".example";
    dns.txt("d" + std::to_string(depth) + ".example", record + " -all");
  }
  Finished run = spfcheck.run({"d0.example"});
  CHECK(run.code == 7);
  CHECK(contains(run.out, "too much to follow: stopped after 100 records"));

  std::string wide = "v=spf1";
  for (int i = 0; i < 500; ++i) wide += " a:h" + std::to_string(i) + ".example";
  dns.clear();
  dns.txt("wide.example", wide + " -all");
  run = spfcheck.run({"wide.example"});
  CHECK(run.code == 7);
  CHECK(contains(run.out, "too much to ask for: stopped after 200 questions"));
  CHECK(dns.seen().size() <= 2 * 200);  // again over TCP, or sent again
}

TEST_CASE("SPFTIMEOUT holds for the whole walk") {
  Spfcheck spfcheck;
  spfcheck.dns.txt("record.example", "v=spf1 include:a.example include:b.example -all");
  spfcheck.dns.fault("a.example", DnsServer::Fault::silence);
  spfcheck.dns.fault("b.example", DnsServer::Fault::silence);
  const auto start = Clock::now();
  const Finished run = spfcheck.run({"record.example"}, {{"SPFTIMEOUT", "1"}});
  CHECK(run.code == 6);
  CHECK(since(start) < 3s);
  CHECK(contains(run.out, "temperror\n"));
}
