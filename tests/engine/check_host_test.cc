#include "spf/engine/check_host.hh"

#include <string>

#include "tests/catch.hh"
#include "tests/support/check_host.hh"

using namespace spf;

namespace {

// The verdict on example.org publishing `record`, for 192.0.2.1.
std::string verdict(const std::string& record, const std::string& rules = "") {
  FakeResolver resolver;
  resolver.txt("example.org", record);
  resolver.a("example.org", "192.0.2.1");
  resolver.a("other.example", "198.51.100.1");
  resolver.txt("pass.example", "v=spf1 +all");
  resolver.txt("fail.example", "v=spf1 -all exp=no.example");
  resolver.txt("softfail.example", "v=spf1 ~all");
  resolver.txt("neutral.example", "v=spf1 ?all");
  resolver.txt("default.example", "v=spf1");
  resolver.txt("broken.example", "v=spf1 moo");
  resolver.txt("twice.example", "v=spf1 a");
  resolver.txt("twice.example", "v=spf1 b");
  resolver.txt("text.example", "no record");
  resolver.trouble("down.example", RrType::txt);
  resolver.trouble("down.example", RrType::a);
  return told(judge(resolver, rules).finding);
}

}  // namespace

TEST_CASE("the first directive that matches gives its result and its text") {
  const struct { const char* record; const char* verdict; } cases[] = {
      {"v=spf1", "neutral default"},
      {"v=spf1 ip4:198.51.100.0/24", "neutral default"},
      {"v=spf1 ip4:192.0.2.0/24 -all", "pass ip4:192.0.2.0/24"},
      {"v=spf1 -ip4:192.0.2.0/24 +all", "fail -ip4:192.0.2.0/24"},
      {"v=spf1 ~A:EXAMPLE.org/24 -all", "softfail ~A:EXAMPLE.org/24"},
      {"v=spf1 a:other.example ?all", "neutral ?all"},
      {"v=spf1 -ALL +all", "fail -ALL"},
      {"v=spf1 a:%{d} -all", "pass a:%{d}"},
      {"v=spf1 a -all moo", "permerror -"},              // an error anywhere (section 4.6)
  };
  for (const auto& c : cases) {
    INFO(c.record);
    CHECK(verdict(c.record) == c.verdict);
  }
}

TEST_CASE("an include matches when what it includes passes") {
  const struct { const char* record; const char* verdict; } cases[] = {
      {"v=spf1 include:pass.example -all", "pass include:pass.example"},
      {"v=spf1 ~include:pass.example -all", "softfail ~include:pass.example"},
      {"v=spf1 include:fail.example ?all", "neutral ?all"},
      {"v=spf1 include:softfail.example -all", "fail -all"},
      {"v=spf1 include:neutral.example -all", "fail -all"},
      {"v=spf1 include:default.example -all", "fail -all"},
      {"v=spf1 include:broken.example -all", "permerror default"},
      {"v=spf1 include:twice.example -all", "permerror default"},
      {"v=spf1 include:text.example -all", "permerror default"},     // none
      {"v=spf1 include:nothing.example -all", "permerror default"},
      {"v=spf1 include:down.example -all", "temperror default"},
      {"v=spf1 include:%{l} -all", "permerror default"},             // one label: none
      {"v=spf1 include:%{l}%{l}. -all", "permerror -"},              // no domain-end
      {"v=spf1 include:..%{d} -all", "permerror default"},           // no name: none
      {"v=spf1 a include:broken.example -all", "pass a"},            // matched before
  };
  for (const auto& c : cases) {
    INFO(c.record);
    CHECK(verdict(c.record) == c.verdict);
  }
}

TEST_CASE("a redirect replaces the record when nothing matched") {
  const struct { const char* record; const char* verdict; } cases[] = {
      {"v=spf1 redirect=pass.example", "pass +all"},
      {"v=spf1 redirect=fail.example a:other.example", "fail -all"},
      {"v=spf1 redirect=fail.example a", "pass a"},
      {"v=spf1 redirect=fail.example ~all", "softfail ~all"},
      {"v=spf1 redirect=default.example", "neutral default"},
      {"v=spf1 redirect=nothing.example", "permerror default"},
      {"v=spf1 redirect=text.example", "permerror default"},
      {"v=spf1 redirect=broken.example", "permerror default"},
      {"v=spf1 redirect=down.example", "temperror default"},
      {"v=spf1 redirect=example.org", "permerror default"},       // a loop meets the limit
      {"v=spf1 include:example.org -all", "permerror default"},
  };
  for (const auto& c : cases) {
    INFO(c.record);
    CHECK(verdict(c.record) == c.verdict);
  }
}

