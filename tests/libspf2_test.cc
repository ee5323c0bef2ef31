#include "spf/libspf2.hh"

#include <algorithm>
#include <stdexcept>

#include "spf/macro.hh"
#include "tests/catch.hh"
#include "tests/support/fake_resolver.hh"

using namespace spf;
using Match = Libspf2::Match;

namespace {

Identities someone(const char* client, const char* sender = "strong-bad@email.example.com") {
  return {*Address::parse(client), sender, "mx.example.org", "mx.local"};
}

std::string expanded(std::string_view text, const Identities& who,
                     const std::string& domain = "email.example.com") {
  FakeResolver resolver;
  INFO(text);
  REQUIRE_FALSE(macro_problem(text, MacroUse::explanation));
  return Libspf2(resolver, who).expand(text, domain);
}

Match matched(FakeResolver& resolver, const char* client, std::string_view term,
              const std::string& target = "example.org") {
  const Terms terms = parse_terms(term);
  REQUIRE(terms.directives.size() == 1);
  return Libspf2(resolver, someone(client)).match(terms.directives.front(), target);
}

}  // namespace

TEST_CASE("macros expand as in RFC 7208 section 7.4") {
  const struct { const char* text; const char* expansion; } cases[] = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d}", "email.example.com"},
      {"%{d4}", "email.example.com"},  // more parts than there are
      {"%{d3}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
      {"%{h} %{c} %{r}", "mx.example.org 192.0.2.3 mx.local"},
      {"%%%_%-", "% %20"},
      {"%{d200}", "email.example.com"},
  };
  for (const auto& c : cases) CHECK(expanded(c.text, someone("192.0.2.3")) == c.expansion);
}

TEST_CASE("an IPv6 client expands to nibbles, and prettily") {
  const auto who = someone("2001:db8::cb01");
  CHECK(expanded("%{ir}.%{v}", who) == "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6");
  CHECK(expanded("%{c}", who) == "2001:db8::cb01");
  CHECK(expanded("%{C}", who) == "2001%3Adb8%3A%3Acb01");
}

TEST_CASE("delimiters split, and dots join") {
  const struct { const char* sender; const char* text; const char* expansion; } cases[] = {
      {"a.b-c+d,e/f_g=h@x.example", "%{l.-+,/_=}", "a.b.c.d.e.f.g.h"},
      {"a.b-c+d,e/f_g=h@x.example", "%{lr,/}", "f_g=h.e.a.b-c+d"},
      {"a.b-c+d,e/f_g=h@x.example", "%{l2r,/}", "e.a.b-c+d"},  // reversed, then cut
      {"a,b@x.example", "%{lr,}", "b.a"},
      {"a/b@x.example", "%{lr/}", "b.a"},
      {"a.b@x.example", "%{lr-}", "a.b"},           // a dot is no delimiter here
      {"-a-@x.example", "%{lr-}", ".a."},           // empty parts stay
      {"--@x.example", "%{l1-}", ""},
      {"a|b@x.example", "%{lr}", "a|b"},            // libspf2's own delimiter is none
      {"a%b@x.example", "%{l}", "a%b"},             // a value is not expanded again
      {"%{d}@x.example", "%{l}", "%{d}"},
      {"a@b@x.example", "%{l} %{o}", "a@b x.example"},
      {"\"a@b\"@x.example", "%{l} %{o} %{s}", "\"a@b\" x.example \"a@b\"@x.example"},
  };
  for (const auto& c : cases) {
    INFO(c.sender);
    CHECK(expanded(c.text, someone("192.0.2.3", c.sender)) == c.expansion);
  }
}

TEST_CASE("upper case letters URL-escape what RFC 3986 reserves, any octet") {
  CHECK(expanded("%{L}", someone("192.0.2.3", "~jack&jill=up-a_b3.c@x.example")) == "~jack%26jill%3Dup-a_b3.c");
  CHECK(expanded("%{L}", someone("192.0.2.3", "!*'()/?\x01\x7f@x.example")) == "%21%2A%27%28%29%2F%3F%01%7F");
  CHECK(expanded("%{L}", someone("192.0.2.3", "\xc3\xa9\xff@x.example")) == "%C3%A9%FF");
  CHECK(expanded("%{LR-}", someone("192.0.2.3", "a&-b@x.example")) == "b.a%26");
}

