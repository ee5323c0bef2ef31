// How much DNS one check causes, and when that is too much.
#include <algorithm>
#include <string>

#include "spf/engine/check_host.hh"
#include "tests/catch.hh"
#include "tests/support/check_host.hh"

using namespace spf;

TEST_CASE("ten terms may ask DNS, counted over the whole check") {
  const auto terms = [](int count, const std::string& term) {
    std::string text;
    for (int i = 0; i < count; ++i) text += " " + term;
    return text;
  };
  const struct { int top, first, second; const char* verdict; unsigned lookups; } cases[] = {
      {8, 0, 0, "fail -all", 10},       // the two includes count
      {9, 0, 0, "permerror default", 10},
      {2, 3, 3, "fail -all", 10},       // no record alone has many
      {2, 3, 4, "permerror default", 10},
      {0, 4, 4, "fail -all", 10},
      {0, 5, 4, "permerror default", 10},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.a("other.example", "198.51.100.1");
    resolver.mx("other.example", "other.example");
    resolver.txt("example.org", "v=spf1 include:one.example" + terms(c.top, "a:other.example") +
                                    " include:two.example -all");
    resolver.txt("one.example", "v=spf1" + terms(c.first, "a:%{d2}.other.example ip4:198.51.100.9") + " ?all");
    resolver.a("one.example.other.example", "198.51.100.2");
    resolver.txt("two.example", "v=spf1" + terms(c.second, "mx:other.example") + " ~all");
    INFO(c.top << " " << c.first << " " << c.second);
    const Judged judged = judge(resolver);
    CHECK(told(judged.finding) == c.verdict);
    CHECK(judged.limits.lookups == c.lookups);
  }
}

TEST_CASE("what matches before a limit counts, and networks are free") {
  FakeResolver resolver;
  resolver.a("other.example", "198.51.100.1");
  resolver.a("example.org", "192.0.2.1");
  std::string text = "v=spf1";
  for (int i = 0; i < 9; ++i) text += " a:other.example ip4:198.51.100.9 ip6:::1";
  resolver.txt("example.org", text + " a mx mx mx -all");
  const Judged judged = judge(resolver);
  CHECK(told(judged.finding) == "pass a");
  CHECK(judged.limits.lookups == 10);
}

TEST_CASE("a redirect counts as a term, an exp does not") {
  FakeResolver resolver;
  resolver.a("other.example", "198.51.100.1");
  std::string nine = "v=spf1";
  for (int i = 0; i < 9; ++i) nine += " a:other.example";
  resolver.txt("example.org", nine + " redirect=end.example");
  resolver.txt("end.example", "v=spf1 -all exp=exp.example");
  CHECK(told(judge(resolver).finding) == "fail -all");
  FakeResolver more;
  more.a("other.example", "198.51.100.1");
  more.txt("example.org", nine + " a:other.example redirect=end.example");
  more.txt("end.example", "v=spf1 -all");
  const Judged judged = judge(more);
  CHECK(told(judged.finding) == "permerror default");
  CHECK(judged.finding.problem == "too many DNS lookups in SPF record at example.org");
}

TEST_CASE("two terms may be void, over includes too, and the third is an error") {
  const struct { const char* record; const char* included; const char* verdict; unsigned voids; } cases[] = {
      {"a:n1.example a:n2.example", "", "fail -all", 2},
      {"a:n1.example a:n2.example a:n3.example", "", "permerror default", 2},
      {"a:n1.example include:i.example", "a:n2.example ?all", "fail -all", 2},
      {"a:n1.example include:i.example", "exists:n2.example mx:n3.example ?all", "permerror default", 2},
      {"include:i.example a:n3.example", "a:n1.example a:n2.example ?all", "permerror default", 2},
      {"a:n1.example a:n2.example a a:n3.example", "", "pass a", 2},   // matched before
      {"a:n1.example a:n1.example a:n1.example", "", "permerror default", 2},  // asked again
      {"a:text.example a:text.example a:text.example", "", "permerror default", 2},  // no data
      {"mx:names.example", "", "fail -all", 1},       // three of its names are void: one term
      {"ptr a:n1.example", "", "fail -all", 2},
      {"exists:%{p}.n1.example a:n2.example", "", "fail -all", 2},
      {"exists:a..b.example exists:a..b.example exists:a..b.example", "", "fail -all", 0},  // not asked
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("example.org", std::string("v=spf1 ") + c.record + " -all exp=n9.example");
    resolver.txt("i.example", std::string("v=spf1 ") + c.included);
    resolver.txt("text.example", "there is no address here");
    resolver.a("example.org", "192.0.2.1");
    for (const char* name : {"m1.example", "m2.example", "m3.example"}) resolver.mx("names.example", name);
    INFO(c.record << " | " << c.included);
    const Judged judged = judge(resolver);
    CHECK(told(judged.finding) == c.verdict);
    CHECK(judged.limits.voids == c.voids);
  }
}

