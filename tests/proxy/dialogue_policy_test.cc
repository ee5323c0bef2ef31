// Levels by address and what lets a message through all the same, with real
// programs all round.
#include <algorithm>

#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

const std::string fail = "MAIL FROM:<a@fail.example.org>";
const std::string pass = "MAIL FROM:<a@pass.example.org>";
const std::string temperror = "MAIL FROM:<a@temperror.example>";
const std::string low = "RCPT TO:<postmaster@example.org>", usual = "RCPT TO:<b@example.org>",
                  none = "RCPT TO:<free@example.org>";
const std::string later = "451 SPF lookup failure (#4.3.0)";

Setup by_address(Environment control, Environment more = {}) {
  control.insert({"spfto", "# who takes all\npostmaster@:1\nfree@example.org:0\n"});
  Setup setup = level("3", std::move(more));
  setup.control = std::move(control);
  return setup;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

std::string value(const std::string& line, const std::string& key) {
  const std::size_t begin = line.find(" " + key + "=") + key.size() + 2;
  return line.substr(begin, line.find(' ', begin) - begin);
}

}  // namespace

TEST_CASE("a mixed transaction: prog sees the MAIL with the first recipient that is let through") {
  for (const char* where : {"data", "env", "header"}) {
    INFO(where);
    Wrapped spfwrap(by_address({}, {{"SPFANNOTATE", where}}));
    spfwrap.hello();
    CHECK(spfwrap.ask(fail) == "250 ok");
    CHECK(spfwrap.ask(usual).starts_with("550 SPF fail: "));
    CHECK(spfwrap.ask("DATA") == "503 MAIL first (#5.5.1)");
    CHECK(spfwrap.ask(low) == "250 ok");
    CHECK(spfwrap.ask(usual).starts_with("550 SPF fail: "));
    CHECK(spfwrap.ask(none) == "250 ok");
    CHECK(spfwrap.ask("DATA").starts_with("354 "));
    spfwrap.client().send("Subject: x\r\n\r\nx\r\n.\r\n");
    CHECK(spfwrap.client().reply().starts_with("250 "));
    CHECK(spfwrap.ask("QUIT") == "221 child.example");
    CHECK(spfwrap.finish() == 0);

    const ChildRun run = spfwrap.last_run();
    const bool by_prog = std::string(where) != "header";
    CHECK(spfwrap.runs().size() == (by_prog ? 2 : 1));
    CHECK(run.value("SPFRESULT") == (by_prog ? "fail" : ""));
    const auto mails = [&run](const std::string& command) {
      return std::count(run.commands.begin(), run.commands.end(), command);
    };
    CHECK(mails(fail) == 1);
    CHECK(mails(low) == 1);
    CHECK(mails(none) == 1);
    CHECK(mails(usual) == 0);
    REQUIRE(run.messages.size() == 1);
    CHECK(run.messages[0].starts_with("Received-SPF: fail ") == (std::string(where) != "env"));

    const auto log = spfwrap.log();
    REQUIRE(log.size() == 3);
    const struct { const char *code, *rcptto, *level; } lines[] = {
        {"550", "b@example.org", "3"}, {"250", "", "1"}, {"550", "b@example.org", "3"}};
    for (std::size_t i = 0; i < log.size(); ++i) {
      INFO(log[i]);
      CHECK(value(log[i], "code") == lines[i].code);
      CHECK(value(log[i], "rcptto") == lines[i].rcptto);
      CHECK(value(log[i], "level") == lines[i].level);
    }
  }
}

TEST_CASE("a MAIL that could not be checked waits for those who can") {
  Wrapped spfwrap(by_address({}));
  spfwrap.hello();
  CHECK(spfwrap.ask(temperror) == "250 ok");
  CHECK(spfwrap.ask(usual) == later);
  CHECK(spfwrap.ask(low) == "250 ok");
  CHECK(spfwrap.ask(usual) == later);
  CHECK(spfwrap.ask("RSET") == "250 flushed");
  CHECK(spfwrap.ask(usual) == "503 MAIL first (#5.5.1)");
  CHECK(spfwrap.finish() == 0);
  CHECK(spfwrap.log().size() == 3);
  CHECK(contains(spfwrap.log()[0], " code=451 reason=spf detail=temperror "));
  CHECK(contains(spfwrap.log()[0], " rcptto=b@example.org "));
}

