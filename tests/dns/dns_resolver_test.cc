#include "spf/dns/dns_resolver.hh"

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "spf/engine/check.hh"
#include "tests/catch.hh"
#include "tests/support/ask.hh"
#include "tests/support/clock.hh"
#include "tests/support/corporate_record.hh"

using namespace spf;
using namespace std::chrono_literals;
using Status = Answer::Status;
using Fault = DnsServer::Fault;

TEST_CASE("records of every type are read") {
  DnsServer server;
  server.use();
  server.a("example.org", "192.0.2.1");
  server.a("example.org", "192.0.2.2");
  server.aaaa("example.org", "2001:db8::1");
  server.mx("example.org", 20, "b.example.org");
  server.mx("example.org", 10, "a.example.org");
  server.mx("null.example", 0, "");
  server.ptr("1.2.0.192.in-addr.arpa", "Mail.Example.ORG.");
  server.txt_strings("example.org", {"v=spf1 ip4:192.0.2", ".1 -all"});
  server.txt_strings("example.org", {});
  server.txt_strings("example.org", {"\xff\r\n", "", "x"});
  const Answer a = ask("example.org", RrType::a);
  REQUIRE(a.status == Status::ok);
  REQUIRE(a.addresses.size() == 2);
  CHECK(a.addresses[1].text() == "192.0.2.2");
  CHECK(ask("EXAMPLE.org.", RrType::aaaa).addresses.at(0).text() == "2001:db8::1");
  CHECK(ask("example.org", RrType::mx).texts == std::vector<std::string>{"a.example.org", "b.example.org"});
  CHECK(ask("null.example", RrType::mx).texts == std::vector<std::string>{""});
  CHECK(ask("1.2.0.192.in-addr.arpa", RrType::ptr).texts == std::vector<std::string>{"Mail.Example.ORG"});
  CHECK(ask("example.org", RrType::txt).texts ==
        std::vector<std::string>{"v=spf1 ip4:192.0.2.1 -all", "", "\xff\r\nx"});
  CHECK(ask("nothing.example", RrType::a).status == Status::no_name);
  CHECK(ask("null.example", RrType::a).status == Status::no_data);
}

TEST_CASE("a name goes out octet by octet, and one DNS cannot carry does not") {
  DnsServer server;
  server.use();
  const std::string odd = "a b\\.\\065%\xff\x01.example.org";
  server.a(odd, "192.0.2.1");
  CHECK(ask(odd, RrType::a).status == Status::ok);
  const std::string label(63, 'x');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'x');
  server.a(longest, "192.0.2.1");
  CHECK(longest.size() == 253);
  CHECK(ask(longest, RrType::a).status == Status::ok);
  CHECK(ask(longest + ".", RrType::a).status == Status::ok);
  server.seen();
  for (const std::string& name : {std::string(), std::string("."), std::string("a..example"), std::string(".a"),
                                  std::string(64, 'x') + ".example", longest + "x", std::string(100000, '.')})
    CHECK(ask(name, RrType::a).status == Status::no_name);
  CHECK(server.seen().empty());
}

TEST_CASE("a question is asked once, and what was prefetched waits", "[waits]") {
  DnsServer server;
  server.use();
  server.delay(200ms);
  for (const char* name : {"a.example", "b.example", "c.example"}) server.a(name, "192.0.2.1");
  LocalResolver resolver(Clock::now() + 20s);
  std::string followed;
  resolver.prefetch("a.example", RrType::a, [&](const Answer&) {
    followed += "a";
    resolver.prefetch("c.example", RrType::a, [&](const Answer& c) { followed += "c" + std::to_string(c.addresses.size()); });
  });
  resolver.prefetch("b.example", RrType::a);
  resolver.prefetch("A.EXAMPLE.", RrType::a);
  // Both are out, and nobody has waited yet.
  std::vector<DnsServer::Question> out;
  test::wait_until([&] {
    for (const auto& question : server.seen()) out.push_back(question);
    return out.size() >= 2;
  });
  CHECK(out == std::vector<DnsServer::Question>{{"a.example", 1, false}, {"b.example", 1, false}});
  CHECK(resolver.lookup("b.example", RrType::a).status == Status::ok);
  CHECK(resolver.lookup("a.example", RrType::a).status == Status::ok);
  CHECK(resolver.lookup("a.example", RrType::a).milliseconds >= 200);
  CHECK(resolver.lookup("c.example", RrType::a).status == Status::ok);
  CHECK(followed == "ac1");
  server.seen();
  resolver.prefetch("a.example", RrType::a, [&](const Answer&) { followed += "!"; });
  CHECK(followed == "ac1!");  // known already
  for (const char* name : {"a.example", "B.example", "c.example."})
    CHECK(resolver.lookup(name, RrType::a).status == Status::ok);
  CHECK(server.seen().empty());
}

