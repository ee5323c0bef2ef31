// spfcheck --json.
#include <nlohmann/json.hpp>

#include <set>

#include "tests/catch.hh"
#include "tests/support/certificate.hh"
#include "tests/support/spfcheck.hh"
#include "tests/support/temp_dir.hh"

using namespace test;
using Json = nlohmann::json;

namespace {

Json parsed(const Finished& run) {
  INFO(run.out << run.err);
  CHECK(run.err == "");
  CHECK(is_harmless(run.out));
  const Json json = Json::parse(run.out, nullptr, false);
  CHECK(json.is_object());
  return json;
}

std::set<std::string> keys(const Json& json) {
  std::set<std::string> result;
  for (const auto& item : json.items()) result.insert(item.key());
  return result;
}

// What a report says differs from run to run.
Json without_time(Json json) {
  json.erase("milliseconds");
  for (const char* tree : {"evaluation", "helo_evaluation"})
    if (json.contains(tree))
      for (Json& line : json[tree]) line["text"] = masked(line["text"]);
  return json;
}

}  // namespace

TEST_CASE("a check is JSON with all that the text says") {
  Spfcheck spfcheck;
  const TempDir control;
  const std::string spffrom = control.write("spffrom", "@example.org:3\n");
  control.write("spfto", "postmaster@:1\n");
  control.write("spfforwarders", "f.example\n");
  spfcheck.dns.txt("example.org", "v=spf1 a -all");
  spfcheck.dns.a("example.org", "192.0.2.80");
  spfcheck.dns.txt("f.example", "v=spf1 ip4:192.0.2.0/24 -all");
  spfcheck.dns.txt("h.example", "v=spf1 ~all");
  const Environment environment = {{"CONTROLDIR", control.path()}, {"SPFBEHAVIOR", "1"}, {"SPFHELO", "1"},
                                   {"SPFSHADOW", "3"}, {"SPFRULES", "moo"}};
  const Finished run = spfcheck.run({"--json", "192.0.2.7", "h.example", "a@example.org"}, environment);
  CHECK(run.code == 3);
  const Json json = parsed(run);
  CHECK(json["milliseconds"].is_number_unsigned());
  CHECK(json["header"].get<std::string>().starts_with("Received-SPF: fail (mx.local: "));
  CHECK(json["header"].get<std::string>().find("\nReceived-SPF: softfail (mx.local: ") != std::string::npos);
  CHECK(json["environment"]["SPFRESULT"] == "fail");
  CHECK(json["environment"]["SPFHELORESULT"] == "softfail");
  CHECK(json["environment"]["SPFPOLICY"] == "forwarder:f.example");
  Json rest = without_time(json);
  for (const char* key : {"header", "environment"}) rest.erase(key);
  Json expected = Json::parse(R"json({
  "client": "192.0.2.7", "helo": "h.example", "sender": "a@example.org", "recipient": null,
  "result": "fail", "identity": "mailfrom", "domain": "example.org", "mechanism": "-all",
  "local_policy": false, "problem": null, "lookups": 1, "voids": 0,
  "helo_check": {"result": "softfail", "identity": "helo", "domain": "h.example", "mechanism": "~all",
                 "local_policy": false, "problem": null, "lookups": 0, "voids": 0},
  "level": 3,
  "level_source": {"setting": "spffrom", "source": "", "line": 1, "rule": "@example.org:3"},
  "policy": "forwarder:f.example", "policy_trouble": null, "shadow_code": 550,
  "replies": [
    {"first_level": 0, "last_level": 0, "answers": [{"command": "MAIL", "reply": []}, {"command": "RCPT", "reply": []}]},
    {"first_level": 1, "last_level": 6, "answers": [{"command": "MAIL", "reply": []}, {"command": "RCPT", "reply": []}]}],
  "recipient_replies": [{"level": 1, "code": 250}],
  "warnings": ["spfrules: left out: moo: unknown mechanism"],
  "evaluation": [
    {"depth": 0, "outcome": null, "text": "example.org TXT: 1 record (n ms)"},
    {"depth": 0, "outcome": null, "text": "v=spf1 a -all"},
    {"depth": 0, "outcome": "no match", "text": "a"},
    {"depth": 1, "outcome": null, "text": "example.org A: 192.0.2.80 (n ms)"},
    {"depth": 0, "outcome": "match", "text": "-all"},
    {"depth": 0, "outcome": "pass", "text": "forwarder f.example"},
    {"depth": 1, "outcome": null, "text": "f.example TXT: 1 record (n ms)"},
    {"depth": 1, "outcome": null, "text": "v=spf1 ip4:192.0.2.0/24 -all"},
    {"depth": 1, "outcome": "match", "text": "ip4:192.0.2.0/24"},
    {"depth": 1, "outcome": "not reached", "text": "-all"}],
  "helo_evaluation": [
    {"depth": 0, "outcome": null, "text": "h.example TXT: 1 record (n ms)"},
    {"depth": 0, "outcome": null, "text": "v=spf1 ~all"},
    {"depth": 0, "outcome": "match", "text": "~all"}]
})json");
  expected["level_source"]["source"] = spffrom;
  CHECK(rest == expected);
}

