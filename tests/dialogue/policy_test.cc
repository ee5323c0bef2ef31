#include "spf/dialogue/policy.hh"

#include <optional>

#include "spf/settings/config.hh"
#include "tests/catch.hh"

using spf::Decision;
using spf::Result;

TEST_CASE("each level rejects what it says and what the levels below it reject") {
  constexpr Decision yes = Decision::accept, no = Decision::reject, later = Decision::defer;
  const struct { Result result; Decision at[6]; } cases[] = {
      //                    1     2      3      4      5      6
      {Result::pass,      {yes, yes,   yes,   yes,   yes,   yes}},
      {Result::temperror, {yes, later, later, later, later, later}},
      {Result::fail,      {yes, yes,   no,    no,    no,    no}},
      {Result::softfail,  {yes, yes,   yes,   no,    no,    no}},
      {Result::neutral,   {yes, yes,   yes,   yes,   no,    no}},
      {Result::none,      {yes, yes,   yes,   yes,   yes,   no}},
      {Result::permerror, {yes, yes,   yes,   yes,   yes,   no}},
  };
  for (const auto& c : cases)
    for (unsigned level = 1; level <= spf::max_level; ++level) {
      INFO(spf::name(c.result) << " at level " << level);
      CHECK(decide(level, c.result) == c.at[level - 1]);
    }
  for (const auto& c : cases) CHECK(spf::decide(0, c.result) == yes);
}