TEST_CASE("CNAMEs are followed in one answer and over several, and loops are refused") {
  DnsServer server;
  server.use();
  for (const bool alone : {false, true}) {
    INFO(alone);
    server.clear();
    server.cname_alone(alone);
    server.cname("alias.example", "ALIAS2.example");
    server.cname("alias2.example", "real.example");
    server.a("real.example", "192.0.2.1");
    server.cname("dangling.example", "nothing.example");
    server.cname("loop.example", "loop.example");
    server.cname("loop1.example", "loop2.example");
    server.cname("loop2.example", "loop1.example");
    CHECK(ask("alias.example", RrType::a).addresses.size() == 1);
    CHECK(ask("alias.example", RrType::txt).status == Status::no_data);
    CHECK(ask("dangling.example", RrType::a).status == Status::no_name);
    CHECK(ask("loop.example", RrType::a).status == Status::trouble);
    CHECK(ask("loop1.example", RrType::a).status == Status::trouble);
    CHECK(server.seen().size() < 30);
  }
  server.clear();
  server.cname_alone(true);
  for (int i = 0; i < 30; ++i) server.cname("c" + std::to_string(i) + ".example", "c" + std::to_string(i + 1) + ".example");
  server.a("c30.example", "192.0.2.1");
  CHECK(ask("c0.example", RrType::a).status == Status::trouble);  // too long a chain
  CHECK(ask("c25.example", RrType::a).status == Status::ok);
}

TEST_CASE("answers that are not ours, or no answers, are not believed", "[waits]") {
  DnsServer server;
  server.use();
  server.a("example.org", "192.0.2.1");
  const auto believed = [&](std::string (*spoil)(std::string), std::chrono::milliseconds patience = 300ms) {
    server.script([&server, spoil](const std::string& query, bool tcp) -> std::optional<std::vector<std::string>> {
      return std::vector<std::string>{spoil(server.answer(query, tcp))};
    });
    return ask("example.org", RrType::a, patience).status == Status::ok;
  };
  CHECK(believed([](std::string m) { return m; }, 20s));
  CHECK_FALSE(believed([](std::string m) { m[0] ^= 1; return m; }));      // id
  CHECK_FALSE(believed([](std::string m) { m[13] ^= 1; return m; }));     // name
  CHECK_FALSE(believed([](std::string m) { m[26] ^= 2; return m; }));     // type
  CHECK_FALSE(believed([](std::string m) { m[2] &= 0x7f; return m; }));   // a query
  CHECK_FALSE(believed([](std::string m) { m.resize(11); return m; }));
  CHECK_FALSE(believed([](std::string m) { m[7] = 2; return m; }));       // one record missing
  CHECK_FALSE(believed([](std::string m) { m.pop_back(); return m; }));
  CHECK_FALSE(believed([](std::string m) { m[5] = 0; return m; }));       // no question
}

TEST_CASE("a forged answer before the true one changes nothing") {
  DnsServer server;
  server.use();
  server.a("example.org", "192.0.2.1");
  server.script([&](const std::string& query, bool tcp) -> std::optional<std::vector<std::string>> {
    const std::string right = server.answer(query, tcp);
    std::string forged = right;
    forged[0] ^= 0x55;
    forged.back() = 99;
    return std::vector<std::string>{forged, forged, right};
  });
  CHECK(ask("example.org", RrType::a).addresses.at(0).text() == "192.0.2.1");
}

TEST_CASE("a server that knows no EDNS is asked without it") {
  DnsServer server;
  server.use();
  server.a("example.org", "192.0.2.1");
  server.script([](const std::string& query, bool) -> std::optional<std::vector<std::string>> {
    if (query[11] == 0) return std::nullopt;
    std::string formerr = query.substr(0, 12);
    formerr[2] = char(0x81);
    formerr[3] = char(0x81);
    formerr[5] = formerr[11] = 0;
    return std::vector<std::string>{formerr};
  });
  CHECK(ask("example.org", RrType::a).status == Status::ok);
}

// What it takes in round trips is in schedule_loss_test.cc.
TEST_CASE("a corporate record is judged, and asks each thing once") {
  DnsServer server;
  server.use();
  publish_corporate_record(server);
  LocalResolver resolver(Clock::now() + 20s);
  const Verdict verdict = check({*Address::parse("192.0.2.1"), "h.example", "joe@corp.example"}, {}, resolver).verdict;
  CHECK(verdict.result == Result::fail);
  CHECK(verdict.lookups == 8);
  CHECK(verdict.voids == 0);
  std::set<std::pair<std::string, unsigned>> questions;
  for (const auto& question : server.seen()) questions.insert({question.name, question.type});
  CHECK(questions.size() == corporate_questions);
}

TEST_CASE("a record of 4 kB with 150 networks is judged to its end") {
  DnsServer server;
  server.use();
  std::string text = "v=spf1";
  for (int i = 0; i < 150; ++i) text += " ip4:198.51." + std::to_string(i) + ".128/25 ip6:2001:db8:" + std::to_string(i) + "::/48";
  server.txt("example.org", text + " ip4:192.0.2.1 -all");
  CHECK(text.size() > 4000);
  LocalResolver resolver(Clock::now() + 5s);
  const Verdict verdict = check({*Address::parse("192.0.2.1"), "h.example", "joe@example.org"}, {}, resolver).verdict;
  CHECK(verdict.result == Result::pass);
  CHECK(verdict.mechanism == "ip4:192.0.2.1");
}
