#include "spf/engine/libspf2.hh"

#include <algorithm>
#include <stdexcept>

#include "tests/catch.hh"
#include "tests/support/fake_resolver.hh"

using namespace spf;
using Match = Libspf2::Match;

namespace {

Match matched(FakeResolver& resolver, const char* client, std::string_view term,
              const std::string& target = "example.org") {
  const Terms terms = parse_terms(term);
  REQUIRE(terms.directives.size() == 1);
  return Libspf2(resolver, *Address::parse(client)).match(terms.directives.front(), target);
}

}  // namespace

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

TEST_CASE("an MX set of more than ten is an error, whatever the order of its answer") {
  for (const int count : {10, 11}) {
    for (const bool backwards : {false, true}) {
      FakeResolver resolver;
      for (int i = 1; i <= count; ++i) {
        const std::string name = "mx" + std::to_string(backwards ? count + 1 - i : i) + ".example.org";
        resolver.mx("example.org", name);
        resolver.a(name, "192.0.2." + name.substr(2, name.find('.') - 2));
      }
      INFO(count << " " << backwards);
      for (const char* client : {"192.0.2.1", "192.0.2.10"})
        CHECK(matched(resolver, client, "mx") == (count == 10 ? Match::yes : Match::too_many_mx));
      CHECK(matched(resolver, "192.0.2.11", "mx") == (count == 10 ? Match::no : Match::too_many_mx));
      CHECK(matched(resolver, "192.0.2.11", "mx/0") == (count == 10 ? Match::yes : Match::too_many_mx));
      // None of the names is asked then.
      if (count == 11) CHECK(resolver.questions() == 1);
    }
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
  Libspf2 known(resolver, *Address::parse("192.0.2.1"));
  for (int twice = 0; twice < 2; ++twice) {
    CHECK(known.validated_name("example.org") == "example.org");
    CHECK(known.validated_name("a.example.org") == "a.example.org");
    CHECK(known.validated_name("example") == "other.example");
    CHECK(known.validated_name("example.com") == "other.example");  // the first that is valid
    // A domain is looked into once.
    CHECK(std::count(resolver.looked_up.begin(), resolver.looked_up.end(),
                     FakeResolver::Key{reverse, RrType::ptr}) == 4);
  }
  for (const char* client : {"192.0.2.9", "192.0.2.8", "192.0.2.7", "2001:db8::1"})
    CHECK(Libspf2(resolver, *Address::parse(client)).validated_name("example.org") == "unknown");
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
  Libspf2 libspf2(resolver, *Address::parse("192.0.2.1"));
  for (const char* term : {"a", "mx", "ptr", "exists:x.example"})
    CHECK_THROWS_WITH(libspf2.match(parse_terms(term).directives.front(), "example.org"), "resolver broke");
  CHECK_THROWS_WITH(libspf2.validated_name("example.org"), "resolver broke");
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
