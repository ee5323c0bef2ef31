// What each behaviour level does with each result, and what the client is told.
#include <algorithm>

#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

const std::string rcpt = "RCPT TO:<b@example.org>";
const std::string refused_data = "503 MAIL first (#5.5.1)";

std::string mail(const std::string& name) { return "MAIL FROM:<a@" + name + ".example.org>"; }

bool begins(const std::string& text, std::string_view start) { return text.starts_with(start); }

}  // namespace

TEST_CASE("every level does with every result what it says") {
  const struct { const char* domain; int deferred_from; int refused_from; } cases[] = {
      {"pass.example.org", 9, 9},
      {"fail.example.org", 9, 3},
      {"softfail.example.org", 9, 4},
      {"neutral.example.org", 9, 5},
      {"default.example.org", 9, 5},     // no term matches: neutral
      {"none.example.org", 9, 6},
      {"nosuchname.example.org", 9, 6},  // none as well
      {"permerror.example.org", 9, 6},
      {"temperror.example", 2, 9},       // the name server refuses
  };
  for (int n = 1; n <= 6; ++n) {
    Wrapped spfwrap(level(std::to_string(n)));
    spfwrap.hello();
    for (const auto& c : cases) {
      INFO("level " << n << ", " << c.domain);
      const auto command = "MAIL FROM:<a@" + std::string(c.domain) + ">";
      const std::string reply = spfwrap.ask(command);
      const std::string answer = spfwrap.ask(rcpt);
      const auto commands = spfwrap.last_run().commands;
      const bool seen = std::count(commands.begin(), commands.end(), command);
      if (n >= c.deferred_from) {
        CHECK(reply == "451 SPF lookup failure (#4.3.0)");
        CHECK(answer == refused_data);  // the child knows of no MAIL
        CHECK_FALSE(seen);
      } else if (n >= c.refused_from) {
        CHECK(reply == "250 ok");
        CHECK(begins(answer, "550"));
        CHECK(answer.ends_with(" (#5.7.1)"));
        CHECK(spfwrap.ask("RCPT TO:<c@example.org>") == answer);  // each of them
        CHECK(spfwrap.ask("DATA") == refused_data);
        CHECK_FALSE(seen);
      } else {
        CHECK(reply == "250 ok");
        CHECK(answer == "250 ok");
        CHECK(seen);
      }
    }
    CHECK(spfwrap.ask("QUIT") == "221 child.example");
    CHECK(spfwrap.finish() == 0);
  }
}

TEST_CASE("the text comes from the domain, else from us, else it is the default") {
  const struct { const char* why; Setup setup; const char* name; const char* reply; } cases[] = {
      {"exp=", level("3"), "explained",
       "550-SPF fail: explained.example.org says:\n"
       "550 192.0.2.1 may not send for explained.example.org, says explained.example.org (#5.7.1)"},
      {"exp= comes before SPFEXP", level("3", {{"SPFEXP", "ours"}}), "explained",
       "550-SPF fail: explained.example.org says:\n"
       "550 192.0.2.1 may not send for explained.example.org, says explained.example.org (#5.7.1)"},
      {"SPFEXP", level("3", {{"SPFEXP", "no %{d} from %{i}"}}), "fail",
       "550 no fail.example.org from 192.0.2.1 (#5.7.1)"},
      {"SPFEXP for what is no fail", level("6", {{"SPFEXP", "no %{d}"}}), "softfail",
       "550 no softfail.example.org (#5.7.1)"},
      {"control/spfexp", {.environment = {{"SPFBEHAVIOR", "3"}},
                          .control = {{"spfexp", "the file's %{s}\n"}}}, "fail",
       "550 the file's a@fail.example.org (#5.7.1)"},
      {"SPFEXP comes before control/spfexp", {.environment = {{"SPFBEHAVIOR", "3"}, {"SPFEXP", "ours"}},
                                              .control = {{"spfexp", "the file's\n"}}}, "fail",
       "550 ours (#5.7.1)"},
      {"several lines", level("3", {{"SPFEXP", "one\ntwo %{d}\nthree"}}), "fail",
       "550-one\n550-two fail.example.org\n550 three (#5.7.1)"},
      {"the receiver", level("3", {{"SPFEXP", "%{xr} says no"}}), "fail",
       "550 mx.local says no (#5.7.1)"},
      {"the receiver once more", level("3", {{"SPFEXP", "%{xR} says no"}}), "fail",
       "550 mx.local says no (#5.7.1)"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(c.setup);
    spfwrap.hello().ask(mail(c.name));
    CHECK(spfwrap.ask(rcpt) == c.reply);
  }
}

TEST_CASE("the default text names result, client and domain, and no web page") {
  const Setup setups[] = {
      level("6"),
      level("6", {{"SPFEXP", ""}}),
      {.environment = {{"SPFBEHAVIOR", "6"}, {"SPFEXP", ""}}, .control = {{"spfexp", "file\n"}}},
  };
  for (const Setup& setup : setups) {
    Wrapped spfwrap(setup);
    spfwrap.hello();
    for (const std::string result : {"fail", "softfail", "neutral", "none", "permerror"}) {
      INFO(result);
      spfwrap.ask(mail(result));
      const std::string reply = spfwrap.ask(rcpt);
      INFO(reply);
      for (const std::string& part : {result, std::string("192.0.2.1"), result + ".example.org"})
        CHECK(reply.find(part) != std::string::npos);
      CHECK(reply.find("://") == std::string::npos);
      CHECK(reply.find("file") == std::string::npos);
    }
  }
}

TEST_CASE("a hostile or endless explanation is still one tame reply") {
  for (const char* name : {"hostile", "longexp"}) {
    INFO(name);
    Wrapped spfwrap(level("3"));
    spfwrap.hello().ask(mail(name));
    const std::string reply = spfwrap.ask(rcpt);
    std::size_t line = 0;
    for (const unsigned char c : reply) {
      CHECK((c == '\n' || (c >= 32 && c < 127)));
      line = c == '\n' ? 0 : line + 1;
      CHECK(line <= 510);  // and CRLF
    }
    if (name == std::string("longexp")) CHECK(begins(reply, "550-SPF fail: longexp.example.org says:\n550-"));
    if (name == std::string("hostile")) CHECK(begins(reply, "550 SPF fail: hostile.example.org does not "));
    CHECK((reply.find('\n') != std::string::npos) == (name == std::string("longexp")));
    CHECK(spfwrap.ask("NOOP") == "250 ok");  // nothing of it is left over
  }
}
