// How many round trips a check takes, and which questions are out in each.
#include <string>
#include <vector>

#include "spf/engine/check.hh"
#include "tests/catch.hh"
#include "tests/support/round_resolver.hh"

using namespace spf;

namespace {

const Address client = *Address::parse("192.0.2.1");

// What large senders publish: macro-free records three deep, and terms that ask
// for a name made of the client.
void publish(FakeResolver& zone) {
  zone.txt("google.example", "v=spf1 include:n1.google.example include:n2.google.example ~all");
  zone.txt("n1.google.example", "v=spf1 ip4:198.51.100.0/25 ~all");
  zone.txt("n2.google.example", "v=spf1 ip4:198.51.100.128/25 ~all");
  zone.txt("force.example", "v=spf1 exists:%{i}.mta.force.example -all");
  zone.txt("192.0.2.1.in-addr.proof.example", "v=spf1 ip4:203.0.113.1 ~all");
  zone.txt("1.2.0.192.in-addr.example.org.proof.example", "v=spf1 ip4:203.0.113.1 ~all");
  for (const char* name : {"example.org", "m.example"}) {
    zone.mx(name, "m1.example");
    zone.mx(name, "m2.example");
  }
  zone.a("m1.example", "198.51.100.1");
  zone.a("m2.example", "198.51.100.2");
  zone.a("example.org", "198.51.100.3");
  zone.ptr("1.2.0.192.in-addr.arpa", "p.example.org");
}

std::vector<std::string> rounds(const std::string& record, const CheckOptions& options = {},
                                const std::string& helo = "helo.example",
                                const std::string& sender = "joe@example.org") {
  RoundResolver zone;
  publish(zone);
  if (!record.empty()) zone.txt("example.org", record);
  zone.txt("helo.example", "v=spf1 mx:m.example -all");
  zone.txt("deep.example", "v=spf1 include:google.example exists:%{i}.deep.example -all");
  zone.txt("exp.example", "v=spf1 -all exp=%{i}.why.example");
  zone.txt("192.0.2.1.why.example", "because");
  check({client, helo, sender}, options, zone);
  return zone.rounds();
}

}  // namespace

TEST_CASE("a check takes as many round trips as its record is deep") {
  const struct { const char* what; const char* record; std::size_t rounds; } cases[] = {
      {"networks", "ip4:198.51.100.1 -all", 1},
      {"a name", "a -all", 2},
      {"names behind names", "a mx a:m1.example mx:m.example -all", 3},
      {"records three deep", "include:google.example -all", 3},
      {"macro terms", "exists:%{i}.a.example exists:%{ir}.b.example exists:%{l}.%{o}.c.example a:%{d2}.example -all", 2},
      {"macro mx", "mx:m.%{v}.example mx:%{l}.example -all", 2},
      {"a macro include", "include:%{ir}.%{v}.%{d}.proof.example -all", 2},
      {"large senders", "include:force.example include:google.example include:%{ir}.%{v}.%{d}.proof.example -all", 3},
      {"large senders", "include:%{ir}.%{v}.%{d}.proof.example include:force.example include:google.example -all", 3},
      // Whether force.example's record is evaluated is known in the third.
      {"large senders", "include:google.example include:force.example include:%{ir}.%{v}.%{d}.proof.example -all", 4},
      {"a macro redirect", "redirect=%{d}.%{l}.example", 2},
      {"%{p} waits for its turn", "exists:%{p}.a.example exists:%{i}.a.example -all", 4},
  };
  for (const auto& c : cases) {
    INFO(c.what << ": " << c.record);
    CHECK(rounds(std::string("v=spf1 ") + c.record).size() == c.rounds);
  }
}

