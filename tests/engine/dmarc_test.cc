// DMARC records, the walk to them, and whose policy it is (RFC 9989).
#include "spf/engine/dmarc.hh"

#include <algorithm>
#include <string>

#include "spf/base/dns_name.hh"
#include "tests/catch.hh"
#include "tests/support/check_host.hh"
#include "tests/support/fake_resolver.hh"

using namespace spf;

namespace {

// A record as `p sp np psd t`, where they say something.
std::string told(std::string_view text) {
  const auto record = parse_dmarc_record(text);
  if (!record) return "no record";
  std::string result(name(record->p));
  if (record->sp) result += " sp=" + std::string(name(*record->sp));
  if (record->np) result += " np=" + std::string(name(*record->np));
  if (record->psd == DmarcRecord::Psd::yes) result += " psd=y";
  if (record->psd == DmarcRecord::Psd::no) result += " psd=n";
  if (record->testing) result += " t=y";
  return result;
}

}  // namespace

TEST_CASE("a record begins with its version, and its tags are read one by one") {
  const struct { std::string text; const char* told; } cases[] = {
      {"v=DMARC1; p=reject", "reject"},
      {"v=DMARC1;p=quarantine;", "quarantine"},
      {"v=DMARC1 ; p = none ; sp= reject;np =quarantine", "none sp=reject np=quarantine"},
      {"V = DMARC1; P=REJECT; Sp=None", "reject sp=none"},
      {"v\t=\tDMARC1\t;\tp=reject", "reject"},
      {"v=DMARC1; rua=mailto:a@example.org; p=reject", "reject"},  // not at once behind v=
      {"v=DMARC1; p=reject; pct=0; rf=afrf; ri=1", "reject"},      // of old
      {"v=DMARC1; p=reject; x=y; =; ;;z; adkim=q", "reject"},      // unknown, or nothing
      {"v=DMARC1; p=reject; psd=y; t=y", "reject psd=y t=y"},
      {"v=DMARC1; p=reject; psd=N", "reject psd=n"},
      {"v=DMARC1; p=reject; psd=u; t=n", "reject"},
      {"v=DMARC1; p=reject; psd=maybe; t=1", "reject"},
      // Asks for nothing.
      {"v=DMARC1", "none"},
      {"v=DMARC1;", "none"},
      {"v=DMARC1; sp=reject", "none"},
      {"v=DMARC1; rua=mailto:a@example.org", "none"},
      {"v=DMARC1; p=", "none"},
      {"v=DMARC1; p", "none"},
      {"v=DMARC1; p=rejected", "none"},
      {"v=DMARC1; p=reject quarantine", "none"},
      {"v=DMARC1; p=re ject", "none"},
      {"v=DMARC1; p=\"reject\"", "none"},
      {"v=DMARC1; p==reject", "none"},
      {"v=DMARC1; p=reject; sp=no", "none"},
      {"v=DMARC1; p=reject; np=", "none"},
      {"v=DMARC1; p=reject; p=none", "none"},
      {"v=DMARC1; p=reject; p=reject", "none"},
      {"v=DMARC1; p=x; p=reject", "none"},
      {"v=DMARC1; p=reject; sp=reject; sp=none; np=none", "none"},
      {"v=DMARC1; p=reject; np=x; psd=y", "none psd=y"},
      // No record at all.
      {"", "no record"},
      {";", "no record"},
      {"v", "no record"},
      {"v=", "no record"},
      {"v=DMARC", "no record"},
      {"v=DMARC10; p=reject", "no record"},
      {"v=dmarc1; p=reject", "no record"},
      {"v=DMARC1 p=reject", "no record"},
      {"v=DMARC2; v=DMARC1; p=reject", "no record"},
      {"p=reject; v=DMARC1", "no record"},
      {" v=DMARC1; p=reject", "no record"},
      {";v=DMARC1; p=reject", "no record"},
      {"ver=DMARC1; p=reject", "no record"},
      {"v=spf1 -all", "no record"},
      {"\"v=DMARC1; p=reject\"", "no record"},
      // Octets of any kind.
      {std::string("v=DMARC1; p=reject\0", 19), "none"},
      {std::string("v=DMARC1\0; p=reject", 19), "no record"},
      {"v=DMARC1; p=reject; \xff=\xfe", "reject"},
      {"v=DMARC1; p=reject\r\n", "none"},
  };
  for (const auto& c : cases) {
    INFO(c.text);
    CHECK(told(c.text) == c.told);
  }
}

