#include "spf/settings/levels.hh"

#include "tests/catch.hh"

namespace {

// "level line", or "" where there is no rule.
std::string found(const std::string& rules, const std::string& mailbox) {
  const spf::Levels levels(rules);
  const auto rule = levels.find(mailbox);
  return rule ? std::to_string(rule->level) + " " + std::to_string(rule->line) : "";
}

}  // namespace

TEST_CASE("the most specific rule counts") {
  const std::string all =
      "user@:1\n"                  // 1
      "@.example.org:2\n"          // 2
      "@.sub.example.org:3\n"      // 3
      "@example.org:4\n"           // 4
      "user@example.org:5\n"       // 5
      "@.org:6\n"                  // 6
      "user@sub.example.org:0\n";  // 7
  const struct { const char *mailbox, *expected, *why; } cases[] = {
      {"user@example.org", "5 5", "the whole address"},
      {"other@example.org", "4 4", "its domain"},
      {"user@sub.example.org", "0 7", "the whole address, below"},
      {"other@sub.example.org", "2 2", "below a domain, which is not below itself"},
      {"user@a.sub.example.org", "3 3", "the longest of several above"},
      {"other@a.b.sub.example.org", "3 3", "far below"},
      {"user@other.org", "6 6", "any domain above comes before the local part"},
      {"user@example.net", "1 1", "the local part"},
      {"user", "1 1", "the local part, without a domain"},
      {"other@example.net", "", "none"},
      {"other", "", "none without a domain"},
      {"", "", "the null sender"},
      {"xuser@example.org", "4 4", "not a part of a local part"},
      {"user@xexample.org", "6 6", "not a part of a domain"},
      {"user@org", "1 1", "the top of what is below it"},
  };
  for (const auto& c : cases) {
    INFO(c.mailbox << ": " << c.why);
    CHECK(found(all, c.mailbox) == c.expected);
  }
}

TEST_CASE("an address is the same however it is written") {
  const struct { const char *rules, *mailbox, *expected, *why; } cases[] = {
      {"User@Example.ORG:3", "uSER@eXAMPLE.org", "3 1", "case"},
      {"@.EXAMPLE.org:3", "a@b.example.ORG", "3 1", "case, below"},
      {"User@:3", "uSER@x.example", "3 1", "case, at any domain"},
      {"user@example.org:3", "user@example.org.", "3 1", "a dot at the end"},
      {"@.example.org:3", "user@a.example.org.", "3 1", "a dot at the end, below"},
      {"user@example.org:3", "\"user\"@example.org", "3 1", "quotes"},
      {"user@:3", "\"u\\ser\"@example.org", "3 1", "a backslash"},
      {"user@example.org:3", "\"us er\"@example.org", "", "a blank that is part of it"},
      {"a@b@example.org:3", "\"a@b\"@example.org", "", "no rule has two @"},
      {"@xn--bcher-kva.example:3", "a@b\xc3\xbc" "cher.example", "3 1", "a domain in UTF-8"},
      {"@xn--bcher-kva.example:3", "a@B\xc3\x9c" "CHER.example", "3 1", "a domain in UTF-8, upper case"},
      {"b\xc3\xbc" "cher@:3", "b\xc3\xbc" "cher@example.org", "3 1", "a local part in UTF-8"},
      {"@[192.0.2.1]:3", "a@[192.0.2.1]", "3 1", "an address literal"},
      {"a@[IPv6:2001:db8::1]:3", "a@[ipv6:2001:DB8::1]", "3 1", "a literal with colons"},
  };
  for (const auto& c : cases) {
    INFO(c.rules << " for " << c.mailbox << ": " << c.why);
    CHECK(found(c.rules, c.mailbox) == c.expected);
  }
}

TEST_CASE("lines of a file of rules") {
  const struct { const char *rules, *expected, *why; } cases[] = {
      {"a@b.example:3", "3 1", "no line end"},
      {"\n\n#x\na@b.example:3 \t\r\n", "3 4", "blank lines, comments, blanks at the end"},
      {"#a@b.example:3\n", "", "a comment"},
      {" a@b.example:3\n", "3 1", "a blank before it"},
      {"a@b.example:3\na@b.example:4\n", "3 1", "the first of two alike"},
      {"a@b.example:9\na@b.example:4\n", "4 2", "the first that can be used"},
      {"a@b.example:x\n@b.example:4\n", "4 2", "the most specific that can be used"},
      {"a@b.example:03\n", "3 1", "a zero before it"},
      {"", "", "nothing"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    CHECK(found(c.rules, "a@b.example") == c.expected);
  }
}

TEST_CASE("a line that can't be used is named with its number, and gives no level") {
  const struct { const char *line, *problem; } cases[] = {
      {"a@b.example", "no level from 0 to 6 after a colon"},
      {"a@b.example:", "no level from 0 to 6 after a colon"},
      {"a@b.example:7", "no level from 0 to 6 after a colon"},
      {"a@b.example: 3", "no level from 0 to 6 after a colon"},
      {"a@b.example:-1", "no level from 0 to 6 after a colon"},
      {"b.example:3", "no @"},
      {":3", "no @"},
      {"@:3", "no address"},
      {"@.:3", "no address"},
      {"a b@:3", "a blank, a quote or a control character before the @"},
      {"\"a\"@b.example:3", "a blank, a quote or a control character before the @"},
      {"a@b..:3", "a domain with a dot too many"},
      {"a@.b.example:3", "a domain with a dot too many"},
      {"@..b.example:3", "a domain with a dot too many"},
      {"@b.example.:3", "a domain with a dot too many"},
      {"a@b\xc3\xbc" "cher.example:3", "a domain that is none, or not written with A-labels"},
      {"a@b c:3", "a domain that is none, or not written with A-labels"},
      {"a@b@c.example:3", "a domain that is none, or not written with A-labels"},
      {"@*.example:3", "a domain that is none, or not written with A-labels"},
  };
  for (const auto& c : cases) {
    INFO(c.line);
    const spf::Levels levels("#\nx@:2\n" + std::string(c.line) + "\n");
    for (unsigned level = 0; level <= spf::max_level; ++level) CHECK(levels.have(level) == (level == 2));
    const spf::Levels::Problems problems = levels.problems(10);
    REQUIRE(problems.named.size() == 1);
    CHECK(problems.more == 0);
    CHECK(problems.named[0].starts_with("line 3: " + std::string(c.problem) + ": "));
    for (const char octet : problems.named[0]) CHECK((octet >= ' ' && octet <= '~'));
  }
  const spf::Levels many("x\ny\nz@:1\nu\n");
  CHECK(many.problems(2).named.size() == 2);
  CHECK(many.problems(2).more == 1);
  CHECK(many.problems(0).more == 3);
  CHECK(many.problems(3).named[2].starts_with("line 4: "));
}
