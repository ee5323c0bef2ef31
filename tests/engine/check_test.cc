#include "spf/engine/check.hh"

#include <new>
#include <string>
#include <vector>

#include "spf/engine/trace.hh"
#include "tests/catch.hh"
#include "tests/support/fake_resolver.hh"

using namespace spf;

namespace {

Trace nobody;  // wants to know nothing

const Address client = *Address::parse("192.0.2.1");

Verdict checked(FakeResolver& resolver, const CheckOptions& options = {},
                const std::string& sender = "joe@example.org", const Address& from = client) {
  return check({from, "helo.example", sender}, options, resolver).verdict;
}

std::string told(const Verdict& verdict) {
  return std::string(name(verdict.result)) + " " + verdict.mechanism.value_or("-") +
         (verdict.local_policy ? " local" : "");
}

}  // namespace

TEST_CASE("the identity is MAIL's domain, or HELO where it has none") {
  const struct { const char* helo; const char* sender; Identity identity; const char* domain; const char* s; } cases[] = {
      {"h.example", "joe@example.org", Identity::mailfrom, "example.org", "joe@example.org"},
      {"h.example", "joe@Example.ORG.", Identity::mailfrom, "Example.ORG", "joe@Example.ORG"},
      {"h.example", "\"a@b\"@example.org", Identity::mailfrom, "example.org", "\"a@b\"@example.org"},
      {"h.example", "@example.org", Identity::mailfrom, "example.org", "postmaster@example.org"},
      {"h.example", "", Identity::helo, "h.example", "postmaster@h.example"},
      {"h.example.", "joe", Identity::helo, "h.example", "postmaster@h.example"},
      {"h.example", "joe@", Identity::helo, "h.example", "postmaster@h.example"},
      {"[192.0.2.1]", "", Identity::helo, "[192.0.2.1]", "postmaster@[192.0.2.1]"},
      {"", "", Identity::helo, "", "postmaster@"},
      {"h.example", "joe@[192.0.2.1]", Identity::mailfrom, "[192.0.2.1]", "joe@[192.0.2.1]"},
      // A-labels for U-labels, in any case and form; other octets stay.
      {"h.example", "joe@b\xc3\xbc" "cher.example", Identity::mailfrom, "xn--bcher-kva.example", "joe@xn--bcher-kva.example"},
      {"h.example", "joe@B\xc3\x9c" "CHER.example", Identity::mailfrom, "xn--bcher-kva.example", "joe@xn--bcher-kva.example"},
      {"h.example", "joe@bu\xcc\x88" "cher.example", Identity::mailfrom, "xn--bcher-kva.example", "joe@xn--bcher-kva.example"},
      {"h.example", "joe@a.\xe4\xbe\x8b\xe3\x81\x88.example", Identity::mailfrom, "a.xn--r8jz45g.example", "joe@a.xn--r8jz45g.example"},
      {"h.example", "joe@b\xfc" "cher._x.example", Identity::mailfrom, "b\xfc" "cher._x.example", "joe@b\xfc" "cher._x.example"},
      {"b\xc3\xbc" "cher.example", "", Identity::helo, "xn--bcher-kva.example", "postmaster@xn--bcher-kva.example"},
  };
  for (const auto& c : cases) {
    const Subject got = subject({client, c.helo, c.sender});
    INFO(c.helo << " " << c.sender);
    CHECK(got.identity == c.identity);
    CHECK(got.domain == c.domain);
    CHECK(got.sender == c.s);
  }
}

TEST_CASE("loopback and this machine's own addresses pass without DNS") {
  for (const char* address : {"127.0.0.1", "127.9.9.9", "::1", "192.0.2.1"}) {
    FakeResolver resolver;
    resolver.txt("example.org", "v=spf1 -all");
    CheckOptions options;
    options.own_address = std::string(address) == "192.0.2.1";
    const Verdict verdict = checked(resolver, options, "joe@example.org", *Address::parse(address));
    CHECK(told(verdict) == "pass - local");
    CHECK(verdict.domain == "example.org");
    CHECK(resolver.looked_up.empty());
    CHECK(resolver.prefetched.empty());
  }
}

