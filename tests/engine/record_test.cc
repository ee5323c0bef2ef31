#include "spf/engine/record.hh"

#include <string>

#include "spf/engine/macro.hh"
#include "tests/catch.hh"

using namespace spf;
using namespace std::string_literals;

namespace {

std::string problem_of(const std::string& text) {
  const auto parsed = parse_record(text);
  const auto* problem = std::get_if<SyntaxProblem>(&parsed);
  return problem ? problem->term + ": " + problem->what : "";
}

const std::string label63(63, 'a');

}  // namespace

TEST_CASE("a record starts with its version and a space, in any case") {
  for (const char* text : {"v=spf1", "v=spf1 ", "V=SPF1 -all", "v=spf1 a"}) CHECK(is_spf_record(text));
  for (const char* text : {"", "v=spf", "v=spf10", "v=spf1\t-all", "v=spf1-all", " v=spf1", "v=spf2.0/pra"})
    CHECK_FALSE(is_spf_record(text));
}

TEST_CASE("a good record is read") {
  const std::string good[] = {
      "v=spf1", "v=spf1   ", "v=spf1 a  -all ",          // spaces are spaces
      "v=spf1 ALL", "v=spf1 +all ?All ~aLL",
      "v=spf1 a mx ptr", "v=spf1 a/24 mx//64 a/24//64", "v=spf1 a/0 a//0 a/0//0 mx/32//128",
      "v=spf1 a:example.org a:example.org. a:example.org/24 mx:example.org//64",
      "v=spf1 a:foo:bar/baz.example.org",                // any printable octet in a label
      "v=spf1 a:_spf.example.org a:a_b.example.org",
      "v=spf1 a:example.xn--zckzah a:example.a1 a:example.1a",
      "v=spf1 a:" + label63 + ".example.org",
      "v=spf1 a:.com",                                   // macro-string may be empty
      "v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24 ip4:0.0.0.0/0 -IP4:192.0.2.1/32",
      "v=spf1 ip6:2001:db8::/32 ip6:::1 ip6:::ffff:192.0.2.1/96 ip6:::/0 ip6:1:2:3:4:5:6:7:8/128",
      "v=spf1 exists:%{i}._spf.%{d} include:%{d2} exists:%{l1r+-}.%{o}",
      "v=spf1 exists:%{dR.-+,/_=}.example.org", "v=spf1 exists:a%%b%_c%-d.example.org",
      "v=spf1 exists:%{d}%%", "v=spf1 exists:%{d}%-",    // domain-end is any macro-expand
      "v=spf1 exists:%{d999}.example.org", "v=spf1 exists:%{d01}.example.org",
      "v=spf1 redirect=example.org exp=exp.example.org", "v=spf1 Redirect=example.org",
      "v=spf1 moo.cow-far_out=man:dog/cat ip4:192.0.2.1", "v=spf1 foo= bar=%{c}%{r}%{t}",
      "v=spf1 default=pass", "v=spf1 a=b", "v=spf1 foo=1 foo=2",
  };
  for (const auto& text : good) {
    INFO(text);
    CHECK(problem_of(text) == "");
  }
}