TEST_CASE("values of any length expand whole") {
  const std::string local(5000, '\xe9');
  Identities who = someone("192.0.2.3");
  who.sender = local + "@x.example";
  who.helo = std::string(3000, 'h');
  CHECK(expanded("%{l}", who) == local);
  CHECK(expanded("%{S}", who).size() == 3 * 5000 + 3 + 9);
  CHECK(expanded("%{h}%{h}", who).size() == 6000);
  who.helo = "";
  who.receiver = "";
  CHECK(expanded("[%{h}][%{hr}][%{h1}] %{r}", who) == "[][][] unknown");
}

// libspf2 compiles at most 511 octets, 255 in one literal, and miscounts just
// there (CVE-2023-42118). None of this is ever compiled.
TEST_CASE("a macro-string of any length expands, also round libspf2's limits") {
  const auto who = someone("192.0.2.3");
  for (std::size_t size : {1, 250, 251, 254, 255, 256, 500, 503, 504, 505, 506, 507, 508, 509, 510, 511, 512, 4000, 60000}) {
    const std::string text(size, 'x');
    CHECK(expanded(text, who) == text);
    CHECK(expanded(text + "%{d1}", who) == text + "com");
    CHECK(expanded("%{d1}" + text + "%%", who) == "com" + text + "%");
  }
  std::string macros, expansion;
  for (int i = 0; i < 600; ++i) macros += "%{d1}", expansion += "com";
  CHECK(expanded(macros, who) == expansion);
}

TEST_CASE("networks match by their prefix, zero included, in one family") {
  const struct { const char* client; const char* term; Match match; } cases[] = {
      {"192.0.2.1", "ip4:192.0.2.1", Match::yes},
      {"192.0.2.2", "ip4:192.0.2.1", Match::no},
      {"192.0.2.2", "ip4:192.0.2.1/32", Match::no},
      {"192.0.2.200", "ip4:192.0.2.1/24", Match::yes},
      {"192.0.3.1", "ip4:192.0.2.1/23", Match::yes},
      {"203.0.113.1", "ip4:192.0.2.1/1", Match::yes},
      {"3.0.113.1", "ip4:192.0.2.1/1", Match::no},
      {"203.0.113.1", "ip4:10.0.0.0/0", Match::yes},
      {"2001:db8::1", "ip4:10.0.0.0/0", Match::no},
      {"2001:db8::1", "ip6:2001:db8::/32", Match::yes},
      {"2001:db9::1", "ip6:2001:db8::/32", Match::no},
      {"2001:db9::1", "ip6:2001:db8::/31", Match::yes},
      {"2001:db8::1", "ip6:2001:DB8:0::0:1", Match::yes},
      {"2001:db8::1", "ip6:::/0", Match::yes},
      {"192.0.2.1", "ip6:::/0", Match::no},
      {"192.0.2.1", "ip6:::ffff:192.0.2.1", Match::no},    // a mapped client is an IPv4 one
      {"::fffe:0:1", "ip6:::ffff:0:0/90", Match::yes},     // a network round the mapped ones
  };
  for (const auto& c : cases) {
    INFO(c.client << " " << c.term);
    FakeResolver resolver;
    CHECK(matched(resolver, c.client, c.term) == c.match);
    CHECK(resolver.looked_up.empty());
  }
}