TEST_CASE("an IPv6 client's misses in an IPv4 world count once a term") {
  FakeResolver resolver;
  resolver.txt("example.org", "v=spf1 mx a -all");
  for (const char* name : {"m1.example", "m2.example", "m3.example"}) {
    resolver.mx("example.org", name);
    resolver.a(name, "192.0.2.7");
  }
  resolver.a("example.org", "192.0.2.7");
  Identities who = anyone;
  who.client = *Address::parse("2001:db8::1");
  const Judged judged = judge(resolver, "", who);
  CHECK(told(judged.finding) == "fail -all");
  CHECK(judged.limits.voids == 2);
}

TEST_CASE("local rules have limits of their own") {
  FakeResolver resolver;
  std::string record = "v=spf1", rules;
  for (int i = 0; i < 10; ++i) record += " a:other.example";
  for (int i = 0; i < 9; ++i) rules += "a:other.example ";
  resolver.txt("example.org", record + " -all");
  resolver.a("other.example", "198.51.100.1");
  resolver.a("example.org", "192.0.2.1");
  CHECK(told(judge(resolver, rules + "a").finding) == "pass a local");
  CHECK(told(judge(resolver, rules + "a:other.example a").finding) == "fail -all");  // the eleventh
  const Judged judged = judge(resolver, "a:n1.example a:n2.example a:n3.example a:n4.example");
  CHECK(told(judged.finding) == "fail -all");
  CHECK(judged.limits.voids == 0);
}

TEST_CASE("what macro-free terms need is asked as soon as a record is there") {
  FakeResolver resolver;
  resolver.txt("example.org",
               "v=spf1 a mx a:%{l}.example ip4:198.51.100.1 exists:x.example include:i.example "
               "include:j.example -all a:late.example redirect=late.example");
  resolver.mx("example.org", "m1.example");
  resolver.mx("example.org", "m2.example");
  resolver.txt("i.example", "v=spf1 a:deep.example include:k.example -all");
  resolver.txt("j.example", "v=spf1 ip4:192.0.2.0/24 a:late.example");  // this matches: no more
  resolver.txt("k.example", "v=spf1 moo a:late.example");               // never evaluated
  judge(resolver);
  const auto asked = [&](const char* name, RrType type) {
    return std::count(resolver.prefetched.begin(), resolver.prefetched.end(), FakeResolver::Key{name, type}) > 0;
  };
  CHECK(asked("example.org", RrType::a));
  CHECK(asked("example.org", RrType::mx));
  CHECK(asked("m1.example", RrType::a));
  CHECK(asked("m2.example", RrType::a));
  CHECK(asked("x.example", RrType::a));
  CHECK(asked("i.example", RrType::txt));
  CHECK(asked("deep.example", RrType::a));
  CHECK(asked("k.example", RrType::txt));
  CHECK(asked("j.example", RrType::txt));
  CHECK_FALSE(asked("late.example", RrType::a));
  CHECK_FALSE(asked("late.example", RrType::txt));
}

TEST_CASE("no more is asked early than ten terms can use") {
  FakeResolver resolver;
  std::string record = "v=spf1";
  for (int i = 0; i < 50; ++i) record += " a:n" + std::to_string(i) + ".example";
  for (int i = 0; i < 50; ++i) record += " include:i" + std::to_string(i) + ".example";
  resolver.txt("example.org", record);
  judge(resolver);
  CHECK(resolver.prefetched.size() == 10);
}

namespace {

// Ten names with an address, which is not the client's.
void ten_names(FakeResolver& resolver, const std::string& domain) {
  for (int i = 1; i <= 10; ++i) {
    const std::string name = domain.substr(0, domain.find('.')) + "-" + std::to_string(i) + ".example";
    resolver.mx(domain, name);
    resolver.a(name, "198.51.100.1");
  }
}

// mx terms, each with ten names.
std::string mx_terms(FakeResolver& resolver, const std::string& prefix, int count) {
  std::string terms;
  for (int i = 1; i <= count; ++i) {
    const std::string domain = prefix + std::to_string(i) + ".example";
    ten_names(resolver, domain);
    terms += " mx:" + domain;
  }
  return terms;
}

}  // namespace

TEST_CASE("ten terms of ten names may be asked, here or a level deeper") {
  FakeResolver resolver;
  resolver.txt("example.org", "v=spf1" + mx_terms(resolver, "m", 10) + " -all");
  CHECK(told(judge(resolver).finding) == "fail -all");
  CHECK(resolver.questions() == 1 + 10 + 100);
  FakeResolver deeper;
  deeper.txt("example.org", "v=spf1 redirect=b.example");
  deeper.txt("b.example", "v=spf1" + mx_terms(deeper, "m", 9) + " -all");
  CHECK(told(judge(deeper).finding) == "fail -all");
  CHECK(deeper.questions() == 1 + 1 + 9 + 90);
}