TEST_CASE("each recipient has his level, and all of them may come to the same") {
  constexpr Result pass = Result::pass, fail = Result::fail, softfail = Result::softfail, none = Result::none,
                   temperror = Result::temperror;
  constexpr int accept = int(Decision::accept), defer = int(Decision::defer), reject = int(Decision::reject),
                differ = -1;
  const struct {
    unsigned level;           // SPFBEHAVIOR
    const char *from, *to;    // files
    Result result;
    unsigned sender, recipient;  // the levels of a@s.example and r@r.example
    int common;
    bool off;
    const char* why;
  } cases[] = {
      {3, "", "", fail, 3, 3, reject, false, "no rules"},
      {3, "", "", temperror, 3, 3, defer, false, "no rules, temperror"},
      {3, "a@s.example:1", "", fail, 1, 1, accept, false, "the sender's"},
      {3, "a@s.example:0", "", fail, 0, 0, accept, true, "the sender is not checked"},
      {3, "b@s.example:0", "", fail, 3, 3, reject, false, "another sender is not"},
      {3, "", "r@r.example:1", fail, 3, 1, differ, false, "a recipient with less"},
      {3, "", "r@r.example:4", fail, 3, 4, reject, false, "a recipient with more, to whom it is the same"},
      {3, "", "r@r.example:4", softfail, 3, 4, differ, false, "a recipient with more, to whom it is not"},
      {3, "", "r@r.example:4", pass, 3, 4, accept, false, "whom all accept"},
      {3, "", "r@r.example:1", temperror, 3, 1, differ, false, "a recipient who can wait for no DNS"},
      {3, "", "r@r.example:2", temperror, 3, 2, defer, false, "a recipient who can"},
      {1, "", "r@r.example:2", temperror, 1, 2, differ, false, "the only recipient who can"},
      {3, "@s.example:0", "@r.example:3", fail, 0, 3, differ, false, "a check for the recipient's sake"},
      {3, "@s.example:0", "@r.example:3", none, 0, 3, accept, false, "the same, without consequence"},
      {3, "@s.example:0", "@r.example:0", fail, 0, 0, accept, true, "neither wants a check"},
      {3, "@s.example:6", "@r.example:0", none, 6, 0, differ, false, "the recipient wants all"},
      {3, "", "other@r.example:1", fail, 3, 3, differ, false, "a recipient who may still come"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    spf::Config config;
    config.level = c.level;
    config.sender_levels = spf::Levels(c.from);
    config.recipient_levels = spf::Levels(c.to);
    const spf::RecipientLevels levels(config, "a@s.example");
    CHECK(levels.of_sender() == c.sender);
    CHECK(levels.of("r@r.example") == c.recipient);
    CHECK(levels.all_off() == c.off);
    spf::JudgedMail mail{{}, {}, levels, {}};
    mail.judgement.verdict.result = c.result;
    const auto common = mail.common_decision();
    CHECK((common ? int(*common) : differ) == c.common);
  }
}

TEST_CASE("a reason lets through what is refused, and only that; without an answer it is deferred") {
  constexpr Decision accept = Decision::accept, reject = Decision::reject, defer = Decision::defer;
  const spf::Exemption reason{"dmarc:example.org:reject", false, ""}, none{"", false, ""}, trouble{"", true, ""};
  const struct { Result result; const spf::Exemption& exemption; Decision low, usual; } cases[] = {
      // of the recipient with level 1, and of one with 3
      {Result::fail, reason, accept, accept},  {Result::fail, none, accept, reject},
      {Result::fail, trouble, accept, defer},  {Result::pass, reason, accept, accept},
      {Result::pass, trouble, accept, accept}, {Result::temperror, reason, accept, defer},
      {Result::temperror, none, accept, defer},
  };
  spf::Config config;
  config.level = 3;
  config.recipient_levels = spf::Levels("low@:1");
  for (const auto& c : cases) {
    INFO(spf::name(c.result) << " " << c.exemption.reason << (c.exemption.trouble ? " trouble" : ""));
    spf::JudgedMail mail{{}, {}, spf::RecipientLevels(config, "a@s.example"), c.exemption};
    mail.judgement.verdict.result = c.result;
    CHECK(mail.decision(1) == c.low);
    CHECK(mail.decision(3) == c.usual);
    CHECK(mail.common_decision() == (c.low == c.usual ? std::optional(c.low) : std::nullopt));
    CHECK(mail.reason() == c.exemption.reason);
  }
}

TEST_CASE("a HELO name that fails is refused with SPFHELO=2, from level 3 on, whatever MAIL's domain says") {
  using spf::HeloCheck;
  constexpr Decision accept = Decision::accept, reject = Decision::reject, defer = Decision::defer;
  const struct { HeloCheck check; Result mail, helo; Decision at_2, at_3; bool by_helo; } cases[] = {
      {HeloCheck::refuse, Result::pass, Result::fail, accept, reject, true},
      {HeloCheck::refuse, Result::none, Result::fail, accept, reject, true},
      {HeloCheck::refuse, Result::temperror, Result::fail, defer, reject, true},
      {HeloCheck::refuse, Result::fail, Result::fail, accept, reject, false},
      {HeloCheck::refuse, Result::fail, Result::pass, accept, reject, false},
      {HeloCheck::refuse, Result::pass, Result::softfail, accept, accept, true},
      {HeloCheck::refuse, Result::pass, Result::temperror, accept, accept, true},
      {HeloCheck::annotate, Result::pass, Result::fail, accept, accept, true},
      {HeloCheck::no, Result::pass, Result::fail, accept, accept, true},
  };
  for (const auto& c : cases) {
    INFO(spf::name(c.mail) << ", HELO " << spf::name(c.helo));
    spf::Config config;
    config.level = 3;
    config.helo_check = c.check;
    spf::JudgedMail mail{{}, {}, spf::RecipientLevels(config, ""), {}};
    mail.judgement.verdict.result = c.mail;
    mail.judgement.helo.emplace();
    mail.judgement.helo->result = c.helo;
    CHECK(mail.decision(2) == c.at_2);
    CHECK(mail.decision(3) == c.at_3);
    CHECK(mail.common_decision() == c.at_3);
    if (c.at_3 == reject) CHECK((&mail.refusing_verdict(3) == &*mail.judgement.helo) == c.by_helo);
  }
}

TEST_CASE("a level tells whether SPFBEHAVIOR gives it, or which line of which file") {
  using By = spf::GivenLevel::By;
  spf::Config config;
  config.level = 3;
  config.sender_levels = spf::Levels("\n@s.example:4\n");
  config.recipient_levels = spf::Levels("# all\npostmaster@:1\nr@r.example:4\n");
  const struct { const char *sender, *recipient; By by; unsigned level; std::size_t line; const char* pattern; } cases[] = {
      {"a@o.example", "b@r.example", By::behavior, 3, 0, ""},
      {"a@s.example", "b@r.example", By::sender, 4, 2, "@s.example"},
      {"a@s.example", "R@r.example", By::recipient, 4, 3, "r@r.example"},
      {"a@o.example", "postmaster", By::recipient, 1, 2, "postmaster@"},
      {"", "b@r.example", By::behavior, 3, 0, ""},
  };
  for (const auto& c : cases) {
    INFO(c.sender << " to " << c.recipient);
    const spf::RecipientLevels levels(config, c.sender);
    const spf::GivenLevel given = levels.given(c.recipient);
    CHECK(int(given.by) == int(c.by));
    CHECK(given.level == c.level);
    CHECK(given.rule.has_value() == (c.by != By::behavior));
    if (given.rule) CHECK(given.rule->line == c.line);
    if (given.rule) CHECK(given.rule->pattern == c.pattern);
  }
}

TEST_CASE("SPFSHADOW has a code and the HELO name a result where they are wanted") {
  using spf::HeloCheck;
  constexpr auto mailfrom = spf::Identity::mailfrom, helo = spf::Identity::helo;
  const struct {
    std::optional<unsigned> shadow;
    HeloCheck check;
    spf::Identity identity;
    Result result;
    std::optional<Result> of_helo;
    std::optional<unsigned> code;
    const char* helo_result;
  } cases[] = {
      {{}, HeloCheck::no, mailfrom, Result::fail, {}, {}, ""},
      {2, HeloCheck::no, mailfrom, Result::fail, {}, 250, ""},
      {3, HeloCheck::no, helo, Result::fail, {}, 550, ""},
      {3, HeloCheck::annotate, mailfrom, Result::pass, Result::fail, 250, "fail"},
      {3, HeloCheck::refuse, mailfrom, Result::pass, Result::fail, 550, "fail"},
      {2, HeloCheck::refuse, mailfrom, Result::temperror, Result::pass, 451, "pass"},
      {3, HeloCheck::annotate, helo, Result::softfail, {}, 250, "softfail"},
  };
  for (const auto& c : cases) {
    INFO(spf::name(c.result) << " " << c.helo_result);
    spf::Config config;
    config.shadow_level = c.shadow;
    config.helo_check = c.check;
    spf::JudgedMail mail{{}, {}, spf::RecipientLevels(config, ""), {}};
    mail.judgement.verdict.result = c.result;
    mail.judgement.verdict.identity = c.identity;
    if (c.of_helo) mail.judgement.helo.emplace().result = *c.of_helo;
    CHECK(mail.shadow_code() == c.code);
    CHECK(mail.helo_result() == c.helo_result);
  }
}