TEST_CASE("one syntax error spoils a record") {
  const std::string bad[] = {
      "v=spf1 moo", "v=spf1 -", "v=spf1 +-all", "v=spf1 a -all moo",
      "v=spf1 all.", "v=spf1 all:example.org", "v=spf1 all/8",
      "v=spf1 include", "v=spf1 include:", "v=spf1 include:example.org/24", "v=spf1 include:org",
      "v=spf1 exists", "v=spf1 exists:", "v=spf1 exists:example.org/24", "v=spf1 exists/24",
      "v=spf1 ptr:", "v=spf1 ptr/0", "v=spf1 ptr.", "v=spf1 ptr:example.org/8",
      "v=spf1 a:", "v=spf1 a:example", "v=spf1 a:example.", "v=spf1 a:192.0.2.1", "v=spf1 a:abc.123",
      "v=spf1 a:example.-com", "v=spf1 a:example.com-", "v=spf1 a:example.com:8080", "v=spf1 a:example..",
      "v=spf1 a:%{d}org", "v=spf1 a/33", "v=spf1 a//129", "v=spf1 a/032", "v=spf1 a/24/64", "v=spf1 a/",
      "v=spf1 a//", "v=spf1 a/24//", "v=spf1 a///64", "v=spf1 a/9999999999", "v=spf1 a/-1", "v=spf1 aa",
      "v=spf1 ip4", "v=spf1 ip4:", "v=spf1 ip4:192.0.2", "v=spf1 ip4:192.0.2.256", "v=spf1 ip4:192.0.2.01",
      "v=spf1 ip4:192.0.2.1/33", "v=spf1 ip4:192.0.2.1/", "v=spf1 ip4:192.0.2.1/024",
      "v=spf1 ip4:192.0.2.1//32", "v=spf1 ip4:192.0.2.1:25", "v=spf1 ip4:::1", "v=spf1 ip4/24",
      "v=spf1 ip6", "v=spf1 ip6:", "v=spf1 ip6:::1/129", "v=spf1 ip6:::1//64", "v=spf1 ip6::CAFE::BABE",
      "v=spf1 ip6:1:2:3:4:5:6:7", "v=spf1 ip6:fe80::1%eth0", "v=spf1 ip6:192.0.2.1",
      "v=spf1 redirect=", "v=spf1 redirect=all", "v=spf1 redirect:example.org", "v=spf1 exp=",
      "v=spf1 exp=%{r}.example.org", "v=spf1 exists:%{c}.example.org", "v=spf1 redirect=%{t}.example.org",
      "v=spf1 redirect=a.example redirect=a.example", "v=spf1 exp=a.example exp=b.example",
      "v=spf1 -redirect=example.org", "v=spf1 =all", "v=spf1 1up=foo", "v=spf1 foo/bar=baz",
      "v=spf1 foo=%abc", "v=spf1 foo=%", "v=spf1 foo=%{", "v=spf1 foo=%{}", "v=spf1 foo=%{d",
      "v=spf1 exists:%(d).example.org", "v=spf1 exists:foo%.example.org", "v=spf1 exists:%{x}.example.org",
      "v=spf1 exists:%{d0}.example.org", "v=spf1 exists:%{d00r}.example.org",
      "v=spf1 exists:%{dr2}.example.org", "v=spf1 exists:%{d-r}.example.org", "v=spf1 exists:%{d|}.example.org",
      "v=spf1 exists:%{ dr}.example.org",
      "v=spf1 a:ex\xc3\xa4mple.org", "v=spf1 \x80" "a:example.org", "v=spf1 a:example.org \x96" "all",
      "v=spf1 a:example.org\0"s, "v=spf1\t-all", "v=spf1 a\t-all", "v=spf1 a\r\n-all", "v=spf1 foo=\x7f",
  };
  for (const auto& text : bad) {
    INFO(text);
    CHECK(problem_of(text) != "");
  }
}

TEST_CASE("a problem names its term") {
  CHECK(problem_of("v=spf1 a mx moo -all") == "moo: unknown mechanism");
  CHECK(problem_of("v=spf1 a/33 moo") == "a/33: bad IPv4 prefix length");  // the first
  CHECK(problem_of("v=spf1 exp=a.example exp=b.example") == "exp=b.example: given twice");
}

TEST_CASE("a directive keeps what was published and what it means") {
  const auto record = std::get<Record>(parse_record("v=spf1 ~A:foo.example/24//64 ip6:2001:DB8::/32"));
  REQUIRE(record.directives.size() == 2);
  const Directive& a = record.directives[0];
  CHECK(a.qualifier == Qualifier::softfail);
  CHECK(a.mechanism == Mechanism::a);
  CHECK(a.text == "~A:foo.example/24//64");
  CHECK(a.domain_spec == "foo.example");
  CHECK(a.prefix4 == 24);
  CHECK(a.prefix6 == 64);
  CHECK(a.position == 7);
  CHECK(a.asks_dns());
  const Directive& ip6 = record.directives[1];
  CHECK(ip6.network[1] == 0x01);
  CHECK(ip6.network[3] == 0xb8);
  CHECK(ip6.prefix6 == 32);
  CHECK_FALSE(ip6.asks_dns());
}

TEST_CASE("modifiers stand anywhere and are kept apart") {
  const auto record =
      std::get<Record>(parse_record("v=spf1 exp=e.example a redirect=r.example x=1 -all x=2"));
  CHECK(record.directives.size() == 2);
  CHECK(record.exp == "e.example");
  CHECK(record.redirect == "r.example");
  REQUIRE(record.unknown.size() == 2);
  CHECK(record.unknown[1].name == "x");
  CHECK(record.unknown[1].value == "2");
}