TEST_CASE("a record is read whole, however long") {
  std::string many = "v=DMARC1";
  for (int i = 0; i < 10000; ++i) many += "; x=1";
  CHECK(told(many + "; p=reject") == "reject");
  CHECK(told("v=DMARC1; x=" + std::string(65000, '=') + "; p=reject") == "reject");
  CHECK(told("v=DMARC1" + std::string(65000, ';') + "p=reject") == "reject");
  CHECK(told("v=DMARC1;" + std::string(65000, ' ') + "p=reject") == "reject");
  std::string twice = "v=DMARC1";
  for (int i = 0; i < 10000; ++i) twice += "; p=reject";
  CHECK(told(twice) == "none");
}

TEST_CASE("the walk has eight names at most") {
  const struct { const char* domain; std::vector<std::string> names; } cases[] = {
      {"com", {"_dmarc.com"}},
      {"Example.COM.", {"_dmarc.example.com", "_dmarc.com"}},
      {"a.mail.example.com",
       {"_dmarc.a.mail.example.com", "_dmarc.mail.example.com", "_dmarc.example.com", "_dmarc.com"}},
      {"a.b.c.d.e.f.g.h",
       {"_dmarc.a.b.c.d.e.f.g.h", "_dmarc.b.c.d.e.f.g.h", "_dmarc.c.d.e.f.g.h", "_dmarc.d.e.f.g.h",
        "_dmarc.e.f.g.h", "_dmarc.f.g.h", "_dmarc.g.h", "_dmarc.h"}},
      {"a.b.c.d.e.f.g.h.i",
       {"_dmarc.a.b.c.d.e.f.g.h.i", "_dmarc.c.d.e.f.g.h.i", "_dmarc.d.e.f.g.h.i", "_dmarc.e.f.g.h.i",
        "_dmarc.f.g.h.i", "_dmarc.g.h.i", "_dmarc.h.i", "_dmarc.i"}},
      // The example of section 4.10
      {"a.b.c.d.e.f.g.h.i.j.mail.example.com",
       {"_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com", "_dmarc.g.h.i.j.mail.example.com",
        "_dmarc.h.i.j.mail.example.com", "_dmarc.i.j.mail.example.com", "_dmarc.j.mail.example.com",
        "_dmarc.mail.example.com", "_dmarc.example.com", "_dmarc.com"}},
      {"", {}},
      {".", {}},
      {"a..example", {}},
      {"[192.0.2.1]", {}},
  };
  for (const auto& c : cases) {
    INFO(c.domain);
    CHECK(dmarc_names(c.domain) == c.names);
  }
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += i == 0 ? "a" : ".a";  // 253 octets
  CHECK(dmarc_names(longest).size() == 8);
  CHECK(dmarc_names(longest)[1] == "_dmarc.a.a.a.a.a.a.a");
  CHECK(dmarc_names(longest + ".a").empty());
  CHECK(dmarc_names(std::string("a\0b.example", 11)).size() == 2);  // a resolver takes any octets
}

namespace {

struct Published {
  const char* name;
  const char* text;  // null: no answer
};

// What is found, as `policy at domain`.
std::string found(const std::string& domain, FakeResolver& resolver) {
  const DmarcFinding finding = find_dmarc_policy(domain, resolver, nobody);
  if (finding.trouble) return "trouble";
  if (finding.domain.empty()) return "nothing";
  return std::string(name(finding.policy)) + " at " + finding.domain;
}

}  // namespace

