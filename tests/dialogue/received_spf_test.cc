#include "spf/dialogue/received_spf.hh"
#include "spf/dialogue/authentication_results.hh"
#include "spf/dialogue/header_fields.hh"
#include "spf/dialogue/variables.hh"
#include "spf/dialogue/log_line.hh"

#include "tests/catch.hh"

using spf::Query;
using spf::Result;
using spf::Verdict;

namespace {

Query query(std::string sender = "a@example.org", std::string helo = "mail.example.org",
            const char* client = "192.0.2.1") {
  return {*spf::Address::parse(client), std::move(helo), std::move(sender)};
}

Verdict verdict(Result result) {
  Verdict verdict;
  verdict.result = result;
  verdict.domain = "example.org";
  verdict.mechanism = "mx";
  verdict.problem = "parse error in SPF record at example.org";
  return verdict;
}

std::string comment(const Verdict& verdict) {
  const std::string value = spf::header_value(query(), verdict, "mx.local");
  const std::size_t begin = value.find(" (") + 2;
  return value.substr(begin, value.find(") client-ip") - begin);
}

}  // namespace

TEST_CASE("a header says what the contract says") {
  const std::string value = spf::header_value(query(), verdict(Result::pass), "mx.local");
  CHECK(value ==
        "pass (mx.local: SPF record at example.org designates 192.0.2.1 as permitted sender) "
        "client-ip=192.0.2.1; envelope-from=\"a@example.org\"; helo=mail.example.org; "
        "mechanism=mx; receiver=mx.local; identity=mailfrom;");
  CHECK(spf::received_spf(value) ==
        "Received-SPF: pass (mx.local: SPF record at example.org designates 192.0.2.1\r\n"
        " as permitted sender) client-ip=192.0.2.1; envelope-from=\"a@example.org\";\r\n"
        " helo=mail.example.org; mechanism=mx; receiver=mx.local; identity=mailfrom;\r\n");
}

TEST_CASE("each result has its comment") {
  const struct { Result result; const char* comment; const char* local; } cases[] = {
      {Result::pass, "mx.local: SPF record at example.org designates 192.0.2.1 as permitted sender",
       "mx.local: local policy designates 192.0.2.1 as permitted sender"},
      {Result::fail,
       "mx.local: SPF record at example.org does not designate 192.0.2.1 as permitted sender",
       "mx.local: local policy does not designate 192.0.2.1 as permitted sender"},
      {Result::softfail,
       "mx.local: transitioning SPF record at example.org does not designate 192.0.2.1 as "
       "permitted sender",
       "mx.local: transitioning local policy does not designate 192.0.2.1 as permitted sender"},
      {Result::neutral,
       "mx.local: 192.0.2.1 is neither permitted nor denied by SPF record at example.org",
       "mx.local: 192.0.2.1 is neither permitted nor denied by local policy"},
      {Result::none, "mx.local: domain at example.org does not designate permitted sender hosts",
       nullptr},
      {Result::permerror, "mx.local: parse error in SPF record at example.org", nullptr},
      {Result::temperror,
       "mx.local: error in processing during lookup of example.org: DNS problem", nullptr},
  };
  for (const auto& c : cases) {
    Verdict v = verdict(c.result);
    CHECK(comment(v) == c.comment);
    v.local_policy = true;
    if (c.local) CHECK(comment(v) == c.local);
  }
}

TEST_CASE("values that are no dot-atom are quoted, and an absent mechanism is absent") {
  Verdict v = verdict(Result::none);
  v.identity = spf::Identity::helo;
  v.mechanism.reset();
  CHECK(spf::header_value(query("", "[192.0.2.1]", "2001:db8::1"), v, "unknown") ==
        "none (unknown: domain at example.org does not designate permitted sender hosts) "
        "client-ip=\"2001:db8::1\"; envelope-from=\"\"; helo=\"[192.0.2.1]\"; "
        "receiver=unknown; identity=helo;");
  const struct { const char* mechanism; const char* written; } cases[] = {
      {"-all", "mechanism=-all;"},
      {"default", "mechanism=default;"},
      {"ip4:192.0.2.0/24", "mechanism=\"ip4:192.0.2.0/24\";"},
      {"a/24", "mechanism=a/24;"},
      {"exists:%{i}.x", "mechanism=\"exists:%{i}.x\";"},
      {"x\"\\y", "mechanism=\"x\\\"\\\\y\";"},
      {".a", "mechanism=\".a\";"},
      {"a..b", "mechanism=\"a..b\";"},
  };
  for (const auto& c : cases) {
    v.mechanism = c.mechanism;
    CHECK(spf::header_value(query(), v, "r").ends_with(std::string(c.written) + " receiver=r; identity=helo;"));
  }
}