TEST_CASE("a check has the same keys whatever it finds, and the exit status of the text") {
  Spfcheck spfcheck;
  spfcheck.dns.txt("fail.example", "v=spf1 -all");
  spfcheck.dns.fault("down.example", DnsServer::Fault::servfail);
  std::set<std::string> first;
  const struct { Arguments who; int code; } cases[] = {
      {{"192.0.2.1", "h", "a@fail.example", "b@example.org"}, 3},
      {{"192.0.2.1", "h", "a@down.example"}, 6},
      {{"192.0.2.1", "", ""}, 5},
      {{"127.0.0.1", "h", "a@fail.example"}, 2},
  };
  for (const auto& c : cases) {
    Arguments arguments = c.who;
    arguments.insert(arguments.begin(), "--json");
    const Finished run = spfcheck.run(arguments, {{"SPFBEHAVIOR", "3"}});
    CHECK(run.code == c.code);
    const Json json = parsed(run);
    if (first.empty()) first = keys(json);
    CHECK(keys(json) == first);
    CHECK(first.size() > 20);
  }
  const Json refused = parsed(spfcheck.run({"--json", "192.0.2.1", "h", "a@fail.example", "b@example.org"}, {{"SPFBEHAVIOR", "3"}}));
  CHECK(refused["recipient"] == "b@example.org");
  CHECK(refused["replies"] == Json::parse(R"json([{"first_level": 3, "last_level": 3, "answers": [
      {"command": "MAIL", "reply": ["250 ok"]},
      {"command": "RCPT", "reply": ["550 SPF fail: fail.example does not designate 192.0.2.1 as permitted sender (#5.7.1)"]}]}])json"));
}