TEST_CASE("a, mx and exists match what DNS says of the target") {
  FakeResolver resolver;
  resolver.a("example.org", "192.0.2.1");
  resolver.a("example.org", "192.0.2.9");
  resolver.aaaa("example.org", "2001:db8::1");
  resolver.mx("example.org", "mx1.example.org");
  resolver.mx("example.org", "mx2.example.org");
  resolver.a("mx2.example.org", "198.51.100.7");
  resolver.mx("null.example", "");
  resolver.a("v4.example", "192.0.2.1");
  resolver.mx("v4.example", "v4.example");
  resolver.aaaa("v6.example", "::ffff:192.0.2.1");
  resolver.trouble("bad.example", RrType::a);
  resolver.trouble("bad.example", RrType::mx);
  resolver.mx("halfbad.example", "bad.example");
  const struct { const char* client; const char* term; const char* target; Match match; } cases[] = {
      {"192.0.2.9", "a", "example.org", Match::yes},
      {"192.0.2.9", "a", "EXAMPLE.org.", Match::yes},
      {"192.0.2.8", "a", "example.org", Match::no},
      {"192.0.2.8", "a/30", "example.org", Match::yes},
      {"192.0.2.8", "a//1", "example.org", Match::no},     // the other family's prefix
      {"2001:db8::1", "a", "example.org", Match::yes},
      {"2001:db8::2", "a/1", "example.org", Match::no},
      {"2001:db8::2", "a//64", "example.org", Match::yes},
      {"203.0.113.1", "a/0", "example.org", Match::yes},
      {"203.0.113.1", "a/0", "nothing.example", Match::no},  // /0 still needs an address
      {"2001:db9::1", "a//0", "example.org", Match::yes},
      {"2001:db9::1", "a//0", "v4.example", Match::no},
      {"192.0.2.1", "a", "v6.example", Match::no},
      {"2001:db8::1", "a", "v6.example", Match::no},       // an AAAA with a mapped address
      {"192.0.2.1", "a", "bad.example", Match::dns_trouble},
      {"192.0.2.1", "a", "", Match::no},
      {"198.51.100.7", "mx", "example.org", Match::yes},
      {"198.51.100.8", "mx", "example.org", Match::no},
      {"198.51.100.8", "mx/29", "example.org", Match::no},
      {"198.51.100.8", "mx/28", "example.org", Match::yes},
      {"203.0.113.1", "mx/0", "example.org", Match::yes},
      {"203.0.113.1", "mx/0", "null.example", Match::no},
      {"192.0.2.1", "mx", "nothing.example", Match::no},
      {"2001:db8::1", "mx//0", "v4.example", Match::no},
      {"192.0.2.1", "mx", "bad.example", Match::dns_trouble},
      {"192.0.2.1", "mx", "halfbad.example", Match::dns_trouble},
      {"203.0.113.1", "exists:x.example", "example.org", Match::yes},
      {"2001:db8::5", "exists:x.example", "v4.example", Match::yes},  // A for IPv6 clients too
      {"2001:db8::5", "exists:x.example", "v6.example", Match::no},
      {"203.0.113.1", "exists:x.example", "bad.example", Match::dns_trouble},
  };
  for (const auto& c : cases) {
    INFO(c.client << " " << c.term << " at " << c.target);
    CHECK(matched(resolver, c.client, c.term, c.target) == c.match);
  }
}

TEST_CASE("of MX names ten are tried, and more are an error unless one of the ten matches") {
  for (const int count : {10, 11}) {
    FakeResolver resolver;
    for (int i = 1; i <= count; ++i) {
      const std::string name = "mx" + std::to_string(i) + ".example.org";
      resolver.mx("example.org", name);
      resolver.a(name, "192.0.2." + std::to_string(i));
    }
    CHECK(matched(resolver, "192.0.2.10", "mx") == Match::yes);
    CHECK(matched(resolver, "192.0.2.11", "mx") == (count == 10 ? Match::no : Match::too_many_mx));
    CHECK(std::count(resolver.looked_up.begin(), resolver.looked_up.end(),
                     FakeResolver::Key{"mx11.example.org", RrType::a}) == 0);
  }
}