TEST_CASE("trouble before a match is temperror, after it is not seen") {
  CHECK(verdict("v=spf1 a:down.example a -all") == "temperror default");
  CHECK(verdict("v=spf1 a a:down.example -all") == "pass a");
  CHECK(verdict("v=spf1 exists:down.example a -all") == "temperror default");
  CHECK(verdict("v=spf1 mx:down.example -all") == "fail -all");  // its MX is not in trouble
}

TEST_CASE("a domain without a record is none, and mechanism is absent") {
  const struct { const char* domain; Result result; const char* problem; } cases[] = {
      {"nothing.example", Result::none, ""},
      {"text.example", Result::none, ""},
      {"", Result::none, ""},
      {"localhost", Result::none, ""},
      {"localhost.", Result::none, ""},
      {"a..example.org", Result::none, ""},
      {".example.org", Result::none, ""},
      {"[192.0.2.1]", Result::none, ""},
      {"[IPv6:2001:db8::1.2.3.4]", Result::none, ""},
      {"twice.example", Result::permerror, "more than one SPF record at twice.example"},
      {"broken.example", Result::permerror, "parse error in SPF record at broken.example"},
      {"down.example", Result::temperror, ""},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("text.example", "v=spf10 -all");
    resolver.txt("twice.example", "v=spf1 -all");
    resolver.txt("twice.example", "V=spf1 +all");
    resolver.txt("broken.example", "v=spf1 moo");
    resolver.trouble("down.example", RrType::txt);
    CheckHost host(resolver, anyone, nobody);
    const Finding finding = host.check(c.domain, {});
    INFO(c.domain);
    CHECK(finding.result == c.result);
    CHECK(finding.problem == c.problem);
    CHECK_FALSE(finding.mechanism);
  }
  // 63 octets in a label and 253 in a name are good, one more is not.
  for (const std::size_t size : {63, 64}) {
    FakeResolver resolver;
    const std::string domain = std::string(size, 'x') + ".example";
    resolver.txt(domain, "v=spf1 -all");
    CHECK(CheckHost(resolver, anyone, nobody).check(domain, {}).result ==
          (size == 63 ? Result::fail : Result::none));
    CHECK(resolver.looked_up.size() == (size == 63 ? 1 : 0));
  }
}