TEST_CASE("what DNS did not tell of a reason is a key of its own") {
  Spfcheck spfcheck;
  const TempDir control;
  control.write("spfforwarders", "down.example\n");
  spfcheck.dns.txt("fail.example", "v=spf1 -all");
  spfcheck.dns.fault("down.example", DnsServer::Fault::servfail);
  const Json json = parsed(spfcheck.run({"--json", "192.0.2.1", "h", "a@fail.example", "b@example.org"},
                                        {{"CONTROLDIR", control.path()}, {"SPFBEHAVIOR", "3"}}));
  CHECK(json["result"] == "fail");
  CHECK(json["policy"].is_null());
  CHECK(json["policy_trouble"] == "forwarder:down.example");
  CHECK(json["replies"][0]["answers"] ==
        Json::parse(R"json([{"command": "MAIL", "reply": ["451 SPF lookup failure (#4.3.0)"]}])json"));
}

TEST_CASE("a record is JSON with its remarks") {
  Spfcheck spfcheck;
  spfcheck.dns.txt("example.org", "v=spf1 a:gone.example ?all");
  const Finished run = spfcheck.run({"--json", "example.org"});
  CHECK(run.code == 1);
  const Json json = parsed(run);
  CHECK(json["milliseconds"].is_number_unsigned());
  CHECK(without_time(json) == Json::parse(R"json({
  "grade": "warnings", "domain": "example.org", "record": "v=spf1 a:gone.example ?all", "octets": 37,
  "lookups": 1, "voids": 1, "possible_voids": 0, "at_least": false,
  "remarks": [
    {"grade": "warning", "text": "example.org: ?all: nothing is said of whoever is not listed; ~all or -all would"},
    {"grade": "warning", "text": "example.org: a:gone.example: DNS has nothing for gone.example"}],
  "evaluation": [
    {"depth": 0, "cost": null, "text": "example.org TXT: 1 record (n ms)"},
    {"depth": 0, "cost": null, "text": "v=spf1 a:gone.example ?all"},
    {"depth": 0, "cost": "1 term, void", "text": "a:gone.example"},
    {"depth": 1, "cost": null, "text": "gone.example A: no such name (n ms)"},
    {"depth": 1, "cost": null, "text": "gone.example AAAA: no such name (n ms)"},
    {"depth": 0, "cost": null, "text": "?all"}]
})json"));
  const Finished none = spfcheck.run({"--json", "none.example"});
  CHECK(none.code == 5);
  const Json without = parsed(none);
  CHECK(without["record"].is_null());
  CHECK(without["remarks"] == Json::parse(R"json([{"grade": "error", "text": "none.example: no SPF record"}])json"));
}

TEST_CASE("the configuration is JSON with its settings") {
  Spfcheck spfcheck;
  const TempDir control;
  const std::string behavior = control.write("spfbehavior", "3\n");
  const Certificates& good = certificates();
  const Environment environment = {{"CONTROLDIR", control.path()}, {"SPFCERT", good.server}, {"SPFTIMEOUT", "x"}};
  const Finished run = spfcheck.run({"-C", "--json"}, environment);
  CHECK(run.code == 1);
  const Json json = parsed(run);
  CHECK(keys(json) == std::set<std::string>{"grade", "errors", "warnings", "settings", "level", "host", "tls",
                                            "certificate", "name_servers"});
  CHECK(json["grade"] == "warnings");
  CHECK(json["errors"] == Json::array());
  CHECK(json["warnings"] == Json::array({"bad SPFTIMEOUT: x: using 20"}));
  CHECK(json["settings"][1] == Json::object({{"name", "SPFBEHAVIOR"}, {"value", "3"}, {"source", behavior}, {"problem", nullptr}}));
  CHECK(json["level"] == 3);
  CHECK(json["host"] == "mx.local");
  CHECK(json["tls"] == "after STARTTLS");
  CHECK(json["certificate"]["hosts"] == Json::array({"mx.local"}));
  CHECK(json["certificate"]["until"].get<std::string>().ends_with("Z"));
  CHECK(json["name_servers"].size() == 1);
  CHECK(parsed(spfcheck.run({"--json", "-C"}, {{"SPFBEHAVIOR", "3"}}))["certificate"].is_null());
}

TEST_CASE("no octet from outside breaks the JSON") {
  Spfcheck spfcheck;
  auto& dns = spfcheck.dns;
  std::string evil = "\"\\\x1b[2J\r\n\x07\xff\x9b\xc3\xa4";  // ends in good UTF-8
  dns.txt("record.example", "v=spf1 exists:" + evil + ".example -all");
  dns.txt("exp.example", "v=spf1 mx ptr -all exp=text.example");
  dns.txt("text.example", evil);
  dns.mx("exp.example", 1, evil + ".example");
  dns.ptr("1.2.0.192.in-addr.arpa", evil + ".exp.example");
  for (const char* domain : {"record.example", "exp.example"})
    for (const Arguments& arguments : {Arguments{"--json", "192.0.2.1", evil, "a@" + std::string(domain)}, Arguments{"--json", domain}}) {
      const Json json = parsed(spfcheck.run(arguments, {{"SPFRULES", evil}, {"SPFEXP", evil}}));
      if (arguments.size() > 2) CHECK(json["helo"] == "\"\\\x1b[2J\r\n\x07\xef\xbf\xbd\xef\xbf\xbd\xc3\xa4");
    }
  const Json settings = parsed(spfcheck.run({"--json", "-C"}, {{"SPFEXP", evil}}))["settings"];
  bool found = false;
  for (const Json& setting : settings) found = found || (setting["name"] == "SPFEXP" && setting["value"].get<std::string>().ends_with("\xc3\xa4"));
  CHECK(found);
}

TEST_CASE("JSON of what is longest finds room") {
  Spfcheck spfcheck;
  // Octets of which each is written as six, in a record, its terms and all that is said of them.
  std::string record = "v=spf1";
  while (record.size() < 50000) record += " x" + std::to_string(record.size()) + "=\x01\x01\x01\x01\x01\x01\x01";
  std::string terms = "v=spf1";
  for (unsigned i = 0; terms.size() < 50000; ++i)
    terms += " ip4:10." + std::to_string(i >> 8 & 255) + '.' + std::to_string(i & 255) + ".1 ip4:10.0.0.1";
  spfcheck.dns.txt("octets.example", record + " -all");
  spfcheck.dns.txt("terms.example", terms + " -all");
  for (const char* domain : {"octets.example", "terms.example"})
    for (const Arguments& arguments : {Arguments{"--json", "192.0.2.1", domain, "a@" + std::string(domain)}, Arguments{"--json", domain}}) {
      const Finished run = spfcheck.run(arguments, {{"SPFHELO", "1"}});
      parsed(run);
      CHECK(run.out.size() > 100000);
      CHECK(run.out.size() < 1 << 20);
    }
}
