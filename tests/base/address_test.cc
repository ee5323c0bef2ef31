#include "spf/base/address.hh"

#include "tests/catch.hh"

using spf::Address;

TEST_CASE("an address is read in any textual form and written in one") {
  const struct { const char* text; const char* written; } cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},         // mapped: RFC 7208 section 5
      {"::ffff:c000:201", "192.0.2.1"},          // the same in hexadecimal
      {"2001:DB8::1", "2001:db8::1"},
      {"2001:db8:0:0:0:0:0:1", "2001:db8::1"},
      {"::", "::"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    const auto address = Address::parse(c.text);
    REQUIRE(address);
    CHECK(address->text() == c.written);
  }
}

TEST_CASE("what is no address is refused") {
  for (const char* text : {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "192.0.2.1/24",
                           "[192.0.2.1]", "mail.example", "fe80::1%eth0", ":::", "1::2::3"}) {
    INFO(text);
    CHECK_FALSE(Address::parse(text));
  }
  CHECK_FALSE(Address::parse(std::string_view("192.0.2.1\0", 10)));
}

TEST_CASE("a network holds the addresses that share its prefix") {
  const struct { const char* address; const char* network; unsigned prefix; bool in; } cases[] = {
      {"192.0.2.1", "192.0.2.1", 32, true},
      {"192.0.2.1", "192.0.2.0", 31, true},
      {"192.0.2.2", "192.0.2.0", 31, false},
      {"203.0.113.7", "192.0.2.0", 0, true},      // /0 holds everything
      {"192.0.2.1", "192.0.2.0", 33, false},      // no such prefix
      {"192.0.2.1", "2001:db8::", 0, false},      // never across families
      {"2001:db8::1", "2001:db8::", 127, true},
      {"2001:db8::2", "2001:db8::", 127, false},
      {"2001:db9::", "2001:db8::", 31, true},
      {"2001:db9::", "2001:db8::", 32, false},
  };
  for (const auto& c : cases) {
    INFO(c.address << " in " << c.network << "/" << c.prefix);
    CHECK(Address::parse(c.address)->in_network(*Address::parse(c.network), c.prefix) == c.in);
  }
}

TEST_CASE("loopback is 127.0.0.0/8 and ::1") {
  for (const char* text : {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"})
    CHECK(Address::parse(text)->is_loopback());
  for (const char* text : {"128.0.0.1", "126.255.255.255", "::", "::2", "1::1"})
    CHECK_FALSE(Address::parse(text)->is_loopback());
}
