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
    for (int i = 0; i < count; ++i) text += " a:" + std::to_string(i) + ".good.example";
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
       "record.example: octet 23, ipv4:192.0.2.1: unknown mechanism; did you mean \"ip4:192.0.2.1\"?"},
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
      {"v=spf1 a:4.example mx:4.example a:4.example/31 -all", "permerror", 7,
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
    for (int i = 0; i < 11; ++i) {
      dns.a(std::to_string(i) + ".good.example", "192.0.2.1");
      dns.aaaa(std::to_string(i) + ".good.example", "2001:db8::1");
    }
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

TEST_CASE("SPFTIMEOUT holds for the whole walk", "[waits]") {
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

TEST_CASE("what a record lets through, repeats or mistypes is remarked upon") {
  const std::string long_label(64, 'x');
  const struct { std::string record; const char* grade; std::string said; } cases[] = {
      // too much is let through
      {"v=spf1 ip4:0.0.0.0/0 -all", "warnings", "ip4:0.0.0.0/0: everybody with an IPv4 address may send in this name"},
      {"v=spf1 ip6:::/0 -all", "warnings", "ip6:::/0: everybody with an IPv6 address may send in this name"},
      {"v=spf1 a:good.example/0 -all", "warnings", "a:good.example/0: everybody with an IPv4 address"},
      {"v=spf1 a:good.example//0 -all", "warnings", "a:good.example//0: everybody with an IPv6 address"},
      {"v=spf1 mx:mx.example/1 -all", "warnings", "mx:mx.example/1: a /1 is wider than any sender's network"},
      {"v=spf1 ip4:64.0.0.0/7 -all", "warnings", "ip4:64.0.0.0/7: a /7 is wider"},
      {"v=spf1 ip6:2000::/3 -all", "warnings", "ip6:2000::/3: a /3 is wider"},
      {"v=spf1 include:wide.example -all", "warnings", "wide.example: ip4:128.0.0.0/1: a /1 is wider"},
      {"v=spf1 ip4:64.0.0.0/8 ip6:2000::/16 -all", "good", ""},
      {"v=spf1 -ip4:0.0.0.0/1 ip4:192.0.2.0/24 -all", "good", ""},
      // nobody is let through
      {"v=spf1 ip4:10.0.0.0/8 -all", "warnings", "ip4:10.0.0.0/8: no client on the Internet has such an address"},
      {"v=spf1 ip4:192.168.1.5 -all", "warnings", "ip4:192.168.1.5: no client"},
      {"v=spf1 ip4:172.31.255.255 -all", "warnings", "ip4:172.31.255.255: no client"},
      {"v=spf1 ip4:172.32.0.0 ip4:100.128.0.1 ip4:11.0.0.1 -all", "good", ""},
      {"v=spf1 ip6:fd00::/8 -all", "warnings", "ip6:fd00::/8: no client"},
      {"v=spf1 ip6:::1 -all", "warnings", "ip6:::1: no client"},
      {"v=spf1 a:private.example -all", "warnings", "a:private.example: 192.168.0.1 of private.example: no client on the Internet"},
      {"v=spf1 mx:null.example -all", "warnings", "mx:null.example: the null MX (RFC 7505) of null.example matches nobody"},
      {"v=spf1 exists:good.example -all", "warnings", "exists:good.example: no macro in it, so it matches every client or none"},
      // one dead host among others is named, and is no void lookup by itself
      {"v=spf1 mx:half.example -all", "warnings", "mx:half.example: DNS has nothing for dead.example"},
      {"v=spf1 mx:gone.example -all", "warnings", "mx:gone.example: DNS has nothing for gone.example"},
      // twice
      {"v=spf1 include:one.example include:ONE.example -all", "warnings", "include:ONE.example: included already, and costs its terms again"},
      {"v=spf1 include:outer.example include:one.example -all", "warnings", "include:one.example: included already"},
      {"v=spf1 ip4:192.0.2.1 +IP4:192.0.2.1 -all", "warnings", "+IP4:192.0.2.1: stands there twice"},
      {"v=spf1 include:ptr.example -all", "warnings", "ptr.example: ptr: slow, and not to be used"},
      // depends on the client
      {"v=spf1 include:%{i}.example a:good.example -all", "good", "at least 2 of 10 that ask DNS"},
      {"v=spf1 redirect=%{i}.example", "good", "at least 1 of 10 that ask DNS"},
      {"v=spf1 exists:%{i}.a.example exists:%{i}.b.example ptr -all", "warnings", "makes 0 void lookups, of at most 2, and maybe 3 more: ptr, or a macro"},
      {"v=spf1 exists:%{i}.a.example exists:%{i}.b.example -all", "good", "and up to 2 that depend on the client"},
      // nobody gets the explanation, and everybody the verdict
      {"v=spf1 -all exp=down.example", "warnings", "exp=down.example: DNS gives no usable answer"},
      // what DNS cannot carry has no record
      {"v=spf1 include:" + long_label + ".example -all", "permerror", "no name that DNS can carry"},
      {"v=spf1 redirect=" + long_label + ".example", "permerror", "no name that DNS can carry"},
      {"v=spf1 a:" + long_label + ".example -all", "warnings", "no name that DNS can carry"},
      // what was meant
      {"v=spf1 a:192.0.2.1 -all", "permerror", "did you mean \"ip4:192.0.2.1\"?"},
      {"v=spf1 mx:192.0.2.0/24 -all", "permerror", "did you mean \"ip4:192.0.2.0/24\"?"},
      {"v=spf1 ip4:2001:db8::1 -all", "permerror", "did you mean \"ip6:2001:db8::1\"?"},
      {"v=spf1 ip6:192.0.2.1 -all", "permerror", "did you mean \"ip4:192.0.2.1\"?"},
      {"v=spf1 ip:192.0.2.1 -all", "permerror", "did you mean \"ip4:192.0.2.1\"?"},
      {"v=spf1 ip:2001:db8::1 -all", "permerror", "did you mean \"ip6:2001:db8::1\"?"},
      {"v=spf1 192.0.2.1 -all", "permerror", "did you mean \"ip4:192.0.2.1\"?"},
      {"v=spf1 spf.example -all", "permerror", "did you mean \"include:spf.example\"? or \"a:spf.example\"?"},
      {"v=spf1 mx, a -all", "permerror", "blanks stand between terms, not commas"},
      {"v=spf1 mx; -all", "permerror", "blanks stand between terms, not semicolons"},
      {"v=spf1 include: one.example -all", "permerror", "did you mean \"include:one.example\"?"},
      {"v=spf1 ip4: 192.0.2.1 -all", "permerror", "did you mean \"ip4:192.0.2.1\"?"},
      {"v=spf1 mx \xe2\x80\x93" "all", "permerror", "its dash is not the - of ASCII"},
      {"v=spf1 mx \xe2\x88\x92" "all", "permerror", "its dash is not the - of ASCII"},
      {"v=spf1 mx -all\"", "permerror", "a quote is part of the record here"},
      // no record, though one was meant
      {"V=SPF2 -all", "none", "this is no SPF record, which begins with \"v=spf1 \": \"V=SPF2 -all\""},
      {"v=spf1include:one.example -all", "none", "this is no SPF record"},
      {"v=spf1; mx -all", "none", "this is no SPF record"},
      {"vspf1 mx -all", "none", "this is no SPF record"},
      {"v=sfp1 mx -all", "none", "this is no SPF record"},
      {"\"v=spf1 mx -all\"", "none", "this is no SPF record"},
  };
  Spfcheck spfcheck;
  auto& dns = spfcheck.dns;
  for (const auto& c : cases) {
    dns.clear();
    dns.txt("record.example", c.record);
    dns.a("good.example", "192.0.2.1");
    dns.aaaa("good.example", "2001:db8::1");
    dns.mx("mx.example", 1, "good.example");
    dns.mx("null.example", 0, ".");
    dns.mx("half.example", 1, "good.example");
    dns.mx("half.example", 2, "dead.example");
    dns.a("private.example", "192.168.0.1");
    dns.aaaa("private.example", "2001:db8::1");
    dns.txt("one.example", "v=spf1 ip4:192.0.2.1 -all");
    dns.txt("outer.example", "v=spf1 include:one.example -all");
    dns.txt("ptr.example", "v=spf1 ptr -all");
    dns.txt("wide.example", "v=spf1 ip4:128.0.0.0/1 -all");
    dns.fault("down.example", DnsServer::Fault::servfail);
    const Finished run = spfcheck.run({"record.example"});
    INFO(c.record << "\n" << run.out);
    CHECK(run.out.starts_with(std::string(c.grade) + "\n"));
    CHECK(contains(unwrapped(run.out), c.said));
  }
}

TEST_CASE("a second record that is mistyped is seen beside the good one; other texts are not") {
  const struct { const char* text; bool mistyped; } cases[] = {
      {"v=spf1include:other.example -all", true},
      {"V=SPF1: mx -all", true},
      {"spf1 mx -all", true},
      {"v=sts1", false},  // two letters from it
      {"v=STSv1; id=1", false},
      {"v=DMARC1; p=none", false},
      {"v=DKIM1; p=", false},
      {"there is no spf here", false},
      {"spf2.0/pra -all", false},
      {"google-site-verification=spf", false},
      {"", false},
  };
  Spfcheck spfcheck;
  auto& dns = spfcheck.dns;
  for (const auto& c : cases) {
    dns.clear();
    dns.txt("record.example", "v=spf1 ip4:192.0.2.1 -all");
    dns.txt("record.example", c.text);
    const Finished run = spfcheck.run({"record.example"});
    INFO(c.text << "\n" << run.out);
    CHECK(contains(unwrapped(run.out), "this is no SPF record") == c.mistyped);
    CHECK(run.out.starts_with(c.mistyped ? "warnings\n" : "good\n"));
  }
}