TEST_CASE("client and sender are told early where a record is due, and by no term behind a match") {
  const struct { const char* record; const char* second; } cases[] = {
      // In the record of the domain itself
      {"exists:%{i}.x.example -all", "A 192.0.2.1.x.example"},
      {"a exists:%{i}.x.example -all", "A 192.0.2.1.x.example, A example.org"},
      {"ip4:198.51.100.1 exists:%{i}.x.example -all", "A 192.0.2.1.x.example"},  // known not to match
      {"a ip4:192.0.2.1 exists:%{i}.x.example -all", "A example.org"},           // known to match
      {"a ?all exists:%{i}.x.example", "A example.org"},
      {"a redirect=%{l}.example", "A example.org, TXT joe.example"},
      {"a ?all redirect=%{l}.example", "A example.org"},
      // %{d} tells nothing, %{p} must be asked for
      {"exists:%{d}.x.example exists:%{p}.x.example -all", "A example.org.x.example, PTR 1.2.0.192.in-addr.arpa"},
  };
  for (const auto& c : cases) {
    INFO(c.record);
    const auto all = rounds(std::string("v=spf1 ") + c.record);
    REQUIRE(all.size() > 1);
    CHECK(all[0] == "TXT example.org");
    if (std::string(c.record).find("%{p}") == std::string::npos) CHECK(all[1] == c.second);
  }
}

TEST_CASE("of what an include brought, macro names are asked early where no term is before it") {
  const struct { const char* record; std::vector<std::string> rounds; } cases[] = {
      {"include:force.example -all",
       {"TXT example.org", "TXT force.example", "A 192.0.2.1.mta.force.example"}},
      // The a may match: force.example need not know of this client. As it is known
      // together with the record, nothing is lost.
      {"a include:force.example -all",
       {"TXT example.org", "A example.org, TXT force.example", "A 192.0.2.1.mta.force.example"}},
      // Here something is: google.example may match in the third.
      {"include:google.example include:force.example -all",
       {"TXT example.org", "TXT force.example, TXT google.example", "TXT n1.google.example, TXT n2.google.example",
        "A 192.0.2.1.mta.force.example"}},
      // Due by two firsts.
      {"include:outer.example a -all",
       {"TXT example.org", "A example.org, TXT outer.example", "TXT force.example",
        "A 192.0.2.1.mta.force.example"}},
      // What is known to match is the end.
      {"ip4:192.0.2.1 include:force.example -all", {"TXT example.org"}},
  };
  for (const auto& c : cases) {
    INFO(c.record);
    RoundResolver zone;
    publish(zone);
    zone.txt("outer.example", "v=spf1 include:force.example -all");
    zone.txt("example.org", std::string("v=spf1 ") + c.record);
    check({client, "helo.example", "joe@example.org"}, {}, zone);
    CHECK(zone.rounds() == c.rounds);
  }
}

TEST_CASE("where an earlier term matches, who is named by an include behind it hears nothing of the client") {
  RoundResolver zone;
  publish(zone);
  zone.txt("example.org", "v=spf1 a:here.example include:force.example -all");
  zone.a("here.example", "192.0.2.1");
  CHECK(check({client, "helo.example", "joe@example.org"}, {}, zone).verdict.result == Result::pass);
  CHECK(zone.rounds() == std::vector<std::string>{"TXT example.org", "A here.example, TXT force.example"});
  CHECK(zone.left_out() == 0);
}

TEST_CASE("no macro name is asked early for a term that can't count, and ten at most") {
  RoundResolver zone;
  std::string record = "v=spf1 include:i.example";
  for (int i = 0; i < 12; ++i) record += " exists:%{i}." + std::to_string(i) + ".example";
  zone.txt("example.org", record + " -all");
  std::string included = "v=spf1";
  for (int i = 0; i < 5; ++i) included += " exists:%{l}." + std::to_string(i) + ".example";
  zone.txt("i.example", included + " -all");
  CHECK(check({client, "helo.example", "joe@example.org"}, {}, zone).verdict.result == Result::permerror);
  std::size_t told = 0;
  for (const auto& [name, type] : zone.prefetched) told += name.starts_with("192.0.2.1.") || name.starts_with("joe.");
  CHECK(told == 10);
}