TEST_CASE("whatever the client sends, the header stays in its form and its bounds") {
  const std::string hostile[] = {
      std::string(2000, 'x'), std::string(300, '"'), std::string(300, '('), "a b  c ",
      "\r\n\x1b[2J\xff", "\"a b\"@c", "\\", ")", std::string("\0\r\n.\r\n", 6)};
  for (const std::string& text : hostile) {
    Verdict v = verdict(Result::permerror);
    v.domain = v.problem = text;
    v.mechanism = text;
    const std::string value = spf::header_value(query(text, text), v, text);
    CHECK(value.size() <= 1000);
    for (const char c : value) CHECK((c >= ' ' && c <= '~'));
    const std::string header = spf::received_spf(value);
    std::string unfolded;
    for (std::size_t begin = 0; begin < header.size();) {
      const std::size_t end = header.find("\r\n", begin);
      REQUIRE(end != std::string::npos);
      CHECK(end - begin <= 998);  // RFC 5322 section 2.1.1
      if (begin > 0) CHECK(header.find_first_not_of(' ', begin) < end);
      unfolded += header.substr(begin, end - begin);
      begin = end + 2;
    }
    CHECK(unfolded == "Received-SPF: " + value);
    for (const std::string& variable : spf::variables(v, {value})) CHECK(variable.size() <= 1016);
  }
}

TEST_CASE("the environment has what the verdict has") {
  Verdict v = verdict(Result::fail);
  v.explanation = "no\x1b";
  CHECK(spf::variables(v, {"value"}) ==
        std::vector<std::string>{"SPFRESULT=fail", "SPFIDENTITY=mailfrom", "SPFDOMAIN=example.org",
                                 "SPFMECHANISM=mx", "SPFHEADER=value", "SPFEXPLANATION=no_"});
  v.result = Result::softfail;  // the explanation is for fail alone
  v.identity = spf::Identity::helo;
  v.mechanism.reset();
  CHECK(spf::variables(v, {"value"}) ==
        std::vector<std::string>{"SPFRESULT=softfail", "SPFIDENTITY=helo",
                                 "SPFDOMAIN=example.org", "SPFHEADER=value"});
}

TEST_CASE("the variables have the result for the HELO name and the policy where there are any") {
  const auto all = spf::variables(verdict(Result::fail), {.received_spf = "value", .authentication_results = "ar",
                                                          .helo_result = "softfail", .policy = "forwarder:\xe4 x"});
  REQUIRE(all.size() >= 3);
  CHECK(std::vector(all.end() - 3, all.end()) ==
        std::vector<std::string>{"SPFAUTHRESULTS=ar", "SPFHELORESULT=softfail", "SPFPOLICY=forwarder:_ x"});
}

TEST_CASE("the field for the HELO name beside MAIL's domain has no envelope-from") {
  Verdict helo = verdict(Result::pass);
  helo.identity = spf::Identity::helo;
  helo.domain = "mail.example.org";
  const auto has_sender = [&](const std::string& sender) {
    return spf::header_value(query(sender), helo, "r").find("envelope-from") != std::string::npos;
  };
  CHECK_FALSE(has_sender("a@example.org"));
  CHECK(has_sender(""));            // there it is the only one
  CHECK(has_sender("postmaster"));

  spf::Config config;
  config.receiver = "mx.local";
  config.authserv_id = "mx.local";
  spf::Judgement both = verdict(Result::softfail);
  both.helo = helo;
  config.header_type = spf::HeaderType::both;
  const spf::HeaderValues values = spf::header_values(query(), both, config);
  CHECK(spf::header_fields(values, spf::HeaderType::both) ==
        spf::received_spf(values.received_spf) + spf::received_spf(spf::header_value(query(), helo, "mx.local")) +
            spf::authentication_results(values.authentication_results) +
            "Authentication-Results: mx.local; spf=pass smtp.helo=mail.example.org\r\n");
  CHECK(spf::header_fields(values, spf::HeaderType::spf) ==
        spf::received_spf(values.received_spf) + spf::received_spf(values.helo_received_spf));
  CHECK(spf::header_fields(values, spf::HeaderType::ar).find("Received-SPF") == std::string::npos);
}

TEST_CASE("the log line has the patch's keys, then ours") {
  Verdict v = verdict(Result::fail);
  v.mechanism = "-all";
  v.lookups = 3;
  v.milliseconds = 12;
  CHECK(spf::log_line({550, "b@c", "unknown", 42, "TLSv1.3", 3, "", "", {}, ""}, query("a\x1b b@example.org"), v) ==
        "qlogenvelope: result=rejected code=550 reason=spf detail=fail helo=mail.example.org "
        "mailfrom=a__b@example.org rcptto=b@c relay=no remoteip=192.0.2.1 remotehost=unknown "
        "pid=42 identity=mailfrom domain=example.org mechanism=-all lookups=3 voids=0 ms=12 tls=TLSv1.3 "
        "level=3 why= policy= shadow= heloresult=");
  CHECK(spf::log_line({250, "", "h", 1, "none", 1, "", "", {}, ""}, query(), verdict(Result::pass))
            .starts_with("qlogenvelope: result=accepted code=250 reason=spf detail=pass "));
  CHECK(spf::log_line({451, "", "h", 1, "none", 1, "", "", {}, ""}, query(), verdict(Result::temperror))
            .starts_with("qlogenvelope: result=rejected code=451 reason=spf detail=temperror "));
}

