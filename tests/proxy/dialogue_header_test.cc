// The Received-SPF header as it arrives in the message.
#include <sstream>

#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// What the child got of one message.
std::string delivered(const Setup& setup, const std::string& mail, std::string_view body,
                      const std::string& helo = "mail.example.org") {
  Wrapped spfwrap(setup);
  spfwrap.hello(helo);
  INFO(mail);
  CHECK(deliver(spfwrap, mail, body).ends_with("250 ok 1095 qp 4711\n"));
  const auto messages = spfwrap.last_run().messages;
  return messages.size() == 1 ? messages[0] : "(no message)";
}

struct Message {
  std::string header;  // the first field, unfolded, without CRLF
  std::string rest;
  bool well_formed = true;
};

// Takes the first header field off, checking CRLF, printable ASCII and width.
Message taken_apart(const std::string& text) {
  Message message;
  std::size_t at = 0;
  do {
    const auto end = text.find("\r\n", at);
    if (end == text.npos) return {text, "(no line end)", false};
    const std::string line = text.substr(at, end - at);
    for (const char c : line) message.well_formed &= c >= 32 && c < 127;
    if (line.find(' ', 1) != line.npos) message.well_formed &= line.size() <= 78;
    message.header += line;  // a fold is CRLF before a blank that stays
    at = end + 2;
  } while (at < text.size() && text[at] == ' ' && message.header.starts_with("Received-SPF:"));
  message.rest = text.substr(at);
  return message;
}

const std::string body = "Subject: hello\r\n\r\nworld\r\n";

}  // namespace

TEST_CASE("a message has the header of the manual, octet by octet") {
  CHECK(delivered(level("1"), "MAIL FROM:<a@example.org>", body) ==
        "Received-SPF: pass (mx.local: SPF record at example.org designates 192.0.2.1\r\n"
        " as permitted sender) client-ip=192.0.2.1; envelope-from=\"a@example.org\";\r\n"
        " helo=mail.example.org; mechanism=mx; receiver=mx.local; identity=mailfrom;\r\n" +
            body);
}

TEST_CASE("the comment says what each result means") {
  const struct { const char* domain; const char* comment; const char* mechanism; } cases[] = {
      {"pass.example.org",
       "pass (mx.local: SPF record at pass.example.org designates 192.0.2.1 as permitted sender)",
       " mechanism=\"ip4:192.0.2.0/24\";"},
      {"fail.example.org",
       "fail (mx.local: SPF record at fail.example.org does not designate 192.0.2.1 as permitted sender)",
       " mechanism=-all;"},
      {"softfail.example.org",
       "softfail (mx.local: transitioning SPF record at softfail.example.org does not designate "
       "192.0.2.1 as permitted sender)",
       " mechanism=~all;"},
      {"neutral.example.org",
       "neutral (mx.local: 192.0.2.1 is neither permitted nor denied by SPF record at neutral.example.org)",
       " mechanism=?all;"},
      {"default.example.org",
       "neutral (mx.local: 192.0.2.1 is neither permitted nor denied by SPF record at default.example.org)",
       " mechanism=default;"},
      {"none.example.org",
       "none (mx.local: domain at none.example.org does not designate permitted sender hosts)", ""},
      {"temperror.example",
       "temperror (mx.local: error in processing during lookup of temperror.example: DNS problem)", ""},
  };
  for (const auto& c : cases) {
    INFO(c.domain);
    const std::string sender = "a@" + std::string(c.domain);
    const Message message = taken_apart(delivered(level("1"), "MAIL FROM:<" + sender + ">", body));
    CHECK(message.well_formed);
    CHECK(message.header == "Received-SPF: " + std::string(c.comment) +
                                " client-ip=192.0.2.1; envelope-from=\"" + sender +
                                "\"; helo=mail.example.org;" + c.mechanism +
                                " receiver=mx.local; identity=mailfrom;");
    CHECK(message.rest == body);
  }
  const Message error = taken_apart(delivered(level("1"), "MAIL FROM:<a@permerror.example.org>", body));
  CHECK(error.well_formed);
  CHECK(error.header.starts_with("Received-SPF: permerror (mx.local: "));
  CHECK(error.header.find("permerror.example.org") != std::string::npos);
}

