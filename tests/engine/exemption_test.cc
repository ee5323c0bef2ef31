// What lets a message through that its level refuses: forwarders, and DMARC.
#include "spf/engine/exemption.hh"

#include <chrono>
#include <ctime>
#include <new>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/catch.hh"
#include "tests/support/dns_server.hh"
#include "tests/support/fake_resolver.hh"
#include "tests/support/local_resolver.hh"

using namespace spf;

namespace {

Query query(const std::string& client = "192.0.2.1", const std::string& sender = "joe@example.org") {
  return {Address::parse(client).value(), "helo.example", sender};
}

ExemptionOptions forwarders(const std::string& text) { return {text, false}; }

const ExemptionOptions dmarc{"", true};

// The reason, or `trouble PROBLEM`, or "-".
std::string told(const Exemption& exemption) {
  if (exemption.trouble) return "trouble " + exemption.problem + exemption.reason;
  return exemption.reason.empty() ? "-" : exemption.reason + exemption.problem;
}

std::string asked(FakeResolver& resolver, const ExemptionOptions& options, const Query& who = query()) {
  Trace nobody;
  return told(exemption(who, options, resolver, nobody));
}

}  // namespace

TEST_CASE("a client in a forwarder's network is let through, without DNS") {
  const struct { const char* client; const char* file; const char* told; } cases[] = {
      {"192.0.2.1", "192.0.2.1", "forwarder:192.0.2.1"},
      {"192.0.2.2", "192.0.2.1", "-"},
      {"192.0.2.255", "192.0.2.0/24", "forwarder:192.0.2.0/24"},
      {"192.0.3.0", "192.0.2.0/24", "-"},
      {"192.0.2.127", "192.0.2.0/25", "forwarder:192.0.2.0/25"},
      {"192.0.2.128", "192.0.2.0/25", "-"},
      {"192.0.2.3", "192.0.2.2/31", "forwarder:192.0.2.2/31"},
      {"192.0.2.4", "192.0.2.2/31", "-"},
      {"192.0.2.9", "0.0.0.0/0", "forwarder:0.0.0.0/0"},
      {"2001:db8::9", "0.0.0.0/0", "-"},
      {"2001:db8::9", "::/0", "forwarder:::/0"},
      {"192.0.2.9", "::/0", "-"},
      {"2001:db8:ffff::1", "2001:db8::/32", "forwarder:2001:db8::/32"},
      {"2001:db9::1", "2001:db8::/32", "-"},
      {"2001:db8::1", "2001:db8::1", "forwarder:2001:db8::1"},
      {"2001:db8::2", "2001:db8::1/127", "-"},
      {"::ffff:192.0.2.7", "192.0.2.0/24", "forwarder:192.0.2.0/24"},
      {"192.0.2.7", "::ffff:192.0.2.0/120", "forwarder:::ffff:192.0.2.0/120"},
      {"192.0.3.7", "::ffff:192.0.2.0/120", "-"},
      {"192.0.2.1", "198.51.100.1\n# ours\n\n  192.0.2.0/28\n192.0.2.1\n", "forwarder:192.0.2.0/28"},
      {"192.0.2.1", "example.org\n192.0.2.1\n", "forwarder:192.0.2.1"},  // before any domain
      {"192.0.2.1", "192.0.2.0/99\nwhat is this\n", "-"},
      {"192.0.2.1", "# 192.0.2.1", "-"},
      {"192.0.2.1", "", "-"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("example.org", "v=spf1 +all");
    INFO(c.client << " in " << c.file);
    CHECK(asked(resolver, forwarders(c.file), query(c.client)) == c.told);
    CHECK(resolver.questions() == 0);
  }
}

TEST_CASE("what takes no DNS can be told beforehand") {
  const struct { const char* file; bool dmarc; const char* told; } cases[] = {
      {"192.0.2.0/24", false, "forwarder:192.0.2.0/24"},
      {"f.example\n192.0.2.0/24", true, "forwarder:192.0.2.0/24"},
      {"198.51.100.0/24", false, "-"},
      {"", false, "-"},
      {"bad line", false, "-"},
      {"198.51.100.0/24", true, "to be asked"},
      {"f.example", false, "to be asked"},
      {"", true, "to be asked"},
  };
  for (const auto& c : cases) {
    const auto known = exemption_without_dns(query(), {c.file, c.dmarc});
    INFO(c.file);
    CHECK((known ? told(*known) : "to be asked") == c.told);
  }
}

TEST_CASE("a client that a forwarder's own record passes is let through") {
  const struct { const char* comment; const char* record; const char* told; } cases[] = {
      {"a network", "v=spf1 ip4:192.0.2.0/24 -all", "forwarder:f.example"},
      {"its mail servers", "v=spf1 mx -all", "forwarder:f.example"},
      {"another's record", "v=spf1 include:ok.example -all", "forwarder:f.example"},
      {"a redirect", "v=spf1 redirect=ok.example", "forwarder:f.example"},
      {"fail", "v=spf1 -all", "-"},
      {"softfail", "v=spf1 ~all", "-"},
      {"neutral", "v=spf1 ?all", "-"},
      {"nothing matches", "v=spf1 ip4:198.51.100.1", "-"},
      {"permerror", "v=spf1 ip4:192.0.2.0/24 foo -all", "-"},
      {"an include without record", "v=spf1 include:none.example +all", "-"},
      {"no record", "nothing", "-"},
      {"no answer in it", "v=spf1 a:silent.example +all", "trouble forwarder:f.example"},
      {"no answer behind what passes", "v=spf1 ip4:192.0.2.1 a:silent.example -all", "forwarder:f.example"},
      {"who it is for", "v=spf1 exists:%{l}.%{o}.%{d}.%{h}.x.example -all", "forwarder:f.example"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("f.example", c.record);
    resolver.txt("ok.example", "v=spf1 ip4:192.0.2.1 -all");
    resolver.mx("f.example", "mx.f.example");
    resolver.a("mx.f.example", "192.0.2.1");
    resolver.trouble("silent.example", RrType::a);
    resolver.a("postmaster.f.example.f.example.helo.example.x.example", "127.0.0.2");
    INFO(c.comment);
    CHECK(asked(resolver, forwarders("f.example\n")) == c.told);
  }
}

TEST_CASE("the forwarders' domains are tried in order, and trouble with one is for when none passes") {
  const struct { const char* comment; const char* file; const char* told; } cases[] = {
      {"the first that passes", "fail.example\npass.example\npass2.example", "forwarder:pass.example"},
      {"none", "fail.example\nnone.example\nperm.example\ngone.example", "-"},
      {"trouble and a pass", "silent.example\npass.example", "forwarder:pass.example"},
      {"a pass and trouble", "pass.example\nsilent.example", "forwarder:pass.example"},
      {"trouble and no pass", "fail.example\nsilent.example\nsilent2.example\nnone.example",
       "trouble forwarder:silent.example"},
      {"written otherwise", "PASS.Example.", "forwarder:PASS.Example"},
      {"a line that is none does no harm", "pass example\npass.example/24\npass2.example",
       "forwarder:pass2.example"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("pass.example", "v=spf1 ip4:192.0.2.1 -all");
    resolver.txt("pass2.example", "v=spf1 +all");
    resolver.txt("fail.example", "v=spf1 -all");
    resolver.txt("perm.example", "v=spf1 +all");
    resolver.txt("perm.example", "v=spf1 +all");
    resolver.txt("gone.example", "v=DMARC1; p=none");
    resolver.trouble("silent.example", RrType::txt);
    resolver.trouble("silent2.example", RrType::txt);
    INFO(c.comment);
    CHECK(asked(resolver, forwarders(c.file)) == c.told);
  }
}

TEST_CASE("each forwarder has limits of its own") {
  FakeResolver resolver;
  std::string file;
  for (int i = 0; i < 3; ++i) {
    const std::string domain = "f" + std::to_string(i) + ".example";
    std::string record = "v=spf1 a:void1.example a:void2.example";
    for (int term = 0; term < 8; ++term) record += " a:other.example";  // ten terms, two of them void
    resolver.txt(domain, record + (i == 2 ? " +all" : " -all"));
    file += domain + "\n";
  }
  resolver.a("other.example", "198.51.100.1");
  CHECK(asked(resolver, forwarders(file)) == "forwarder:f2.example");
  resolver.txt("more.example", "v=spf1 a:a.example a:b.example a:c.example +all");  // a third void one
  CHECK(asked(resolver, forwarders("f0.example\nmore.example")) == "-");
}

namespace {

// Has no answer before somebody waits, and then all that were asked for come
// together: a round trip.
struct RoundTrips : FakeResolver {
  void prefetch(std::string_view name, RrType type, Follow follow) override {
    const Key question(name, type);
    if (!known.contains(question)) return open.push_back({question, std::move(follow)});
    if (follow) follow(FakeResolver::lookup(name, type));
  }
  const Answer& lookup(std::string_view name, RrType type) override {
    const Key question(name, type);
    if (!known.contains(question)) open.push_back({question, {}});
    while (!known.contains(question)) {
      ++rounds;
      const auto arrived = std::exchange(open, {});
      for (const auto& [key, follow] : arrived) known.insert(key);
      for (const auto& [key, follow] : arrived)
        if (follow) follow(FakeResolver::lookup(key.first, key.second));
    }
    return FakeResolver::lookup(name, type);
  }
  std::vector<std::pair<Key, Follow>> open;
  std::set<Key> known;
  unsigned rounds = 0;
};

}  // namespace

TEST_CASE("all that forwarders and DMARC need takes the round trips of the deepest record") {
  RoundTrips resolver;
  std::string file;
  for (int i = 0; i < 8; ++i) {
    const std::string domain = "f" + std::to_string(i) + ".example";
    resolver.txt(domain, "v=spf1 include:i." + domain + " mx -all");
    resolver.txt("i." + domain, "v=spf1 a:host." + domain + " -all");
    resolver.mx(domain, "mx." + domain);
    resolver.a("host." + domain, "198.51.100.1");
    resolver.a("mx." + domain, "198.51.100.1");
    file += domain + "\n";
  }
  resolver.txt("_dmarc.example.org", "v=DMARC1; p=reject");
  CHECK(asked(resolver, {file, true}, query("192.0.2.1", "joe@a.b.example.org")) ==
        "dmarc:example.org:reject");
  CHECK(resolver.rounds == 3);
  CHECK(resolver.questions() == 8 * 5 + 4);
}

TEST_CASE("early questions leave room for those that are needed") {
  // Twenty forwarders, each with mail servers that only the first term in
  // their record makes needless: in all 20 * 12 questions.
  FakeResolver resolver;
  std::string file;
  for (int i = 0; i < 20; ++i) {
    const std::string domain = "f" + std::to_string(i) + ".example";
    resolver.txt(domain, "v=spf1 -exists:yes.example mx -all");
    for (int host = 0; host < 10; ++host) resolver.mx(domain, "mx" + std::to_string(host) + "." + domain);
    file += domain + "\n";
  }
  resolver.a("yes.example", "127.0.0.2");
  CHECK(asked(resolver, forwarders(file)) == "-");
  CHECK(resolver.questions() <= Limits::most_questions / 2);
}

TEST_CASE("what would need too many questions is trouble, and what doesn't is decided all the same") {
  FakeResolver resolver;
  std::string file;
  for (int i = 0; i < 19; ++i) {
    const std::string domain = "f" + std::to_string(i) + ".example";
    resolver.txt(domain, "v=spf1 mx -all");
    for (int host = 0; host < 10; ++host) resolver.mx(domain, "mx" + std::to_string(host) + "." + domain);
    file += domain + "\n";
  }
  resolver.txt("last.example", "v=spf1 ip4:198.51.100.1 -all");
  file += "last.example\n";
  CHECK(asked(resolver, forwarders(file), query("198.51.100.1")) == "forwarder:last.example");
  CHECK(asked(resolver, forwarders(file)).starts_with("trouble forwarder:f"));
  CHECK(resolver.questions() <= Limits::most_questions);
}

TEST_CASE("a sender's domain with a DMARC policy is left to DMARC") {
  const struct { const char* comment; const char* sender; const char* record; const char* told; } cases[] = {
      {"reject", "joe@example.org", "v=DMARC1; p=reject", "dmarc:example.org:reject"},
      {"quarantine", "joe@example.org", "v=DMARC1; p=quarantine", "dmarc:example.org:quarantine"},
      {"none", "joe@example.org", "v=DMARC1; p=none", "-"},
      {"of the domain above", "joe@a.b.example.org", "v=DMARC1; p=reject", "dmarc:example.org:reject"},
      {"of the domain above, but not for this one", "joe@a.example.org", "v=DMARC1; p=reject; sp=none", "-"},
      {"in any case", "joe@EXAMPLE.ORG.", "v=DMARC1; p=reject", "dmarc:example.org:reject"},
      {"another domain", "joe@example.net", "v=DMARC1; p=reject", "-"},
      {"no record", "joe@example.org", "v=spf1 -all", "-"},
      {"no answer", "joe@example.org", nullptr, "trouble dmarc:example.org"},
      {"null sender: HELO", "", "v=DMARC1; p=reject", "dmarc:helo.example:quarantine"},
      {"no domain: HELO", "joe", "v=DMARC1; p=reject", "dmarc:helo.example:quarantine"},
      {"a literal", "joe@[192.0.2.1]", "v=DMARC1; p=reject", "-"},
      {"U-labels", "joe@b\xc3\xbc" "cher.example", "v=DMARC1; p=reject", "dmarc:xn--bcher-kva.example:reject"},
      {"quoted", "\"joe@example.net\"@example.org", "v=DMARC1; p=reject", "dmarc:example.org:reject"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    if (c.record)
      resolver.txt("_dmarc.example.org", c.record);
    else
      resolver.trouble("_dmarc.example.org", RrType::txt);
    resolver.txt("_dmarc.helo.example", "v=DMARC1; p=quarantine");
    resolver.txt("_dmarc.xn--bcher-kva.example", "v=DMARC1; p=reject");
    INFO(c.comment);
    CHECK(asked(resolver, dmarc, query("192.0.2.1", c.sender)) == c.told);
    FakeResolver untouched;
    CHECK(asked(untouched, forwarders(""), query("192.0.2.1", c.sender)) == "-");
    CHECK(untouched.questions() == 0);
  }
}

TEST_CASE("a forwarder counts before DMARC, and trouble only where neither lets through") {
  const struct { const char* forwarder; const char* record; const char* told; } cases[] = {
      {"pass.example", "v=DMARC1; p=reject", "forwarder:pass.example"},
      {"fail.example", "v=DMARC1; p=reject", "dmarc:example.org:reject"},
      {"silent.example", "v=DMARC1; p=reject", "dmarc:example.org:reject"},
      {"pass.example", nullptr, "forwarder:pass.example"},
      {"192.0.2.1", nullptr, "forwarder:192.0.2.1"},
      {"fail.example", nullptr, "trouble dmarc:example.org"},
      {"silent.example", "v=DMARC1; p=none", "trouble forwarder:silent.example"},
      {"silent.example", nullptr, "trouble forwarder:silent.example"},
      {"fail.example", "v=DMARC1; p=none", "-"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("pass.example", "v=spf1 +all");
    resolver.txt("fail.example", "v=spf1 -all");
    resolver.trouble("silent.example", RrType::txt);
    if (c.record)
      resolver.txt("_dmarc.example.org", c.record);
    else
      resolver.trouble("_dmarc.example.org", RrType::txt);
    INFO(c.forwarder << ", " << (c.record ? c.record : "no answer"));
    CHECK(asked(resolver, {c.forwarder, true}) == c.told);
  }
}

TEST_CASE("no reason is longer than 263 octets, and none has a blank") {
  std::string longest;
  for (int i = 0; i < 3; ++i) longest += std::string(61, char('a' + i)) + ".";
  longest += std::string(60, 'd');  // 246 octets, so that "_dmarc." has room
  FakeResolver resolver;
  resolver.txt("_dmarc." + longest, "v=DMARC1; p=quarantine");
  const std::string by_dmarc = asked(resolver, dmarc, query("192.0.2.1", "joe@" + longest));
  CHECK(by_dmarc == "dmarc:" + longest + ":quarantine");
  CHECK(by_dmarc.size() == 263);
  longest += "." + std::string(6, 'e');
  resolver.txt(longest, "v=spf1 +all");
  const std::string by_forwarder = asked(resolver, forwarders(longest));
  CHECK(by_forwarder == "forwarder:" + longest);
  CHECK(by_forwarder.size() == 263);
}

TEST_CASE("hostile records cost little and let nobody through") {
  FakeResolver resolver;
  std::string record = "v=spf1";
  while (record.size() < 65000) record += " ip4:198.51.100.1";
  for (int i = 0; i < 20; ++i) resolver.txt("f" + std::to_string(i) + ".example", record + " -all");
  std::string file;
  for (int i = 0; i < 20; ++i) file += "f" + std::to_string(i) + ".example\n";
  std::string tags = "v=DMARC1";
  while (tags.size() < 65000) tags += ";p";
  std::string sender = "joe@a";
  for (int i = 1; i < 120; ++i) sender += ".a";
  for (const char* name : {"_dmarc.a", "_dmarc.a.a", "_dmarc.a.a.a", "_dmarc.a.a.a.a"})
    for (int i = 0; i < 20; ++i) resolver.txt(name, tags);
  const auto start = std::clock();
  CHECK(asked(resolver, {file, true}, query("192.0.2.1", sender)) == "-");
  CHECK(double(std::clock() - start) / CLOCKS_PER_SEC < 1);
  for (const std::string& helo : {std::string("a\0b.example", 11), std::string(70000, 'a'), std::string(70000, '.'),
                                  std::string(300, '\xff') + ".example"}) {
    FakeResolver empty;
    Trace nobody;
    CHECK(told(exemption({query().client, helo, ""}, {"f.example", true}, empty, nobody)) == "-");
  }
}

TEST_CASE("a trace hears of each step, and of its questions") {
  struct Listener : Trace {
    void forwarder(std::string_view domain) override { said += "forwarder " + std::string(domain) + "\n"; }
    void forwarder_done(std::string_view domain, Result result) override {
      said += "is " + std::string(domain) + " " + std::string(name(result)) + "\n";
    }
    void dmarc(std::string_view domain) override { said += "dmarc " + std::string(domain) + "\n"; }
    void dmarc_done(std::string_view domain, std::string_view found) override {
      said += "is " + std::string(domain) + " " + std::string(found) + "\n";
    }
    void question(std::string_view name, RrType, const Answer&) override { said += " ? " + std::string(name) + "\n"; }
    void record(unsigned depth, std::string_view domain, std::string_view) override {
      said += " " + std::to_string(depth) + " " + std::string(domain) + "\n";
    }
    std::string said;
  };
  const struct { const char* record; const char* found; } cases[] = {
      {"v=DMARC1; p=none", "none at example.org"},
      {"v=DMARC1; p=reject", "reject at example.org"},
      {"nothing", "no record"},
      {nullptr, "no answer"},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.txt("f.example", "v=spf1 -all");
    if (c.record)
      resolver.txt("_dmarc.example.org", c.record);
    else
      resolver.trouble("_dmarc.example.org", RrType::txt);
    Listener listener;
    exemption(query(), {"f.example", true}, resolver, listener);
    const std::string further = std::string(c.found) == "no record" ? " ? _dmarc.org\n" : "";
    CHECK(listener.said == "forwarder f.example\n ? f.example\n 0 f.example\nis f.example fail\n"
                           "dmarc example.org\n ? _dmarc.example.org\n" + further +
                           "is example.org " + c.found + "\n");
  }
}

TEST_CASE("trouble of ours is trouble") {
  struct Throwing : FakeResolver {
    const Answer& lookup(std::string_view, RrType) override { throw std::bad_alloc(); }
  } resolver;
  CHECK(asked(resolver, forwarders("f.example")) == "trouble ");
  CHECK(asked(resolver, dmarc) == "trouble ");
  CHECK(asked(resolver, {"192.0.2.1\nf.example", true}) == "forwarder:192.0.2.1");
}

TEST_CASE("an answer that comes when the exemption is over is not followed") {
  struct Later : FakeResolver {
    void prefetch(std::string_view name, RrType type, Follow follow) override {
      FakeResolver::prefetch(name, type);
      if (follow) open.push_back({std::string(name), type, std::move(follow)});
    }
    struct Open {
      std::string name;
      RrType type;
      Follow follow;
    };
    std::vector<Open> open;
  } resolver;
  resolver.txt("f.example", "v=spf1 include:i.example -all");
  CHECK(asked(resolver, forwarders("f.example")) == "-");
  REQUIRE_FALSE(resolver.open.empty());
  const auto before = resolver.prefetched;
  for (std::size_t i = 0; i < resolver.open.size(); ++i)
    resolver.open[i].follow(resolver.lookup(resolver.open[i].name, resolver.open[i].type));
  CHECK(resolver.prefetched == before);
}

TEST_CASE("over the wire no more is asked than counts, and what is large comes over TCP") {
  DnsServer server;
  server.use();
  server.txt("f.example", "v=spf1 ip4:198.51.100.0/24 -all");
  server.txt("g.example", "v=spf1 include:f.example -all");
  server.txt("_dmarc.example.org", "v=DMARC1; x=" + std::string(40000, 'x') + "; p=none; np=reject");
  const ExemptionOptions options{"f.example\ng.example", true};
  const auto ask = [&](const std::string& client) {
    LocalResolver resolver(DnsResolver::Clock::now() + std::chrono::seconds(20));
    Trace nobody;
    return told(exemption(query(client, "joe@a.example.org"), options, resolver, nobody));
  };
  CHECK(ask("192.0.2.1") == "dmarc:example.org:reject");
  std::set<std::string> names;
  for (const auto& question : server.seen()) names.insert(question.name + (question.tcp ? " over TCP" : ""));
  CHECK(names == std::set<std::string>{"_dmarc.a.example.org", "_dmarc.example.org", "_dmarc.example.org over TCP",
                                       "_dmarc.org", "a.example.org", "f.example", "g.example"});
  CHECK(ask("198.51.100.1") == "forwarder:f.example");
  server.fault("g.example", DnsServer::Fault::servfail);
  server.fault("_dmarc.org", DnsServer::Fault::servfail);
  CHECK(ask("198.51.100.1") == "forwarder:f.example");
}

TEST_CASE("what gets no answer in time, or a failure, is trouble", "[waits]") {
  DnsServer server;
  server.use();
  server.txt("f.example", "v=spf1 -all");
  server.fault("silent.example", DnsServer::Fault::silence);
  server.fault("_dmarc.failing.example", DnsServer::Fault::servfail);
  const struct { const char* file; const char* sender; const char* told; } cases[] = {
      {"f.example\nsilent.example", "joe@example.org", "trouble forwarder:silent.example"},
      {"f.example", "joe@failing.example", "trouble dmarc:failing.example"},
  };
  for (const auto& c : cases) {
    LocalResolver resolver(DnsResolver::Clock::now() + std::chrono::seconds(1));
    Trace nobody;
    INFO(c.told);
    CHECK(told(exemption(query("192.0.2.1", c.sender), {c.file, true}, resolver, nobody)) == c.told);
  }
}
