// Corners of RFC 7208 that no other table holds, through a whole check.
#include <string>

#include "spf/engine/check.hh"
#include "tests/support/local_resolver.hh"
#include "tests/catch.hh"
#include "tests/support/dns_server.hh"
#include "tests/support/fake_resolver.hh"

using namespace spf;
using namespace std::chrono_literals;

namespace {

const Address client = *Address::parse("192.0.2.1");

struct Told {
  std::string verdict;
  unsigned lookups, voids;
};

Told judged(Resolver& resolver, const std::string& sender = "joe@example.org",
            const Address& from = client, const CheckOptions& options = {}) {
  const Verdict verdict = check({from, "helo.example", sender}, options, resolver).verdict;
  return {std::string(name(verdict.result)) + " " + verdict.mechanism.value_or("-") +
              (verdict.local_policy ? " local" : ""),
          verdict.lookups, verdict.voids};
}

// A zone where example.org publishes `record`.
FakeResolver zone(const std::string& record) {
  FakeResolver resolver;
  resolver.txt("example.org", record);
  resolver.a("h.example.org", "192.0.2.1");
  resolver.a("_under.score_.example.org", "192.0.2.1");
  resolver.a("other.example", "198.51.100.1");
  for (const char* name : {"good.example", "bad.example", "late.example"}) resolver.mx("mx.example", name);
  resolver.a("good.example", "192.0.2.1");
  resolver.trouble("bad.example", RrType::a);
  for (const char* name : {"bad.example", "good.example"}) resolver.mx("badmx.example", name);
  resolver.txt("ping.example", "v=spf1 include:pong.example -all");
  resolver.txt("pong.example", "v=spf1 include:ping.example -all");
  resolver.txt("tick.example", "v=spf1 redirect=tock.example");
  resolver.txt("tock.example", "v=spf1 redirect=tick.example");
  resolver.txt("mixed.example", "v=spf1 redirect=around.example");
  resolver.txt("around.example", "v=spf1 include:mixed.example");
  resolver.txt("pass.example", "v=spf1 +all");
  resolver.txt("xn--bcher-kva.example", "v=spf1 a:h.%{o}.example.org -all");
  resolver.trouble("1.2.0.192.in-addr.arpa", RrType::ptr);
  return resolver;
}

}  // namespace

TEST_CASE("a record's corner cases come to the results that RFC 7208 gives them") {
  const struct { const char* record; const char* verdict; unsigned lookups, voids; } cases[] = {
      // Letter case, dots and underscores (sections 4.6.1, 7.1)
      {"V=SPF1 A:H.eXample.ORG -all", "pass A:H.eXample.ORG", 1, 0},
      {"v=spf1 a:h.example.org. -all", "pass a:h.example.org.", 1, 0},
      {"v=spf1 a:_under.score_.example.org -all", "pass a:_under.score_.example.org", 1, 0},
      {"v=spf1 INCLUDE:Pass.Example. -all", "pass INCLUDE:Pass.Example.", 1, 0},
      {"v=spf1 Redirect=pass.example", "pass +all", 1, 0},
      {"v=spf1  a:other.example   ?ALL  ", "neutral ?ALL", 1, 0},
      {"v=spf1 exists:%{lR}.%{D}.%{iR-}x.example -all", "fail -all", 1, 1},
      // Loops meet the limit of ten terms (section 4.6.4)
      {"v=spf1 include:ping.example -all", "permerror default", 10, 0},
      {"v=spf1 redirect=tick.example", "permerror default", 10, 0},
      {"v=spf1 include:mixed.example -all", "permerror default", 10, 0},
      {"v=spf1 include:example.org a:h.example.org", "permerror default", 10, 0},
      {"v=spf1 a:h.example.org include:example.org", "pass a:h.example.org", 1, 0},
      {"v=spf1 redirect=%{d}", "permerror default", 10, 0},
      // MX names one by one (section 5.4)
      {"v=spf1 mx:mx.example -all", "pass mx:mx.example", 1, 0},        // before the trouble
      {"v=spf1 mx:badmx.example -all", "temperror default", 1, 0},      // after it
      // PTR trouble is no match, and %{p} is unknown (sections 5.5, 7.3)
      {"v=spf1 ptr:example.org a:h.example.org -all", "pass a:h.example.org", 2, 0},
      {"v=spf1 exists:%{p}.example -all", "fail -all", 1, 1},
      // What was asked early and not needed counts nowhere
      {"v=spf1 a:h.example.org a:n1.example a:n2.example a:n3.example -all", "pass a:h.example.org", 1, 0},
      {"v=spf1 a:h.example.org a:bad.example include:nothing.example -all", "pass a:h.example.org", 1, 0},
      {"v=spf1 include:pass.example redirect=nothing.example", "pass include:pass.example", 1, 0},
      // A redirect beside all is not followed (section 6.1), nor counted
      {"v=spf1 redirect=nothing.example ?all", "neutral ?all", 0, 0},
      // /0 needs an address, and of the client's family
      {"v=spf1 -a:other.example/0 -all", "fail -a:other.example/0", 1, 0},
      {"v=spf1 a:other.example//0 ?all", "neutral ?all", 1, 0},
      {"v=spf1 -mx:mx.example/0 ?all", "fail -mx:mx.example/0", 1, 0},
      {"v=spf1 -ip4:10.0.0.0/0 ?all", "fail -ip4:10.0.0.0/0", 0, 0},
      {"v=spf1 -ip6:::/0 ?all", "neutral ?all", 0, 0},
  };
  for (const auto& c : cases) {
    FakeResolver resolver = zone(c.record);
    const Told told = judged(resolver);
    INFO(c.record);
    CHECK(told.verdict == c.verdict);
    CHECK(told.lookups == c.lookups);
    CHECK(told.voids == c.voids);
  }
}