TEST_CASE("what prog says of the MAIL that was held back is the recipient's answer, and the next one tries again") {
  Wrapped spfwrap(by_address({}, {{"CHILD_FAULT", "fail/mail=say:451 not now\\r\\n"}}));
  spfwrap.hello();
  CHECK(spfwrap.ask(fail) == "250 ok");
  CHECK(spfwrap.ask(low) == "451 not now");
  CHECK(spfwrap.ask(usual).starts_with("550 "));
  CHECK(spfwrap.ask(none) == "451 not now");
  CHECK(spfwrap.ask("DATA") == "503 MAIL first (#5.5.1)");
  CHECK(spfwrap.ask(pass) == "250 ok");
  CHECK(spfwrap.ask(usual) == "250 ok");
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("a prog that does not come up for a held MAIL costs the recipient a 451 and nothing else") {
  Wrapped spfwrap(by_address({}, {{"CHILD_FAULT", "fail/greeting=say:554 no\\r\\n"}}));
  spfwrap.hello();
  CHECK(spfwrap.ask(fail) == "250 ok");
  CHECK(spfwrap.ask(low) == "451 unable to start SMTP server again (#4.3.0)");
  CHECK(spfwrap.ask("DATA") == "503 MAIL first (#5.5.1)");
  CHECK(spfwrap.ask(pass) == "250 ok");
  CHECK(spfwrap.ask(usual) == "250 ok");
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("pipelined recipients are answered in order") {
  Wrapped spfwrap(by_address({}));
  spfwrap.hello();
  spfwrap.client().send(fail + "\r\n" + usual + "\r\n" + low + "\r\n" + usual + "\r\n" + none + "\r\nDATA\r\n");
  const char* replies[] = {"250 ", "550 ", "250 ", "550 ", "250 ", "354 "};
  for (const char* reply : replies) CHECK(spfwrap.client().reply().starts_with(reply));
  spfwrap.client().send("x\r\n.\r\n");
  CHECK(spfwrap.client().reply().starts_with("250 "));
  CHECK(spfwrap.finish() == 0);
  CHECK(spfwrap.last_run().messages.size() == 1);
}

TEST_CASE("a sender with level 0 is not checked, also after one that was") {
  Wrapped spfwrap(by_address({{"spffrom", "@fail.example.org:0\n"}, {"spfto", ""}}));
  spfwrap.hello();
  CHECK(deliver(spfwrap, pass).ends_with("250 ok 1095 qp 4711\n"));
  CHECK(deliver(spfwrap, fail).ends_with("250 ok 1095 qp 4711\n"));
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
  CHECK(spfwrap.finish() == 0);
  const auto runs = spfwrap.runs();
  REQUIRE(runs.size() == 3);
  CHECK(runs[1].value("SPFRESULT") == "pass");
  CHECK_FALSE(runs[2].has("SPFRESULT"));
  REQUIRE(runs[2].messages.size() == 1);
  CHECK(runs[2].messages[0].starts_with("Subject: x"));
  CHECK(spfwrap.log().size() == 1);
}

TEST_CASE("a client in a network of forwarders is let through, and prog and the log know why") {
  Setup setup = level("3");
  setup.control = {{"spfforwarders", "# ours\n198.51.100.0/24\n192.0.2.0/24\n"}};
  Wrapped spfwrap(setup);
  spfwrap.hello();
  CHECK(deliver(spfwrap, fail).ends_with("250 ok 1095 qp 4711\n"));
  CHECK(spfwrap.finish() == 0);
  CHECK(spfwrap.last_run().value("SPFRESULT") == "fail");
  CHECK(spfwrap.last_run().value("SPFPOLICY") == "forwarder:192.0.2.0/24");
  REQUIRE(spfwrap.log().size() == 1);
  CHECK(value(spfwrap.log()[0], "code") == "250");
  CHECK(value(spfwrap.log()[0], "policy") == "forwarder:192.0.2.0/24");
}

TEST_CASE("a client that a forwarder's domain passes is let through, and another is refused") {
  const struct { const char *forwarder, *reply, *policy; } cases[] = {
      {"pass.example.org\n", "250 ok", "forwarder:pass.example.org"},
      {"softfail.example.org\nnone.example.org\n", "550 SPF fail: ", ""},
      {"temperror.example\n", "451 SPF lookup failure", ""},
  };
  for (const auto& c : cases) {
    INFO(c.forwarder);
    Setup setup = by_address({{"spfforwarders", c.forwarder}});
    Wrapped spfwrap(setup);
    spfwrap.hello();
    CHECK(spfwrap.ask(fail) == "250 ok");
    CHECK(spfwrap.ask(usual).starts_with(c.reply));
    CHECK(spfwrap.ask(usual).starts_with(c.reply));
    CHECK(spfwrap.ask(low) == "250 ok");
    CHECK(spfwrap.finish() == 0);
    CHECK(spfwrap.last_run().value("SPFPOLICY") == c.policy);
    CHECK(value(spfwrap.log()[0], "policy") == c.policy);
    CHECK(value(spfwrap.log()[0], "why") == (*c.reply == '4' ? "forwarder:temperror.example" : ""));
  }
}

TEST_CASE("SPFSHADOW tells what another level would do, and changes nothing") {
  Wrapped spfwrap(level("1", {{"SPFSHADOW", "3"}}));
  spfwrap.hello();
  for (const std::string& mail : {pass, fail, temperror}) CHECK(spfwrap.ask(mail) == "250 ok");
  CHECK(spfwrap.finish() == 0);
  const auto log = spfwrap.log();
  REQUIRE(log.size() == 3);
  const char* shadows[] = {"250", "550", "451"};
  for (std::size_t i = 0; i < log.size(); ++i) {
    CHECK(value(log[i], "code") == "250");
    CHECK(value(log[i], "level") == "1");
    CHECK(value(log[i], "shadow") == shadows[i]);
  }
}

TEST_CASE("SPFHELO: a field for each identity, and with 2 a HELO name that fails is refused") {
  const std::string bad_helo = "fail.example.org";
  Wrapped both(level("3", {{"SPFHELO", "1"}}));
  both.hello(bad_helo);
  CHECK(deliver(both, pass).ends_with("250 ok 1095 qp 4711\n"));
  CHECK(deliver(both, "MAIL FROM:<a@none.example.org>").ends_with("250 ok 1095 qp 4711\n"));
  CHECK(both.finish() == 0);
  CHECK(both.last_run().value("SPFRESULT") == "none");
  CHECK(both.last_run().value("SPFHELORESULT") == "fail");
  const std::string message = both.runs().at(1).messages.at(0);
  INFO(message);
  CHECK(message.starts_with("Received-SPF: pass ("));
  const std::size_t second = message.find("\nReceived-SPF: fail (");
  REQUIRE(second != message.npos);
  CHECK(message.find("identity=mailfrom") < second);
  CHECK(message.find("identity=helo") > second);
  CHECK(message.find("envelope-from", second) == message.npos);
  CHECK(value(both.log()[0], "detail") == "pass");
  CHECK(both.log()[0].ends_with(" heloresult=fail"));

  Wrapped strict(level("3", {{"SPFHELO", "2"}}));
  strict.hello(bad_helo);
  CHECK(strict.ask(pass) == "250 ok");
  CHECK(strict.ask(usual) == "550 SPF fail: fail.example.org does not designate 192.0.2.1 as permitted sender (#5.7.1)");
  strict.ask("EHLO mail.example.org");
  CHECK(deliver(strict, pass).ends_with("250 ok 1095 qp 4711\n"));
  CHECK(strict.finish() == 0);
  CHECK(strict.last_run().value("SPFHELORESULT") == "pass");
  CHECK(value(strict.log()[0], "code") == "550");

  // The only identity there is.
  Wrapped bounce(level("3", {{"SPFHELO", "1"}}));
  bounce.hello();
  CHECK(deliver(bounce, "MAIL FROM:<>").ends_with("250 ok 1095 qp 4711\n"));
  CHECK(bounce.finish() == 0);
  CHECK(bounce.last_run().value("SPFHELORESULT") == "pass");
  const std::string one = bounce.last_run().messages.at(0);
  CHECK(one.find("Received-SPF: ", 1) == one.npos);
}