TEST_CASE("a verdict says what was found, and why") {
  FakeResolver resolver;
  resolver.txt("example.org", "v=spf1 a include:i.example -all");
  resolver.txt("i.example", "v=spf1 ip4:198.51.100.0/24 ~all");
  resolver.txt("broken.example", "v=spf1 moo");
  resolver.txt("broken2.example", "v=spf1 include:broken.example");
  resolver.txt("half.example", "v=spf1 a:down.example");
  resolver.trouble("down.example", RrType::txt);
  resolver.trouble("down.example", RrType::a);
  const struct { const char* sender; const char* from; const char* verdict; const char* problem; unsigned lookups, voids; } cases[] = {
      {"j@example.org", "192.0.2.1", "fail -all", "", 2, 1},
      {"j@example.org", "198.51.100.9", "pass include:i.example", "", 2, 1},
      {"j@nothing.example", "192.0.2.1", "none -", "", 0, 0},
      {"j@broken.example", "192.0.2.1", "permerror -", "parse error in SPF record at broken.example", 0, 0},
      {"j@broken2.example", "192.0.2.1", "permerror default", "parse error in SPF record at broken.example", 1, 0},
      {"j@down.example", "192.0.2.1", "temperror -", "error in processing during lookup of down.example: DNS problem", 0, 0},
      {"j@half.example", "192.0.2.1", "temperror default", "error in processing during lookup of half.example: DNS problem", 1, 0},
  };
  for (const auto& c : cases) {
    const Verdict verdict = checked(resolver, {}, c.sender, *Address::parse(c.from));
    INFO(c.sender);
    CHECK(told(verdict) == c.verdict);
    CHECK(verdict.problem == c.problem);
    CHECK(verdict.lookups == c.lookups);
    CHECK(verdict.voids == c.voids);
  }
}

TEST_CASE("the null sender is checked by its HELO name") {
  FakeResolver resolver;
  resolver.txt("helo.example", "v=spf1 exists:%{l}.%{o} -all");
  resolver.a("postmaster.helo.example", "127.0.0.2");
  const Verdict verdict = checked(resolver, {}, "");
  CHECK(told(verdict) == "pass exists:%{l}.%{o}");
  CHECK(verdict.identity == Identity::helo);
  CHECK(verdict.domain == "helo.example");
}