TEST_CASE("a sender's corner cases come to the results that RFC 7208 gives them") {
  const std::string l63(63, 'x'), l61(61, 'y');
  const std::string name253 = l63 + "." + l63 + "." + l63 + "." + l61;
  const struct { std::string sender; const char* verdict; } cases[] = {
      {"joe@" + name253, "pass +all"},
      {"joe@" + name253 + ".", "pass +all"},
      {"joe@" + name253 + "z", "none -"},         // 254 octets
      {"joe@x" + l63 + ".example", "none -"},     // a label of 64
      {"joe@b\xc3\xbc" "cher.example", "fail -all"},
      {"joe@B\xc3\x9c" "CHER.Example", "fail -all"},
      {"@example.org", "pass exists:%{l}.%{d}"},  // postmaster (section 4.3)
      {"\"a b\"@example.org", "fail -all"},
      {"joe@example.org@example.net", "none -"},  // the last @
      {"joe@[192.0.2.1]", "none -"},
      {"joe@192.0.2.1", "none -"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver = zone("v=spf1 exists:%{l}.%{d} -all");
    resolver.txt(name253, "v=spf1 +all");
    resolver.a("postmaster.example.org", "127.0.0.2");
    INFO(c.sender);
    CHECK(judged(resolver, c.sender).verdict == c.verdict);
  }
}

TEST_CASE("local rules are tried after redirects, in records of every end") {
  const struct { const char* record; const char* rules; const char* verdict; } cases[] = {
      {"v=spf1 redirect=r.example", "ip4:192.0.2.0/24", "pass ip4:192.0.2.0/24 local"},
      {"v=spf1 redirect=rr.example", "ip4:192.0.2.0/24", "pass ip4:192.0.2.0/24 local"},
      {"v=spf1 redirect=open.example", "-ip4:192.0.2.0/24", "pass +all"},
      {"v=spf1 redirect=noall.example", "ip4:192.0.2.0/24", "neutral default"},
      {"v=spf1 ?all", "-ip4:192.0.2.0/24", "fail -ip4:192.0.2.0/24 local"},
      {"v=spf1 ~a:other.example ?all", "ip4:192.0.2.0/24", "pass ip4:192.0.2.0/24 local"},
      {"v=spf1 -ip4:192.0.2.1 -all", "ip4:192.0.2.0/24", "pass ip4:192.0.2.0/24 local"},
      {"v=spf1 -ip4:192.0.2.1 ?ip4:192.0.2.1 -all", "ip4:192.0.2.0/24", "fail -ip4:192.0.2.1"},
      {"v=spf1 a:other.example exp=e.example x=%{c} -all", "ip4:192.0.2.0/24", "pass ip4:192.0.2.0/24 local"},
      {"v=spf1 -ip4:192.0.2.1 exp=e.example -all x=y", "ip4:192.0.2.0/24", "pass ip4:192.0.2.0/24 local"},
      {"v=spf1 a:other.example", "ip4:192.0.2.0/24", "neutral default"},
      {"v=spf1 +all", "-ip4:192.0.2.0/24", "pass +all"},
      {"v=spf1 moo -all", "ip4:192.0.2.0/24", "permerror -"},           // an error is not patched up
      {"v=spf1 a:bad.example -all", "ip4:192.0.2.0/24", "temperror default"},
      {"v=spf1 -all", "exists:%{l}.rule.example", "pass exists:%{l}.rule.example local"},
      {"v=spf1 -all", "-exists:nothing.example ?all", "neutral ?all local"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver = zone(c.record);
    resolver.txt("r.example", "v=spf1 a:other.example -all");
    resolver.txt("rr.example", "v=spf1 ~ip4:192.0.2.1 ~all redirect=r.example");
    resolver.txt("open.example", "v=spf1 +all");
    resolver.txt("noall.example", "v=spf1 a:other.example");
    resolver.a("joe.rule.example", "127.0.0.2");
    CheckOptions options;
    options.rules = c.rules;
    INFO(c.record << " | " << c.rules);
    CHECK(judged(resolver, "joe@example.org", client, options).verdict == c.verdict);
  }
}

TEST_CASE("a TXT set of any size is judged, its records whole and in any company") {
  DnsServer server;
  server.use();
  for (const std::size_t size : {600, 1400, 5000, 30000}) {
    for (const bool alone : {true, false}) {  // one long record, or a short one among many
      server.clear();
      server.udp_limit(512);  // as dnscache truncates
      std::string text = "v=spf1";
      if (alone)
        while (text.size() < size) text += " ip4:198.51.100.7/32";
      for (std::size_t i = 0; !alone && i < size; i += 50)
        server.txt("example.org", "site-verification=" + std::string(28, 'x') + std::to_string(i));
      server.txt("example.org", text + " -ip4:192.0.2.1 ?all");
      LocalResolver resolver(std::chrono::steady_clock::now() + 20s);
      INFO(size << (alone ? " octets in one record" : " octets in many records"));
      CHECK(judged(resolver).verdict == "fail -ip4:192.0.2.1");
    }
  }
}

TEST_CASE("no text of a verdict is longer than 2,000 octets, whatever a record holds") {
  const std::string long_text(60000, 'x'), long_name = std::string(60000, 'y') + ".example";
  const auto labels = [](int count) {
    std::string name;
    for (int i = 0; i < count; ++i) name += "x.";
    return name + "here.example";
  };
  const struct { const char* what; std::string record, helo; Result result; } cases[] = {
      {"an explanation", "v=spf1 -all exp=exp.example", "h", Result::fail},
      {"a mechanism", "v=spf1 -exists:" + labels(20000), "h", Result::fail},
      {"a name that is redirected to", "v=spf1 redirect=" + long_name, "h", Result::permerror},
      {"a name that is included", "v=spf1 include:" + long_name + " -all", "h", Result::permerror},
      {"a term that is wrong", "v=spf1 " + long_text, "h", Result::permerror},
      {"a domain", "v=spf1 -all", long_name, Result::none},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("example.org", c.record);
    resolver.txt("exp.example", "%{s}" + long_text);
    resolver.a(labels(120), "127.0.0.2");  // as much as a name may have
    CheckOptions options;
    options.explanation = long_text;
    INFO(c.what);
    const Verdict verdict = check({client, c.helo, c.helo == "h" ? "joe@example.org" : ""}, options, resolver).verdict;
    CHECK(verdict.result == c.result);
    CHECK(verdict.explanation.size() <= 2000);
    CHECK(verdict.problem.size() <= 2000);
    CHECK(verdict.domain.size() <= 2000);
    CHECK(verdict.mechanism.value_or("").size() <= 2000);
    if (c.record.ends_with("exp=exp.example"))
      CHECK(verdict.explanation == "joe@example.org" + std::string(2000 - 15, 'x'));
  }
}

TEST_CASE("nobody waits for an answer that was asked early and is not needed") {
  DnsServer server;
  server.use();
  server.txt("example.org", "v=spf1 include:i.example a:silent.example mx:silent.example "
                            "include:silent.example redirect=silent.example");
  server.txt("i.example", "v=spf1 a:h.example a:silent.example ?all");
  server.a("h.example", "192.0.2.1");
  server.fault("silent.example", DnsServer::Fault::silence);
  const auto start = std::chrono::steady_clock::now();
  LocalResolver resolver(start + 20s);
  const Told told = judged(resolver);
  CHECK(told.verdict == "pass include:i.example");
  CHECK(told.lookups == 2);
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}
