#include "spf/dialogue/authentication_results.hh"

#include "spf/dialogue/header_fields.hh"
#include "spf/dialogue/variables.hh"
#include "tests/catch.hh"

namespace {

spf::Verdict verdict(spf::Identity identity, std::string domain, spf::Result result = spf::Result::pass) {
  spf::Verdict v;
  v.result = result;
  v.identity = identity;
  v.domain = std::move(domain);
  return v;
}

constexpr auto mailfrom = spf::Identity::mailfrom, helo = spf::Identity::helo;

}  // namespace

TEST_CASE("the field says which identity was checked, with which result") {
  using spf::Result;
  const struct { spf::Identity identity; std::string domain; Result result; std::string id, value; } cases[] = {
      {mailfrom, "example.org", Result::pass, "mx.local", "mx.local; spf=pass smtp.mailfrom=example.org"},
      {helo, "mail.example.org", Result::fail, "mx.local", "mx.local; spf=fail smtp.helo=mail.example.org"},
      {mailfrom, "example.org", Result::softfail, "mx", "mx; spf=softfail smtp.mailfrom=example.org"},
      {mailfrom, "example.org", Result::neutral, "mx", "mx; spf=neutral smtp.mailfrom=example.org"},
      {mailfrom, "_a-b.example.org.", Result::none, "mx", "mx; spf=none smtp.mailfrom=_a-b.example.org."},
      {mailfrom, "example.org", Result::permerror, "mx", "mx; spf=permerror smtp.mailfrom=example.org"},
      {mailfrom, "example.org", Result::temperror, "mx", "mx; spf=temperror smtp.mailfrom=example.org"},
      {helo, "", Result::none, "mx", "mx; spf=none"},                                   // no HELO
      {helo, "[192.0.2.1]", Result::none, "mx", "mx; spf=none smtp.helo=\"[192.0.2.1]\""},
      {helo, "[IPv6:2001:db8::1]", Result::none, "mx", "mx; spf=none smtp.helo=\"[IPv6:2001:db8::1]\""},
      {mailfrom, std::string(256, 'x'), Result::none, "mx", "mx; spf=none"},            // no name
      // what would be another result, or the end of this one
      {helo, "x; spf=pass smtp.mailfrom=bank.example", Result::fail, "mx",
       "mx; spf=fail smtp.helo=x__spf_pass_smtp.mailfrom_bank.example"},
      {helo, "x\"; spf=pass; \"", Result::fail, "mx", "mx; spf=fail smtp.helo=x___spf_pass___"},
      {helo, "x\\\"(", Result::fail, "mx", "mx; spf=fail smtp.helo=x___"},
      {helo, "x\r\nA: b", Result::fail, "mx", "mx; spf=fail smtp.helo=\"x__A:_b\""},
      {helo, "x/y?z", Result::fail, "mx", "mx; spf=fail smtp.helo=\"x/y?z\""},
      {helo, "\xc3\xa9.example\x1b[2J", Result::fail, "mx", "mx; spf=fail smtp.helo=\"__.example_[2J\""},
      // an ID that is no token
      {mailfrom, "a.example", Result::pass, "2001:db8::25", "\"2001:db8::25\"; spf=pass smtp.mailfrom=a.example"},
      {mailfrom, "a.example", Result::pass, "our mx", "\"our mx\"; spf=pass smtp.mailfrom=a.example"},
      {mailfrom, "a.example", Result::pass, "a\"b\\c", "\"a\\\"b\\\\c\"; spf=pass smtp.mailfrom=a.example"},
      {mailfrom, "a.example", Result::pass, "", "\"\"; spf=pass smtp.mailfrom=a.example"},
  };
  for (const auto& c : cases)
    CHECK(spf::authentication_results_value(verdict(c.identity, c.domain, c.result), c.id) == c.value);
}

TEST_CASE("it is folded as all fields are, and stays within what a variable may have") {
  const std::string name(255, 'x'), id(255, '"');
  const std::string value = spf::authentication_results_value(verdict(mailfrom, name), id);
  CHECK(value.size() <= spf::max_variable);
  CHECK(spf::authentication_results("mx.local; spf=pass smtp.mailfrom=" + std::string(50, 'x')) ==
        "Authentication-Results: mx.local; spf=pass\r\n smtp.mailfrom=" + std::string(50, 'x') + "\r\n");
}

TEST_CASE("SPFHEADERTYPE says which fields there are; SPFHEADER is there with all of them") {
  spf::Config config;
  config.receiver = "mx.local";
  config.authserv_id = "id.local";
  const spf::Query query{*spf::Address::parse("192.0.2.1"), "h.example", "a@example.org"};
  const spf::Verdict pass = verdict(mailfrom, "example.org");
  const std::string results = "Authentication-Results: id.local; spf=pass smtp.mailfrom=example.org\r\n";
  const struct { spf::HeaderType type; bool has_spf, has_results; } cases[] = {
      {spf::HeaderType::spf, true, false}, {spf::HeaderType::ar, false, true}, {spf::HeaderType::both, true, true}};
  for (const auto& c : cases) {
    config.header_type = c.type;
    const spf::HeaderValues values = spf::header_values(query, pass, config);
    const std::string fields = spf::header_fields(values, c.type);
    CHECK(fields.starts_with("Received-SPF: pass (mx.local: ") == c.has_spf);
    CHECK(fields.ends_with(results) == c.has_results);
    CHECK((fields == results) == !c.has_spf);
    const auto variables = spf::variables(pass, {values.received_spf, values.authentication_results});
    CHECK(variables[3].starts_with("SPFHEADER=pass (mx.local: "));
    CHECK((variables.back() == "SPFAUTHRESULTS=id.local; spf=pass smtp.mailfrom=example.org") == c.has_results);
  }
}