TEST_CASE("a local rule is named local policy") {
  const Message message = taken_apart(
      delivered(level("1", {{"SPFRULES", "ip4:192.0.2.1"}}), "MAIL FROM:<a@rules.example.org>", body));
  CHECK(message.header.starts_with(
      "Received-SPF: pass (mx.local: local policy designates 192.0.2.1 as permitted sender) "));
}

TEST_CASE("SPFHEADER is the same in one line") {
  Wrapped spfwrap(level("1"));
  deliver(spfwrap.hello(), "MAIL FROM:<a@pass.example.org>", body);
  const ChildRun run = spfwrap.last_run();
  REQUIRE(run.messages.size() == 1);
  CHECK("Received-SPF: " + run.value("SPFHEADER") == taken_apart(run.messages[0]).header);
}

TEST_CASE("SPFANNOTATE=env leaves the message alone") {
  CHECK(delivered(level("1", {{"SPFANNOTATE", "env"}}), "MAIL FROM:<a@pass.example.org>", body) == body);
  CHECK(delivered(level("1", {{"SPFANNOTATE", "data"}}), "MAIL FROM:<a@pass.example.org>", body) != body);
}

TEST_CASE("the receiver is TCPLOCALHOST, else me, else the address, else unknown") {
  const struct { Setup setup; const char* receiver; } cases[] = {
      {{.environment = {{"TCPLOCALHOST", "env.local"}}, .control = {{"me", "me.local\n"}}}, "env.local"},
      {{.environment = {{"TCPLOCALHOST", "0"}}, .control = {{"me", "me.local \n"}}}, "me.local"},
      {{.unset = {"TCPLOCALHOST"}, .control = {{"me", "me.local\n"}}}, "me.local"},
      {{.environment = {{"TCPLOCALHOST", "0"}}}, "192.0.2.25"},
      {{.unset = {"TCPLOCALHOST"}}, "192.0.2.25"},
      {{.unset = {"TCPLOCALHOST", "TCPLOCALIP"}}, "unknown"},
  };
  for (const auto& c : cases) {
    INFO(c.receiver);
    Setup setup = c.setup;
    setup.environment["SPFBEHAVIOR"] = "1";
    const Message message = taken_apart(delivered(setup, "MAIL FROM:<a@pass.example.org>", body));
    CHECK(message.header.find("pass (" + std::string(c.receiver) + ": ") != std::string::npos);
    CHECK(message.header.find(" receiver=" + std::string(c.receiver) + ";") != std::string::npos);
  }
}

TEST_CASE("what the client says cannot break the header") {
  const struct { const char* why; std::string mail; std::string helo; } cases[] = {
      {"a comment's end", "MAIL FROM:<\"a)(b\"@pass.example.org>", "x) client-ip=127.0.0.1; ("},
      {"great length", "MAIL FROM:<" + std::string(900, 'a') + "@pass.example.org>", std::string(300, 'h')},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const Message message = taken_apart(delivered(level("1"), c.mail, body, c.helo));
    INFO(message.header);
    CHECK(message.well_formed);
    CHECK(message.header.starts_with("Received-SPF: "));
    CHECK(message.header.size() < 2000);
    CHECK(message.rest == body);
  }
}

TEST_CASE("whatever the first line is, the header stays ours") {
  const struct { const char* why; std::string wire; std::string arrives; bool continues; } cases[] = {
      {"nothing at all", "", "", false},
      {"it would continue our header", " x\r\n", " x\r\n", true},
      {"a long line", std::string(70000, 'x') + "\r\n", std::string(70000, 'x') + "\r\n", false},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const std::string text = delivered(level("1"), "MAIL FROM:<a@pass.example.org>", c.wire);
    REQUIRE(text.size() >= c.arrives.size());
    CHECK(text.ends_with(c.arrives));
    const Message ours = taken_apart(text.substr(0, text.size() - c.arrives.size()));
    CHECK(ours.header.starts_with("Received-SPF: pass (mx.local: "));
    CHECK(ours.well_formed);
    if (!c.continues) {
      CHECK(ours.rest == "");
    } else {  // one more header of ours stands between
      const Message between = taken_apart(ours.rest);
      CHECK(between.well_formed);
      CHECK(between.rest == "");
      CHECK(between.header.find(':') != std::string::npos);
    }
  }
}