TEST_CASE("the line of a session with nothing checked is no line of a MAIL, and of printable words") {
  CHECK(spf::unchecked_line(42, "TLSv1.3\x1b x", "192.0.2.1") == "spfwrap: pid 42: TLSv1.3__x with 192.0.2.1, nothing checked");
}

TEST_CASE("the log line says what is wrong with temperror and permerror, and what policy made of it") {
  Verdict v = verdict(Result::permerror);
  v.problem = "no such\x1bterm: a\r\nb";
  const auto end_of = [](const std::string& line) { return line.substr(line.find(" level=")); };
  CHECK(end_of(spf::log_line({250, "", "h", 1, "none", 6, "forwarder:f g.example", "", 550, ""}, query(), v)) ==
        " level=6 why=no_such_term:_a__b policy=forwarder:f_g.example shadow=550 heloresult=");
  v.result = Result::temperror;
  CHECK(end_of(spf::log_line({451, "", "h", 1, "none", 0, "", "", 250, ""}, query(), v)) ==
        " level=0 why=no_such_term:_a__b policy= shadow=250 heloresult=");
  v.result = Result::fail;
  CHECK(end_of(spf::log_line({250, "", "h", 1, "none", 1, "", "", {}, ""}, query(), v)) ==
        " level=1 why= policy= shadow= heloresult=");
  CHECK(end_of(spf::log_line({451, "", "h", 1, "none", 1, "", "dmarc:a b", {}, "pass"}, query(), v)) ==
        " level=1 why=dmarc:a_b policy= shadow= heloresult=pass");
  v.result = Result::permerror;
  v.problem = std::string(300, 'x');
  CHECK(end_of(spf::log_line({250, "", "h", 1, "none", 1, "", "", {}, ""}, query(), v)) ==
        " level=1 why=" + std::string(255, 'x') + " policy= shadow= heloresult=");
}

TEST_CASE("no text from outside looks like a key") {
  Verdict v = verdict(Result::permerror);
  v.problem = "unknown term: a;b=c";
  v.mechanism = "exists:identity=mailfrom;.evil.example";
  const std::string value = spf::header_value(query("", "x; receiver=y"), v, "mx.local");
  CHECK(value ==
        "permerror (mx.local: unknown term: a_b_c) client-ip=192.0.2.1; envelope-from=\"\"; "
        "helo=\"x_ receiver_y\"; mechanism=\"exists:identity_mailfrom_.evil.example\"; "
        "receiver=mx.local; identity=mailfrom;");
  // The variable and the log have it as it is.
  CHECK(spf::variables(v, {value})[3] == "SPFMECHANISM=exists:identity=mailfrom;.evil.example");
  CHECK(spf::log_line({250, "", "h", 1, "none", 1, "", "", {}, ""}, query(), v).find(
            " mechanism=exists:identity=mailfrom;.evil.example ") != std::string::npos);

  const struct { const char* sender; const char* written; } cases[] = {
      {"prvs=123=a@b.example", "prvs=123=a@b.example"},            // BATV
      {"SRS0=Xy=TT=c.example=a@b.example", "SRS0=Xy=TT=c.example=a@b.example"},
      {"list-a=c.example@b.example", "list-a=c.example@b.example"},  // VERP
      {"identity=helo@b.example", "identity_helo@b.example"},
      {"x+Identity=helo@b.example", "x+Identity_helo@b.example"},
      {"identity==helo@b.example", "identity_=helo@b.example"},
      {"client-ip=127.0.0.1@b.example", "client-ip_127.0.0.1@b.example"},
      {"identity@b=c", "identity@b=c"},
      {"\"a;identity =b\"@c", "\\\"a_identity _b\\\"@c"},
  };
  for (const auto& c : cases)
    CHECK(spf::header_value(query(c.sender), v, "r").find(
              " envelope-from=\"" + std::string(c.written) + "\"; ") != std::string::npos);
}

TEST_CASE("a name that is too long is left out, the address and the identity never are") {
  Verdict v = verdict(Result::pass);
  v.identity = spf::Identity::helo;
  const std::string longest(255, 'x'), too_long(256, 'x');
  CHECK(spf::header_value(query(longest, longest), v, "r").find("helo=" + longest + ";") != std::string::npos);
  // A part of it would be another one.
  const std::string value = spf::header_value(query(too_long, too_long), v, "r");
  CHECK(value.ends_with(") client-ip=192.0.2.1; mechanism=mx; receiver=r; identity=helo;"));
  for (const std::string& fill : {longest, std::string(255, '"'), std::string(255, '(')}) {
    v.domain = v.problem = fill;
    v.mechanism = fill;
    const std::string full = spf::header_value(query(fill, fill), v, fill);
    CHECK(full.size() <= 1000);
    CHECK(full.find(" client-ip=192.0.2.1;") != std::string::npos);
    CHECK(full.ends_with("; identity=helo;"));
  }
}
