#include "spf/base/dns_name.hh"

#include "tests/catch.hh"

using namespace spf;
using std::string;

TEST_CASE("DNS can carry 253 octets in labels of 1 to 63") {
  const string label(63, 'a'), longest = label + '.' + label + '.' + label + '.' + string(61, 'a');
  const struct { string name; bool carried; } cases[] = {
      {"example.org", true},
      {"example.org.", true},     // a trailing dot is nothing
      {"org", true},
      {"a b.\"\\\xff", true},     // any octets
      {label + ".org", true},
      {label + "a.org", false},
      {longest, true},
      {longest + ".", true},
      {longest + "a", false},
      {"", false},
      {".", false},
      {"..", false},
      {".org", false},
      {"a..org", false},
      {"example.org..", false},
  };
  for (const auto& c : cases) {
    INFO(c.name);
    CHECK(is_dns_name(c.name) == c.carried);
  }
  CHECK(longest.size() == longest_name);
}

TEST_CASE("a name is within itself and the domains above it") {
  const struct { const char* name; const char* domain; bool within; } cases[] = {
      {"example.org", "example.org", true},
      {"mail.example.org", "example.org", true},
      {"a.b.example.org", "example.org", true},
      {"MAIL.Example.ORG", "example.org.", true},  // any case; the domain's trailing dot
      {"notexample.org", "example.org", false},
      {"org", "example.org", false},
      {"example.org", "mail.example.org", false},
      {".example.org", "example.org", true},
      {"example.org", "", false},
      {"example.org.", ".", false},
      {"", "example.org", false},
      {"", "", false},
  };
  for (const auto& c : cases) {
    INFO(c.name << " | " << c.domain);
    CHECK(is_within(c.name, c.domain) == c.within);
  }
}

TEST_CASE("all spellings of a name are one") {
  CHECK(canonical_name("Example.ORG.") == "example.org");
  CHECK(canonical_name("example.org") == "example.org");
  CHECK(canonical_name(".") == "");
  CHECK(without_trailing_dot("a..") == "a.");
  CHECK(without_trailing_dot("") == "");
}