TEST_CASE("a record of any length is read") {
  std::string text = "v=spf1";
  for (int i = 0; i < 5000; ++i) text += " ip4:192.0." + std::to_string(i % 256) + ".0/24";
  CHECK(std::get<Record>(parse_record(text)).directives.size() == 5000);
  CHECK(problem_of("v=spf1 x=" + std::string(60000, 'x')) == "");
  CHECK(problem_of("v=spf1 a:" + std::string(60000, '.')) != "");
}

TEST_CASE("one record among TXT records is chosen, and more are counted") {
  const std::vector<std::string> none = {"hello", "v=spf10"}, one = {"hello", "v=spf1 a"},
                                 two = {"v=spf1 a", "", "V=SPF1 b"};
  CHECK(select_record(none).count == 0);
  CHECK(select_record(none).text == nullptr);
  CHECK(*select_record(one).text == "v=spf1 a");
  CHECK(select_record(two).count == 2);
}

TEST_CASE("of local terms what is wrong is left out and reported") {
  const Terms terms = parse_terms("ip4:192.0.2.1 moo a/24 redirect=example.org exp=e.example -all");
  CHECK(terms.directives.size() == 3);
  REQUIRE(terms.problems.size() == 3);
  CHECK(terms.problems[0].term == "moo");
  CHECK(terms.problems[1].what == "a modifier has no place here");
  CHECK(parse_terms("").directives.empty());
  CHECK(parse_terms("v=spf1 a mx").directives.size() == 2);
  CHECK(parse_terms("v=spf1 a mx").problems.empty());
}

TEST_CASE("an explanation may hold spaces and every macro") {
  for (const char* text : {"", "See http://example.org/?%{S}", "%{c} %{r} %{t} 100%%", "a  b"})
    CHECK_FALSE(macro_problem(text, MacroUse::explanation));
  for (const char* text : {"%{x}", "100%", "\xef\xbb\xbf" "bom", "tab\there", "a\r\nb", "\x1b[2J"})
    CHECK(macro_problem(text, MacroUse::explanation));
}

TEST_CASE("a macro-string comes apart into literals and macros") {
  std::string_view text = "a%%%_%-%{L12R+-}b";
  CHECK(next_macro_piece(text)->literal == "a");
  CHECK(next_macro_piece(text)->literal == "%");
  CHECK(next_macro_piece(text)->literal == " ");
  CHECK(next_macro_piece(text)->literal == "%20");
  const auto macro = next_macro_piece(text);
  CHECK(macro->letter == 'l');
  CHECK(macro->escape);
  CHECK(macro->parts == 12);
  CHECK(macro->reverse);
  CHECK(macro->delimiters == "+-");
  CHECK(next_macro_piece(text)->literal == "b");
  CHECK(text.empty());
}

TEST_CASE("networks match by their prefix, zero included, in one family") {
  const struct { const char* client; const char* term; bool match; } cases[] = {
      {"192.0.2.1", "ip4:192.0.2.1", true},
      {"192.0.2.2", "ip4:192.0.2.1", false},
      {"192.0.2.2", "ip4:192.0.2.1/32", false},
      {"192.0.2.200", "ip4:192.0.2.1/24", true},
      {"192.0.3.1", "ip4:192.0.2.1/23", true},
      {"203.0.113.1", "ip4:192.0.2.1/1", true},
      {"3.0.113.1", "ip4:192.0.2.1/1", false},
      {"203.0.113.1", "ip4:10.0.0.0/0", true},
      {"2001:db8::1", "ip4:10.0.0.0/0", false},
      {"2001:db8::1", "ip6:2001:db8::/32", true},
      {"2001:db9::1", "ip6:2001:db8::/32", false},
      {"2001:db9::1", "ip6:2001:db8::/31", true},
      {"2001:db8::1", "ip6:2001:DB8:0::0:1", true},
      {"2001:db8::1", "ip6:::/0", true},
      {"192.0.2.1", "ip6:::/0", false},
      {"192.0.2.1", "ip6:::ffff:192.0.2.1", false},    // a mapped client is an IPv4 one
      {"::fffe:0:1", "ip6:::ffff:0:0/90", true},     // a network round the mapped ones
  };
  for (const auto& c : cases) {
    INFO(c.client << " " << c.term);
    const Terms terms = parse_terms(c.term);
    REQUIRE(terms.directives.size() == 1);
    CHECK(terms.directives.front().has_in_network(*Address::parse(c.client)) == c.match);
  }
}