TEST_CASE("an expansion too long for a name loses labels on the left") {
  FakeResolver resolver;
  Identities who = anyone;
  who.sender = std::string(100, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + "." +
               std::string(60, 'd') + "@example.org";
  const std::string end = std::string(60, 'b') + "." + std::string(60, 'c') + "." + std::string(60, 'd') + ".example.org";
  resolver.txt("example.org", "v=spf1 exists:%{l}.%{d} -all");
  resolver.a(end, "127.0.0.2");
  CHECK(told(judge(resolver, "", who).finding) == "pass exists:%{l}.%{d}");
  who.sender = std::string(300, 'a') + "@example.org";  // the label itself is too long
  CHECK(told(judge(resolver, "", who).finding) == "fail -all");
}

TEST_CASE("local rules stand before the trailing run that ends in all") {
  const struct { const char* record; const char* rules; const char* verdict; } cases[] = {
      {"v=spf1 -all", "a", "pass a local"},
      {"v=spf1 ~all", "~ip4:192.0.2.0/24", "softfail ~ip4:192.0.2.0/24 local"},
      {"v=spf1 ?all", "a", "pass a local"},
      {"v=spf1 -all", "a:other.example", "fail -all"},
      {"v=spf1 -all", "", "fail -all"},
      {"v=spf1 +all", "-a", "pass +all"},                         // no placement
      {"v=spf1 all", "-a", "pass all"},
      {"v=spf1 a:other.example", "a", "neutral default"},         // no all: no placement
      {"v=spf1", "a", "neutral default"},
      {"v=spf1 a -all", "-all", "pass a"},                        // the record's own come first
      {"v=spf1 -a -all", "+all", "pass +all local"},              // but not of the trailing run
      {"v=spf1 -a ~a -all", "+all", "fail -a"},
      {"v=spf1 -a:other.example ~a ~all", "+all", "pass +all local"},
      {"v=spf1 ?a -all", "+all", "neutral ?a"},                   // equally qualified only
      {"v=spf1 -a x=y -all", "+all", "pass +all local"},          // modifiers between don't matter
      {"v=spf1 -a -all exp=no.example", "+all", "pass +all local"},
      {"v=spf1 -all +all", "a", "pass a local"},                  // up to the first all
      {"v=spf1 redirect=fail.example", "ip4:192.0.2.1", "pass ip4:192.0.2.1 local"},  // after a redirect
      {"v=spf1 -a:other.example redirect=fail.example", "a:example.org", "pass a:example.org local"},
      {"v=spf1 redirect=fail.example", "a", "fail -all"},         // where %{d} is the target
      {"v=spf1 redirect=default.example", "a", "neutral default"},
      {"v=spf1 redirect=fail.example ~all", "a", "pass a local"},
      {"v=spf1 include:fail.example a", "-all", "pass a"},        // never inside an include
      {"v=spf1 include:fail.example -all", "include:pass.example", "pass include:pass.example local"},
      {"v=spf1 -all", "include:broken.example a", "pass a local"},  // what fails is left out
      {"v=spf1 -all", "include:nothing.example", "fail -all"},
      {"v=spf1 -all", "include:down.example a", "temperror default"},
      {"v=spf1 -all", "ip4:192.0.2.9 -a", "fail -a local"},
  };
  for (const auto& c : cases) {
    INFO(c.record << " | " << c.rules);
    CHECK(verdict(c.record, c.rules) == c.verdict);
  }
}

TEST_CASE("an explanation comes from the record that decided") {
  const struct { const char* record; const char* text; } cases[] = {
      {"v=spf1 -all exp=e1.example", "one: joe 192.0.2.1"},
      {"v=spf1 exp=e1.example -a", "one: joe 192.0.2.1"},
      {"v=spf1 exp=e1.example redirect=r.example", "two at r.example"},   // the target's
      {"v=spf1 exp=e1.example redirect=fail.example", ""},                // which has none
      {"v=spf1 include:fail2.example -all exp=e1.example", "one: joe 192.0.2.1"},
      {"v=spf1 include:fail2.example -all", ""},                          // an include's is ignored
      {"v=spf1 -all", ""},
      {"v=spf1 -all exp=nothing.example", ""},
      {"v=spf1 -all exp=several.example", ""},
      {"v=spf1 -all exp=bom.example", ""},
      {"v=spf1 -all exp=badmacro.example", ""},
      {"v=spf1 -all exp=down.example", ""},
      {"v=spf1 -all exp=empty.example", ""},
      {"v=spf1 -all exp=%{i}.e.example", "by address"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("example.org", c.record);
    resolver.a("example.org", "192.0.2.1");
    resolver.txt("e1.example", "one: %{l} %{c}");
    resolver.txt("e2.example", "two at %{d}");
    resolver.txt("r.example", "v=spf1 -all exp=e2.example");
    resolver.txt("fail.example", "v=spf1 -all");
    resolver.txt("fail2.example", "v=spf1 -all exp=e2.example");
    resolver.txt("several.example", "a");
    resolver.txt("several.example", "b");
    resolver.txt("bom.example", "\xef\xbb\xbftext");
    resolver.txt("badmacro.example", "The %{x}-files");
    resolver.txt("empty.example", "");
    resolver.txt("192.0.2.1.e.example", "by address");
    resolver.trouble("down.example", RrType::txt);
    CheckHost host(resolver, anyone, nobody);
    const Finding finding = host.check("example.org", {});
    INFO(c.record);
    REQUIRE(finding.result == Result::fail);
    std::string text;
    if (finding.exp) text = host.explanation(*finding.exp, finding.domain).value_or("");
    CHECK(text == c.text);
  }
}