TEST_CASE("the HELO name is judged beside MAIL's domain where that is asked for") {
  FakeResolver resolver;
  resolver.txt("example.org", "v=spf1 a -all");
  resolver.a("example.org", "192.0.2.1");
  resolver.txt("helo.example", "v=spf1 exists:%{l}.%{o} -all");
  resolver.a("postmaster.helo.example", "127.0.0.2");
  resolver.txt("fail.example", "v=spf1 -all exp=exp.fail.example");
  resolver.txt("exp.fail.example", "no %{s}");
  resolver.txt("broken.example", "v=spf1 moo");
  resolver.trouble("down.example", RrType::txt);
  const struct { const char* sender; const char* helo; const char* verdict; const char* second; } cases[] = {
      {"joe@example.org", "helo.example", "pass a", "pass exists:%{l}.%{o}"},
      {"joe@example.org", "fail.example", "pass a", "fail -all"},
      {"joe@fail.example", "helo.example", "fail -all", "pass exists:%{l}.%{o}"},
      {"joe@example.org", "example.org", "pass a", "pass a"},
      {"joe@example.org", "nothing.example", "pass a", "none -"},
      {"joe@example.org", "[192.0.2.1]", "pass a", "none -"},
      {"joe@example.org", "", "pass a", "none -"},
      {"joe@example.org", "broken.example", "pass a", "permerror -"},
      {"joe@example.org", "down.example", "pass a", "temperror -"},
      {"joe@down.example", "helo.example", "temperror -", "pass exists:%{l}.%{o}"},
      {"", "helo.example", "pass exists:%{l}.%{o}", nullptr},
      {"joe", "fail.example", "fail -all", nullptr},
  };
  for (const auto& c : cases) {
    INFO(c.sender << " " << c.helo);
    CheckOptions options;
    const Query query = {client, c.helo, c.sender};
    CHECK_FALSE(check(query, options, resolver).helo);
    options.helo = true;
    const Judgement judgement = check(query, options, resolver);
    CHECK(told(judgement.verdict) == c.verdict);
    REQUIRE(judgement.helo.has_value() == (c.second != nullptr));
    if (!judgement.helo) continue;
    // It is what the null sender would get.
    const Verdict alone = check({client, c.helo, ""}, options, resolver).verdict;
    CHECK(told(*judgement.helo) == c.second);
    CHECK(told(alone) == c.second);
    CHECK(judgement.helo->identity == Identity::helo);
    CHECK(judgement.helo->domain == alone.domain);
    CHECK(judgement.helo->problem == alone.problem);
    CHECK(judgement.helo->explanation == alone.explanation);
    CHECK(judgement.helo->lookups == alone.lookups);
  }
}

TEST_CASE("loopback passes by both names, and no verdict is none on either") {
  FakeResolver resolver;
  CheckOptions options;
  options.helo = true;
  const Query query = {*Address::parse("127.0.0.1"), "helo.example", "joe@example.org"};
  const Judgement judgement = check(query, options, resolver);
  CHECK(told(judgement.verdict) == "pass - local");
  REQUIRE(judgement.helo);
  CHECK(told(*judgement.helo) == "pass - local");
  CHECK(judgement.helo->domain == "helo.example");
  CHECK(resolver.questions() == 0);
  const Judgement none = no_verdict(query, true);
  CHECK(told(none.verdict) == "temperror -");
  REQUIRE(none.helo);
  CHECK(told(*none.helo) == "temperror -");
  CHECK_FALSE(no_verdict(query, false).helo);
  CHECK_FALSE(no_verdict({client, "helo.example", ""}, true).helo);
}

TEST_CASE("each identity has limits of its own") {
  FakeResolver resolver;
  std::string ten = "v=spf1";
  for (int i = 0; i < 10; ++i) ten += " a:other.example";
  resolver.a("other.example", "198.51.100.1");
  for (const char* domain : {"example.org", "helo.example"}) resolver.txt(domain, ten + " -all");
  CheckOptions options;
  options.helo = true;
  const Judgement judgement = check({client, "helo.example", "joe@example.org"}, options, resolver);
  REQUIRE(judgement.helo);
  for (const Verdict& verdict : {judgement.verdict, *judgement.helo}) {
    CHECK(told(verdict) == "fail -all");
    CHECK(verdict.lookups == 10);
  }
}