TEST_CASE("the policy is the domain's own, or its organisation's, or the public suffix's") {
  const struct {
    const char* comment;
    const char* domain;
    std::vector<Published> published;
    const char* found;
    std::size_t questions;
  } cases[] = {
      {"own", "example.org", {{"_dmarc.example.org", "v=DMARC1; p=reject; sp=none; np=none"}},
       "reject at example.org", 1},
      {"own, in any case", "Example.ORG", {{"_dmarc.example.org", "v=DMARC1; p=quarantine"}},
       "quarantine at example.org", 1},
      {"none anywhere", "a.example.org", {}, "nothing", 3},
      {"above", "a.example.org", {{"_dmarc.example.org", "v=DMARC1; p=reject"}},
       "reject at example.org", 3},
      {"above, sp counts", "a.example.org", {{"_dmarc.example.org", "v=DMARC1; p=reject; sp=none"}},
       "none at example.org", 3},
      {"above, sp alone asks", "a.example.org", {{"_dmarc.example.org", "v=DMARC1; p=none; sp=quarantine"}},
       "quarantine at example.org", 3},
      {"own p=none hides the one above", "a.example.org",
       {{"_dmarc.a.example.org", "v=DMARC1; p=none"}, {"_dmarc.example.org", "v=DMARC1; p=reject"}},
       "none at a.example.org", 1},
      {"the fewest labels count, not the nearest", "a.b.example.org",
       {{"_dmarc.b.example.org", "v=DMARC1; p=none"}, {"_dmarc.example.org", "v=DMARC1; p=reject"}},
       "reject at example.org", 4},
      {"psd=n ends the walk", "a.b.example.org",
       {{"_dmarc.b.example.org", "v=DMARC1; p=none; psd=n"}, {"_dmarc.example.org", "v=DMARC1; p=reject"}},
       "none at b.example.org", 2},
      {"psd=n counts above others", "a.b.example.org",
       {{"_dmarc.b.example.org", "v=DMARC1; p=none"}, {"_dmarc.example.org", "v=DMARC1; p=reject; psd=n"}},
       "reject at example.org", 3},
      {"one label below a public suffix", "a.example.org",
       {{"_dmarc.example.org", "v=DMARC1; p=reject"}, {"_dmarc.org", "v=DMARC1; p=none; psd=y"}},
       "reject at example.org", 3},
      {"a public suffix where there is nothing else", "a.example.org",
       {{"_dmarc.org", "v=DMARC1; p=none; sp=reject; psd=y"}}, "reject at org", 3},
      {"two labels below a public suffix is not the organisation", "a.b.example.org",
       {{"_dmarc.b.example.org", "v=DMARC1; p=none"}, {"_dmarc.org", "v=DMARC1; p=reject; psd=y"}},
       "reject at org", 4},
      {"the walk ends with a public suffix", "a.example.co.org",
       {{"_dmarc.co.org", "v=DMARC1; p=quarantine; psd=y"}, {"_dmarc.org", "v=DMARC1; p=reject"}},
       "quarantine at co.org", 3},
      {"a public suffix sends", "org", {{"_dmarc.org", "v=DMARC1; p=reject; psd=y; sp=none"}},
       "reject at org", 1},
      {"tested: one less", "example.org", {{"_dmarc.example.org", "v=DMARC1; p=reject; t=y"}},
       "quarantine at example.org", 1},
      {"tested: nothing", "example.org", {{"_dmarc.example.org", "v=DMARC1; p=quarantine; t=y"}},
       "none at example.org", 1},
      {"tested above", "a.example.org", {{"_dmarc.example.org", "v=DMARC1; p=none; sp=reject; t=y"}},
       "quarantine at example.org", 3},
      {"two records are none", "a.example.org",
       {{"_dmarc.a.example.org", "v=DMARC1; p=none"}, {"_dmarc.a.example.org", "v=DMARC1; p=none"},
        {"_dmarc.example.org", "v=DMARC1; p=reject"}},
       "reject at example.org", 3},
      {"two, of which one is malformed", "example.org",
       {{"_dmarc.example.org", "v=DMARC1; p=reject"}, {"_dmarc.example.org", "v=DMARC1; p=x"}}, "nothing", 2},
      {"one among others", "example.org",
       {{"_dmarc.example.org", "v=spf1 -all"}, {"_dmarc.example.org", "v=DMARC1; p=reject"},
        {"_dmarc.example.org", "p=none"}},
       "reject at example.org", 1},
      {"malformed: no policy, and none from above", "a.example.org",
       {{"_dmarc.a.example.org", "v=DMARC1; p=x; rua=mailto:a@example.org"},
        {"_dmarc.example.org", "v=DMARC1; p=reject"}},
       "none at a.example.org", 1},
      {"another version: as if it were not there", "a.example.org",
       {{"_dmarc.a.example.org", "v=DMARC2; p=none"}, {"_dmarc.example.org", "v=DMARC1; p=reject"}},
       "reject at example.org", 3},
      {"no answer", "example.org", {{"_dmarc.example.org", nullptr}}, "trouble", 1},
      {"no answer above what counts", "example.org",
       {{"_dmarc.example.org", "v=DMARC1; p=reject"}, {"_dmarc.org", nullptr}}, "reject at example.org", 1},
      {"no answer where a record may be", "a.example.org",
       {{"_dmarc.example.org", "v=DMARC1; p=reject"}, {"_dmarc.org", nullptr}}, "trouble", 3},
      {"no answer behind a psd=n", "a.example.org",
       {{"_dmarc.example.org", "v=DMARC1; p=reject; psd=n"}, {"_dmarc.org", nullptr}},
       "reject at example.org", 2},
      {"no domain", "[192.0.2.1]", {}, "nothing", 0},
      {"no name", "", {}, "nothing", 0},
  };
  for (const auto& c : cases) {
    FakeResolver resolver;
    resolver.a("a.example.org", "192.0.2.1");
    resolver.a("a.b.example.org", "192.0.2.1");
    for (const Published& record : c.published)
      if (record.text)
        resolver.txt(record.name, record.text);
      else
        resolver.trouble(record.name, RrType::txt);
    INFO(c.comment);
    CHECK(found(c.domain, resolver) == c.found);
    CHECK(resolver.looked_up.size() == c.questions);
  }
}

