// Macro-strings, expanded without DNS: values, transformers, and where
// expansion ends.
#include "spf/engine/macro.hh"

#include <string>

#include "tests/catch.hh"

using namespace spf;

namespace {

Identities someone(const char* client, const char* sender = "strong-bad@email.example.com") {
  return {*Address::parse(client), sender, "mx.example.org", "mx.local", 1111111111};
}

const std::string current = "email.example.com";

std::string expanded(std::string_view text, const Identities& who, std::size_t most = std::string::npos) {
  INFO(text);
  REQUIRE_FALSE(macro_problem(text, MacroUse::explanation));
  return expand_text(text, most, [&](char letter) { return macro_value(letter, who, current); });
}

// A domain-spec, with values of `size` octets for all letters.
std::string name_of(std::string_view text, std::size_t size, const std::string& value) {
  std::string all;
  while (all.size() < size) all += value;
  return expand_name(text, [&](char) { return all.substr(0, size); });
}

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

// By the words of section 7.3: expanded whole, then labels taken off one by one.
std::string by_the_rfc(std::string_view text, const Identities& who) {
  std::string name = expanded(text, who);
  if (name.ends_with('.')) name.pop_back();
  while (name.size() > 253 && name.find('.') != name.npos) name.erase(0, name.find('.') + 1);
  return name;
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

TEST_CASE("the time is that of the check, in seconds") {
  CHECK(expanded("%{t}", someone("192.0.2.3")) == "1111111111");
}

TEST_CASE("any number of parts may be kept") {
  const std::string parts = repeated(".x", 1990);
  const auto who = someone("192.0.2.3", (parts + "@x.example").c_str());
  CHECK(expanded("%{l1991}", who) == parts);
  CHECK(expanded("%{l1990}", who) == parts.substr(1));
  CHECK(expanded("%{l1989}", who) == parts.substr(3));
  CHECK(expanded("%{l4294967298r}", who) == repeated("x.", 1990));  // 2 in 32 bits
}

TEST_CASE("a name is cut on the left to what fits, as if whole labels were taken off one by one") {
  const std::string label60(60, 'b');
  const std::string values[] = {
      "a",
      repeated("a.", 120) + "end",                      // fits
      repeated("a.", 150) + "end",                      // does not
      repeated(".", 1990),                              // as seen in the wild
      std::string(1990, 'x'),                           // one label, too long by itself
      label60 + "." + label60 + "." + label60 + "." + label60 + "." + label60,
      std::string(300, 'x') + ".y",
      "y." + std::string(300, 'x'),
      "-a-b.c+d-",
      "\xff.\xfe~/",
  };
  const char* specs[] = {
      "%{l}.example.org", "%{l}.example.org.", "x.%{l}.%{lr}.org", "%{l3}.%{l}.org", "%{l200r}.org",
      "%{L}.example.org", "%{LR-}.org", "%{l}%{l}%{l}%{l}%{d}", "%{l}", "%{lr}", "%{l1r}",
      "%{l1}.%{d}", "a.%{l}.%%.%_.%-.org", "%{l-}.%{l+}.%{l.-}.org", "%{s}", "%{o2r}.%{ir}.%{v}.%{h}.org",
  };
  for (const std::string& value : values)
    for (const char* spec : specs) {
      INFO(value << " in " << spec);
      const auto who = someone("192.0.2.3", (value + "@x.example").c_str());
      const std::string name = expand_name(spec, [&](char letter) { return macro_value(letter, who, current); });
      const std::string whole = by_the_rfc(spec, who);
      // What is left of it is too long for a name in any case.
      if (whole.size() > 253)
        CHECK(name.size() > 253);
      else
        CHECK(name == whole);
      CHECK(name.size() <= 255);
    }
}

TEST_CASE("the length of a name is exact round its limit") {
  for (std::size_t size = 240; size < 270; ++size) {
    const std::string dots = repeated("a.", 200);
    INFO(size);
    const std::string name = name_of("%{l}.example.org", size, "a.b");
    CHECK(name.size() <= 253);
    CHECK(name.size() >= std::min<std::size_t>(size + 12, 250));
    const std::string literal = dots.substr(0, size) + "z.example.org";
    CHECK(name_of(literal, 1, "x") == name_of(literal + ".", 1, "x"));
    CHECK(literal.ends_with(name_of(literal, 1, "x")));
  }
  CHECK(name_of(repeated("a.", 126) + "a", 1, "x").size() == 253);  // is not cut
  CHECK(name_of(repeated("a.", 127) + "a", 1, "x").size() == 253);  // loses one label
  CHECK(name_of("b" + repeated("a.", 126) + "a", 1, "x").size() == 251);
  CHECK(name_of("", 0, "x") == "");
}

TEST_CASE("what is cut off a name is not asked for, and a letter only once") {
  std::string asked;
  const auto value = [&](char letter) {
    asked += letter;
    return std::string(100, 'x') + ".";
  };
  expand_name("%{p}.%{i}.%{l}.%{l}%{l}%{l}%{d}.example", value);
  CHECK(asked == "dl");
  asked.clear();
  expand_text("%{d}%{d}%{l}%{p}%{p}", 250, value);
  CHECK(asked == "dl");
}

TEST_CASE("a text ends at its bound, within a value too") {
  const auto who = someone("192.0.2.3");
  CHECK(expanded("%{d}%{d}", who, 20) == "email.example.comema");
  CHECK(expanded("%{d} and more", who, 20) == "email.example.com an");
  CHECK(expanded("%{d}", who, 17) == "email.example.com");
  CHECK(expanded(repeated("%%", 5000), who, 2000) == std::string(2000, '%'));
  CHECK(expanded("x", who, 0) == "");
}