TEST_CASE("a guess costs the depth of its terms, rules cost no more than the record") {
  CheckOptions guess, rules;
  guess.guess = "a mx";
  CHECK(rounds("", guess) == std::vector<std::string>{"TXT example.org", "A example.org, MX example.org",
                                                      "A m1.example, A m2.example"});
  // Where there is a record, the guess costs nothing.
  CHECK(rounds("v=spf1 -all", guess) == std::vector<std::string>{"TXT example.org"});
  rules.rules = "exists:%{i}.list.example include:google.example";
  CHECK(rounds("v=spf1 mx -all", rules) ==
        std::vector<std::string>{"TXT example.org",
                                 "A 192.0.2.1.list.example, MX example.org, TXT google.example",
                                 "A m1.example, A m2.example, TXT n1.google.example, TXT n2.google.example"});
  // They are not tried behind a term that matches, nor where they have no place.
  CHECK(rounds("v=spf1 ip4:192.0.2.1 -all", rules) == std::vector<std::string>{"TXT example.org"});
  CHECK(rounds("v=spf1 a", rules) == std::vector<std::string>{"TXT example.org", "A example.org"});
  rules.guess = "a";
  CHECK(rounds("", rules) == std::vector<std::string>{"TXT example.org",
                                                      "A 192.0.2.1.list.example, A example.org, TXT google.example",
                                                      "TXT n1.google.example, TXT n2.google.example"});
}

TEST_CASE("both identities take the round trips of the deeper one") {
  CheckOptions both;
  both.helo = true;
  both.guess = "a mx";
  const struct { const char* record; const char* helo; } cases[] = {
      {"v=spf1 ip4:198.51.100.1 -all", "helo.example"},
      {"v=spf1 a -all", "helo.example"},
      {"v=spf1 include:google.example -all", "helo.example"},
      {"v=spf1 ip4:192.0.2.1 -all", "google.example"},
      {"v=spf1 a -all", "google.example"},
      {"v=spf1 include:google.example -all", "nothing.example"},  // a guess
      {"", "google.example"},
      {"v=spf1 exists:%{i}.x.example -all", "force.example"},
      {"v=spf1 -all exp=%{i}.why.example", "exp.example"},
      {"v=spf1 -all", "[192.0.2.1]"},
  };
  for (const auto& c : cases) {
    INFO(c.record << " " << c.helo);
    const auto mail = rounds(c.record, {.receiver = {}, .rules = {}, .guess = "a mx", .explanation = {}}, c.helo);
    const auto helo = rounds(c.record, {.receiver = {}, .rules = {}, .guess = "a mx", .explanation = {}}, c.helo, "");
    CHECK(rounds(c.record, both, c.helo).size() == std::max(mail.size(), helo.size()));
  }
  // An exp= is asked for when the results are known, MAIL's being the first: that of
  // the HELO name may come a round later.
  CHECK(rounds("v=spf1 a -all", both, "exp.example") ==
        std::vector<std::string>{"TXT example.org, TXT exp.example", "A example.org", "TXT 192.0.2.1.why.example"});
  CHECK(rounds("v=spf1 a -all", both) ==
        std::vector<std::string>{"TXT example.org, TXT helo.example", "A example.org, MX m.example",
                                 "A m1.example, A m2.example"});
}

TEST_CASE("what is asked early for the HELO name leaves MAIL's domain its questions") {
  RoundResolver zone;
  std::string terms = "v=spf1", helo = "v=spf1";
  for (int i = 0; i < 10; ++i) {
    const std::string number = std::to_string(i);
    terms += " mx:d" + number + ".example";
    helo += " mx:h" + number + ".example";
    for (int j = 0; j < 10; ++j) {
      const std::string name = number + std::to_string(j) + ".example";
      zone.mx("d" + number + ".example", "d" + name);
      zone.mx("h" + number + ".example", "h" + name);
      zone.a("d" + name, "198.51.100.1");
      zone.a("h" + name, "198.51.100.1");
    }
  }
  zone.txt("example.org", terms + " -all");
  zone.txt("helo.example", helo + " -all");
  CheckOptions both;
  both.helo = true;
  const Judgement judgement = check({client, "helo.example", "joe@example.org"}, both, zone);
  CHECK(judgement.verdict.result == Result::fail);
  REQUIRE(judgement.helo);
  CHECK(judgement.helo->result == Result::temperror);
  CHECK(zone.questions() <= Limits::most_questions);
}