TEST_CASE("np counts for a domain that does not exist, and only that is asked then") {
  const struct { const char* record; const char* there; const char* not_there; std::size_t questions; } cases[] = {
      {"v=DMARC1; p=none; np=reject", "none at example.org", "reject at example.org", 4},
      {"v=DMARC1; p=reject; np=none", "reject at example.org", "none at example.org", 4},
      {"v=DMARC1; p=none; sp=quarantine; np=reject", "quarantine at example.org", "reject at example.org", 4},
      {"v=DMARC1; p=none; sp=quarantine; np=reject; t=y", "none at example.org", "quarantine at example.org", 4},
      {"v=DMARC1; p=none; sp=reject", "reject at example.org", "reject at example.org", 3},
  };
  for (const auto& c : cases) {
    INFO(c.record);
    FakeResolver there, not_there, silent;
    for (FakeResolver* resolver : {&there, &not_there, &silent}) resolver->txt("_dmarc.example.org", c.record);
    there.mx("a.example.org", "mx.example.org");
    silent.trouble("a.example.org", RrType::txt);
    CHECK(found("a.example.org", there) == c.there);
    CHECK(there.looked_up.size() == c.questions);
    CHECK(found("a.example.org", not_there) == c.not_there);
    CHECK(found("a.example.org", silent) == (c.questions == 4 ? "trouble" : c.there));
  }
}

TEST_CASE("a walk asks eight questions at most, whatever the name") {
  FakeResolver resolver;
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += i == 0 ? "a" : ".a";
  resolver.txt("_dmarc.a", "v=DMARC1; p=reject; psd=y");
  CHECK(found(longest, resolver) == "reject at a");
  CHECK(resolver.looked_up.size() == 8);
  CHECK(resolver.questions() == 7);  // with its prefix the first is no name
}