TEST_CASE("where a domain has no record, spfguess and then spfrules are tried") {
  const struct { const char* guess; const char* rules; const char* verdict; } cases[] = {
      {"a", "", "pass a local"},
      {"a/24 mx/24", "-all", "pass a/24 local"},
      {"mx", "a", "pass a local"},
      {"", "a", "pass a local"},
      {"-a", "a", "fail -a local"},
      {"mx", "ip4:198.51.100.1", "none -"},
      {"", "", "none -"},
      {"v=spf1 a", "", "pass a local"},
      {"include:down.example", "a", "temperror -"},
      {"include:nothing.example", "a", "pass a local"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.a("example.org", "192.0.2.1");
    resolver.trouble("down.example", RrType::txt);
    CheckOptions options;
    options.guess = c.guess;
    options.rules = c.rules;
    INFO(c.guess << " | " << c.rules);
    CHECK(told(checked(resolver, options)) == c.verdict);
  }
  FakeResolver resolver;  // a record is there: no guess
  resolver.txt("example.org", "v=spf1");
  resolver.a("example.org", "192.0.2.1");
  CheckOptions options;
  options.guess = options.rules = "a";
  CHECK(told(checked(resolver, options)) == "neutral default");
}

TEST_CASE("wrong local rules are left out, with a warning") {
  struct Warnings : Trace {
    std::vector<std::string> texts;
    void warning(std::string_view text) override { texts.emplace_back(text); }
  } trace;
  FakeResolver resolver;
  CheckOptions options;
  options.rules = "moo a";
  options.guess = "a/99 redirect=x.example";
  resolver.a("example.org", "192.0.2.1");
  CHECK(told(check({client, "h.example", "j@example.org"}, options, resolver, trace, nobody).verdict) == "pass a local");
  CHECK(trace.texts == std::vector<std::string>{"moo: unknown mechanism", "a/99: bad IPv4 prefix length",
                                                "redirect=x.example: a modifier has no place here"});
  CHECK(rule_problems("moo a") == std::vector<std::string>{"moo: unknown mechanism"});
  CHECK(rule_problems("a mx").empty());
  CHECK(explanation_problem("See %{xr}, %{xR} and %{s}") == "");
  CHECK(explanation_problem("See %{x}") == "bad macro");
}

TEST_CASE("an explanation is exp=, then spfexp, then our own") {
  const struct { const char* record; const char* spfexp; const char* text; } cases[] = {
      {"v=spf1 -all exp=e.example", "mine", "theirs joe"},
      {"v=spf1 -all exp=bad.example", "mine: %{s} %{i} at %{d}", "mine: joe@example.org 192.0.2.1 at example.org"},
      {"v=spf1 -all", "%{xr} %{xR} %{r} %%{xr} %{h}", "mx.local mx.local mx.local %{xr} helo.example"},
      {"v=spf1 -all", "bad %{x}", "SPF fail: example.org does not designate 192.0.2.1 as permitted sender"},
      {"v=spf1 -all", "", "SPF fail: example.org does not designate 192.0.2.1 as permitted sender"},
      {"v=spf1 ~all exp=e.example", "mine", "mine"},       // exp= is for fail
      {"v=spf1 ~all", "", "SPF softfail: example.org does not designate 192.0.2.1 as permitted sender"},
      {"v=spf1 ?all", "", "SPF neutral: example.org neither permits nor denies 192.0.2.1 as sender"},
      {"no record", "", "SPF none: example.org does not designate any senders, so not 192.0.2.1"},
      {"v=spf1 moo", "", "SPF permerror: parse error in SPF record at example.org, checking 192.0.2.1 for example.org"},
      {"v=spf1 +all exp=e.example", "mine", ""},
      {"v=spf1 a:down.example", "mine", ""},               // there is none for what is deferred
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("example.org", c.record);
    resolver.txt("e.example", "theirs %{l}");
    resolver.txt("bad.example", "%{nonsense}");
    resolver.trouble("down.example", RrType::a);
    CheckOptions options;
    options.receiver = "mx.local";
    options.explanation = c.spfexp;
    INFO(c.record << " | " << c.spfexp);
    const Verdict verdict = checked(resolver, options);
    CHECK(verdict.explanation == c.text);
    CHECK(verdict.domains_own_words == std::string_view(c.text).starts_with("theirs"));
  }
}

TEST_CASE("a local rule that fails is not explained in the domain's words") {
  FakeResolver resolver;
  resolver.txt("example.org", "v=spf1 -all exp=e.example");
  resolver.txt("e.example", "theirs");
  CheckOptions options;
  options.rules = "-ip4:192.0.2.0/24";
  options.explanation = "mine";
  const Verdict verdict = checked(resolver, options);
  CHECK(told(verdict) == "fail -ip4:192.0.2.0/24 local");
  CHECK(verdict.explanation == "mine");
  CHECK_FALSE(verdict.domains_own_words);
}

TEST_CASE("trouble of our own is temperror") {
  struct Exhausted : FakeResolver {
    const Answer& lookup(std::string_view, RrType) override { throw std::bad_alloc(); }
  } resolver;
  const Verdict verdict = checked(resolver);
  CHECK(told(verdict) == "temperror -");
  CHECK(verdict.problem == "error in processing during lookup of example.org: DNS problem");
}

TEST_CASE("trouble of our own with the HELO name is that name's alone") {
  struct Exhausted : FakeResolver {
    const Answer& lookup(std::string_view name, RrType type) override {
      if (name == "helo.example") throw std::bad_alloc();
      return FakeResolver::lookup(name, type);
    }
  } resolver;
  resolver.txt("example.org", "v=spf1 -all");
  CheckOptions options;
  options.helo = true;
  const Judgement judgement = check({client, "helo.example", "joe@example.org"}, options, resolver);
  CHECK(told(judgement.verdict) == "fail -all");
  REQUIRE(judgement.helo);
  CHECK(told(*judgement.helo) == "temperror -");
  CHECK(judgement.helo->problem == "error in processing during lookup of helo.example: DNS problem");
}

TEST_CASE("a trace sees records, terms and questions in order") {
  struct Log : Trace {
    std::string text;
    void record(unsigned depth, std::string_view domain, std::string_view) override {
      text += std::string(depth, ' ') + "record " + std::string(domain) + "\n";
    }
    void syntax_problem(unsigned, std::string_view term, std::string_view what) override {
      text += "problem " + std::string(term) + " " + std::string(what) + "\n";
    }
    static std::string written(const Term& term) {
      return (term.kind == Term::Kind::redirect ? "redirect=" : "") + std::string(term.text);
    }
    void term(unsigned depth, const Term& term) override {
      const bool local = term.kind == Term::Kind::local_rule;
      text += std::string(depth, ' ') + (local ? "local " : "term ") + written(term) + "\n";
    }
    void term_done(unsigned depth, const Term& term, Outcome outcome, const Limits& used) override {
      const char* const words[] = {"match", "no match", "permerror", "temperror"};
      text += std::string(depth, ' ') + "done " + written(term) + " " + words[int(outcome)] + " " +
              std::to_string(used.lookups) + "/" + std::to_string(used.voids) + "\n";
    }
    void question(std::string_view name, RrType type, const Answer& answer) override {
      text += "asked " + std::string(name) + " " + std::to_string(int(type)) + " " +
              std::to_string(answer.addresses.size() + answer.texts.size()) + "\n";
    }
  } log;
  FakeResolver resolver;
  resolver.txt("example.org", "v=spf1 a include:i.example redirect=r.example");
  resolver.txt("i.example", "v=spf1 ip4:198.51.100.1");
  resolver.txt("r.example", "v=spf1 -all");
  CheckOptions options;
  options.rules = "ip4:198.51.100.2";
  check({client, "h.example", "j@example.org"}, options, resolver, log, nobody);
  CHECK(log.text ==
        "asked example.org 16 1\n"
        "record example.org\n"
        "term a\n"
        "asked example.org 1 0\n"
        "done a no match 1/1\n"
        "term include:i.example\n"
        "asked i.example 16 1\n"
        " record i.example\n"
        " term ip4:198.51.100.1\n"
        " done ip4:198.51.100.1 no match 2/1\n"
        "done include:i.example no match 2/1\n"
        "term redirect=r.example\n"
        "done redirect=r.example match 3/1\n"
        "asked r.example 16 1\n"
        "record r.example\n"
        "local ip4:198.51.100.2\n"
        "done ip4:198.51.100.2 no match 0/0\n"
        "term -all\n"
        "done -all match 3/1\n");
}
