// What control/spfforwarders may say.
#include "spf/engine/forwarders.hh"

#include <string>

#include "spf/engine/exemption.hh"
#include "tests/catch.hh"

using namespace spf;

TEST_CASE("a line is an address, a network or a domain, or a problem") {
  const struct { const char* line; const char* told; } cases[] = {
      {"192.0.2.1", "192.0.2.1/32"},
      {"192.0.2.0/24", "192.0.2.0/24"},
      {"192.0.2.77/24", "192.0.2.77/24"},  // what is behind the prefix doesn't count
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"192.0.2.0/32", "192.0.2.0/32"},
      {"192.0.2.0/33", "line 1: bad prefix length: 192.0.2.0/33"},
      {"192.0.2.0/", "line 1: bad prefix length: 192.0.2.0/"},
      {"192.0.2.0/-1", "line 1: bad prefix length: 192.0.2.0/-1"},
      {"192.0.2.0/2 4", "line 1: bad prefix length: 192.0.2.0/2 4"},
      {"192.0.2.0/24/8", "line 1: bad prefix length: 192.0.2.0/24/8"},
      {"2001:db8::1", "2001:db8::1/128"},
      {"2001:DB8::/32", "2001:db8::/32"},
      {"::/0", "::/0"},
      {"2001:db8::/129", "line 1: bad prefix length: 2001:db8::/129"},
      {"2001:db8::/4294967328", "line 1: bad prefix length: 2001:db8::/4294967328"},
      // A mapped address is the IPv4 address in it, and so is a network of them.
      {"::ffff:192.0.2.1", "192.0.2.1/32"},
      {"::ffff:192.0.2.0/120", "192.0.2.0/24"},
      {"::ffff:0:0/96", "0.0.0.0/0"},
      {"::ffff:0:0/95", "line 1: bad prefix length: ::ffff:0:0/95"},
      {"::ffff:192.0.2.0/24", "line 1: bad prefix length: ::ffff:192.0.2.0/24"},
      {"example.org", "example.org"},
      {"  Example.ORG. ", "Example.ORG"},
      {"_spf.a-b.example", "_spf.a-b.example"},
      {"b\xc3\xbc" "cher.example", "xn--bcher-kva.example"},
      {"# 192.0.2.1", ""},
      {"org", "line 1: neither a domain nor an address: org"},
      {"192.0.2.", "line 1: neither a domain nor an address: 192.0.2."},
      {"192.0.2", "line 1: neither a domain nor an address: 192.0.2"},
      {"192.0.2.256", "line 1: neither a domain nor an address: 192.0.2.256"},
      {"2001:db8:::1", "line 1: neither a domain nor an address: 2001:db8:::1"},
      {"[192.0.2.1]", "line 1: neither a domain nor an address: [192.0.2.1]"},
      {"@example.org", "line 1: neither a domain nor an address: @example.org"},
      {".example.org", "line 1: neither a domain nor an address: .example.org"},
      {"a..example", "line 1: neither a domain nor an address: a..example"},
      {"example.org/24", "line 1: neither a domain nor an address: example.org/24"},
      {"example.org # ours", "line 1: neither a domain nor an address: example.org # ours"},
      {"a.example b.example", "line 1: neither a domain nor an address: a.example b.example"},
      {"\xff\xfe.example", "line 1: neither a domain nor an address: __.example"},
  };
  for (const auto& c : cases) {
    const Forwarders found = parse_forwarders(c.line);
    std::string told;
    for (const auto& network : found.networks)
      told += network.address.text() + "/" + std::to_string(network.prefix);
    for (const auto& text : found.domains) told += text;
    for (const auto& text : found.problems) told += text;
    INFO(c.line);
    CHECK(told == c.told);
  }
}

TEST_CASE("a line with a NUL, or one without end, is a problem that is short") {
  for (const std::string& line : {std::string("192.0.2.1\0", 10), std::string("a\0b.example", 11),
                                  std::string(300, 'a') + ".example", std::string(70000, '.'),
                                  std::string(64, 'a') + ".example"}) {
    const Forwarders found = parse_forwarders(line);
    CHECK(found.networks.empty());
    CHECK(found.domains.empty());
    REQUIRE(found.problems.size() == 1);
    CHECK(found.problems[0].size() < 140);
  }
}

TEST_CASE("problems have the numbers of the file's lines, and the setting's name") {
  CHECK(forwarder_problems("# whom we trust\n\nexample.org\nb c\n192.0.2.0/24\n192.0.2.0/99\n") ==
        std::vector<std::string>{"spfforwarders: line 4: neither a domain nor an address: b c",
                                 "spfforwarders: line 6: bad prefix length: 192.0.2.0/99"});
  CHECK(forwarder_problems("").empty());
}

TEST_CASE("a domain counts once, and those after the twentieth not at all, once said") {
  std::string text;
  for (int i = 1; i <= 20; ++i) text += "d" + std::to_string(i) + ".example\n";
  text += "D1.example\n";
  CHECK(parse_forwarders(text).domains.size() == 20);
  CHECK(parse_forwarders(text).problems.empty());
  const Forwarders found = parse_forwarders(text + "a.example\nb.example\n192.0.2.1\nbad\n");
  CHECK(found.domains.size() == most_forwarder_domains);
  CHECK(found.domains.back() == "d20.example");
  CHECK(found.networks.size() == 1);
  CHECK(found.problems ==
        std::vector<std::string>{"line 22: more than 20 domains: this one and those after it are left out",
                                 "line 25: neither a domain nor an address: bad"});
}