TEST_CASE("of an MX set of eleven no address is asked for, early or when its term is due") {
  for (const std::string domain : {"m.example", "%{d1}.example"}) {
    FakeResolver resolver;
    for (const char* name : {"m.example", "org.example"}) {
      ten_names(resolver, name);
      resolver.mx(name, "eleven.example");
    }
    resolver.txt("example.org", "v=spf1 mx:" + domain + " -all");
    INFO(domain);
    CHECK(told(judge(resolver).finding) == "permerror default");
    CHECK(resolver.questions() == 2);  // TXT and MX
  }
}

TEST_CASE("what is asked early leaves ten terms all the questions that they need") {
  const struct { const char* what; int before, after; const char* verdict; unsigned questions; } cases[] = {
      {"all are asked early", 0, 10, "fail -all", 111},
      {"only the first ten can count", 10, 10, "permerror default", 111},
      {"half and half", 5, 5, "fail -all", 111},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    std::string record = "v=spf1";
    for (int i = 1; i <= c.before; ++i) {
      ten_names(resolver, "x" + std::to_string(i) + ".org.example");
      record += " mx:x" + std::to_string(i) + ".%{d1}.example";
    }
    resolver.txt("example.org", record + mx_terms(resolver, "p", c.after) + " -all");
    INFO(c.what);
    CHECK(told(judge(resolver).finding) == c.verdict);
    CHECK(resolver.questions() == c.questions);
  }
  // An include that can't be asked early has nine such terms; the nine after it
  // were asked early, in vain.
  FakeResolver resolver;
  resolver.txt("example.org", "v=spf1 include:i.%{d1}.example" + mx_terms(resolver, "p", 9) + " -all");
  std::string included = mx_terms(resolver, "i", 9);
  included.replace(included.rfind(" mx:"), std::string::npos, " mx:last.example");
  ten_names(resolver, "last.example");
  resolver.a("last-10.example", "192.0.2.1");
  resolver.txt("i.org.example", "v=spf1" + included + " -all");
  CHECK(told(judge(resolver).finding) == "pass include:i.%{d1}.example");
  CHECK(resolver.questions() <= Limits::most_questions);
}

TEST_CASE("over 130 questions, links of aliases included, the result is temperror") {
  // Each name of `domain` is an alias of an alias of an address.
  const auto alias_chains = [](FakeResolver& resolver, const std::string& domain) {
    for (int i = 1; i <= 10; ++i) {
      const std::string link = domain + std::to_string(i);
      resolver.mx(domain + ".example", link + ".example");
      resolver.cname(link + ".example", link + ".link.example");
      resolver.cname(link + ".link.example", link + ".end.example");
      resolver.a(link + ".end.example", "198.51.100.1");
    }
  };
  const struct { const char* record; const char* verdict; } cases[] = {
      {"mx:c1.example mx:c2.example -all", "fail -all"},
      {"mx:c1.example mx:c2.example mx:c3.example mx:c4.example -all", "fail -all"},           // 125
      {"mx:c1.example mx:c2.example mx:c3.example mx:c4.example mx:c5.example -all", "temperror default"},
      // A ptr, and a name in a macro, that DNS gives no answer for are no match
      // (section 5.5); those that are not asked for are not so.
      {"mx:c1.example mx:c2.example mx:c3.example mx:c4.example ptr -all", "temperror default"},
      {"mx:c1.example mx:c2.example mx:c3.example mx:c4.example exists:%{p}.example -all", "temperror default"},
      {"mx:c1.example mx:c2.example mx:c3.example mx:c4.example a -all", "fail -all"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    for (const char* domain : {"c1", "c2", "c3", "c4", "c5"}) alias_chains(resolver, domain);
    for (int i = 1; i <= 10; ++i) {
      const std::string name = "p" + std::to_string(i) + ".example.org";
      resolver.ptr("1.2.0.192.in-addr.arpa", name);
      resolver.a(name, "198.51.100.1");
    }
    resolver.a("example.org", "198.51.100.1");
    resolver.txt("example.org", std::string("v=spf1 ") + c.record);
    INFO(c.record);
    CHECK(told(judge(resolver).finding) == c.verdict);
    CHECK(resolver.questions() <= 130);
  }
}

TEST_CASE("a text that is asked for when nothing may be asked changes no result") {
  for (const std::string text : {"not asked for", "%{p}"}) {
    FakeResolver resolver;
    resolver.txt("example.org", "v=spf1 -all exp=exp.example");
    resolver.txt("exp.example", text);
    spf::CheckHost host(resolver, anyone, nobody);
    const Finding finding = host.check("example.org", {});
    CHECK(told(finding) == "fail -all");
    if (text == "%{p}") resolver.lookup("exp.example", RrType::txt);
    for (int i = 0; i < 130; ++i) resolver.lookup("n" + std::to_string(i) + ".example", RrType::a);
    if (text == "%{p}")
      CHECK(host.explanation(*finding.exp, finding.domain) == "unknown");
    else
      CHECK_FALSE(host.explanation(*finding.exp, finding.domain));
    CHECK(host.expand("%{p}", "example.org") == "unknown");
  }
}