TEST_CASE("ptr matches a validated name in the target") {
  FakeResolver resolver;
  const char* reverse = "1.2.0.192.in-addr.arpa";
  resolver.trouble("bad.example.org", RrType::a);
  for (const char* name : {"bad.example.org", "mail.Example.ORG", "example.net", "fake.example.com"})
    resolver.ptr(reverse, name);
  resolver.a("mail.example.org", "192.0.2.1");
  resolver.a("example.net", "192.0.2.1");
  resolver.a("fake.example.com", "192.0.2.99");
  resolver.ptr("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "six.example.org");
  resolver.aaaa("six.example.org", "2001:db8::1");
  resolver.trouble("9.2.0.192.in-addr.arpa", RrType::ptr);
  const struct { const char* client; const char* target; Match match; } cases[] = {
      {"192.0.2.1", "example.org", Match::yes},      // a name that fails is passed over
      {"192.0.2.1", "mail.example.org", Match::yes},
      {"192.0.2.1", "il.example.org", Match::no},    // whole labels only
      {"192.0.2.1", "example.net", Match::yes},
      {"192.0.2.1", "example.com", Match::no},       // not validated
      {"192.0.2.1", "org.", Match::yes},
      {"192.0.2.2", "example.org", Match::no},
      {"192.0.2.9", "example.org", Match::no},       // trouble is no match (section 5.5)
      {"2001:db8::1", "example.org", Match::yes},
      {"2001:db8::1", "example.com", Match::no},
  };
  for (const auto& c : cases) {
    INFO(c.client << " at " << c.target);
    CHECK(matched(resolver, c.client, "ptr", c.target) == c.match);
  }
}

TEST_CASE("of PTR names the first ten count, and more are no error") {
  FakeResolver resolver;
  for (int i = 1; i <= 12; ++i) {
    const std::string name = "h" + std::to_string(i) + ".example.org";
    resolver.ptr("1.2.0.192.in-addr.arpa", name);
    resolver.a(name, i < 10 ? "198.51.100.1" : "192.0.2.1");
  }
  CHECK(matched(resolver, "192.0.2.1", "ptr", "h10.example.org") == Match::yes);
  CHECK(matched(resolver, "192.0.2.1", "ptr", "h11.example.org") == Match::no);
}

TEST_CASE("%{p} is a validated name, best one of the domain, else unknown") {
  FakeResolver resolver;
  const char* reverse = "1.2.0.192.in-addr.arpa";
  for (const char* name : {"fake.example.com", "other.example", "a.example.org", "example.org"})
    resolver.ptr(reverse, name);
  for (const char* name : {"other.example", "a.example.org", "example.org"}) resolver.a(name, "192.0.2.1");
  resolver.trouble("9.2.0.192.in-addr.arpa", RrType::ptr);
  resolver.ptr("8.2.0.192.in-addr.arpa", "nowhere.example");
  Libspf2 known(resolver, someone("192.0.2.1"));
  CHECK(known.expand("%{p}", "example.org") == "example.org");
  CHECK(known.expand("%{pr}", "a.example.org") == "org.example.a");
  CHECK(known.expand("%{p}", "example") == "other.example");
  CHECK(known.expand("%{p}", "example.com") == "other.example");  // the first that is valid
  for (const char* client : {"192.0.2.9", "192.0.2.8", "192.0.2.7", "2001:db8::1"})
    CHECK(Libspf2(resolver, someone(client)).expand("%{p}", "example.org") == "unknown");
}

TEST_CASE("what a resolver throws comes out whole, and the next term is unharmed") {
  struct Throwing : FakeResolver {
    bool armed = true;
    const Answer& lookup(std::string_view name, RrType type) override {
      if (armed) throw std::runtime_error("resolver broke");
      return FakeResolver::lookup(name, type);
    }
  } resolver;
  resolver.a("example.org", "192.0.2.1");
  Libspf2 libspf2(resolver, someone("192.0.2.1"));
  for (const char* term : {"a", "mx", "ptr", "exists:x.example"})
    CHECK_THROWS_WITH(libspf2.match(parse_terms(term).directives.front(), "example.org"), "resolver broke");
  CHECK_THROWS_WITH(libspf2.expand("%{p}", "example.org"), "resolver broke");
  resolver.armed = false;
  CHECK(libspf2.match(parse_terms("a").directives.front(), "example.org") == Match::yes);
}

TEST_CASE("names of any octets and lengths are asked as they are") {
  FakeResolver resolver;
  const std::string odd = "a b%{d}%00:/\xff.example.org";
  resolver.a(odd, "192.0.2.1");
  CHECK(matched(resolver, "192.0.2.1", "a/24", odd) == Match::yes);
  CHECK(matched(resolver, "192.0.2.1", "exists:x.example", odd) == Match::yes);
  for (const std::size_t size : {62, 63, 64, 65, 253, 254, 255, 256, 1000, 70000})
    CHECK(matched(resolver, "192.0.2.1", "a", std::string(size, 'x')) == Match::no);
}
