// Children that misbehave, clients that vanish, and time that runs out: what
// the other side hears, and that nothing is left running.
#include <signal.h>

#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

const std::string_view session[] = {"EHLO x", "NOOP", "MAIL FROM:<a@pass.example.org>",
                                    "RCPT TO:<b@example.org>", "DATA", "Subject: x\r\n\r\nx\r\n.", "QUIT"};

// Plays the session until the connection ends; the last two things heard.
std::string last_words(Wrapped& spfwrap) {
  std::string before = spfwrap.client().reply(), last = before;
  for (const auto line : session) {
    if (last.ends_with("<EOF>")) break;
    before = last;
    last = spfwrap.ask(line);
  }
  return before + "\n" + last;
}

Setup faulty(const std::string& fault, Environment more = {}) {
  more["CHILD_FAULT"] = fault;
  return level("1", more);
}

}  // namespace

TEST_CASE("a child that dies or does not speak SMTP is 421 to the client, and the end") {
  const struct { const char* why; const char* fault; } cases[] = {
      {"dies before its greeting", "connect=die"},
      {"dies instead of its greeting", "greeting=die"},
      {"dies in its greeting", "greeting=say:220-x\\r\\n|die"},
      {"dies at EHLO", "ehlo=die"},
      {"dies at NOOP", "noop=die"},
      {"dies at MAIL", "mail=die"},
      {"dies at RCPT", "rcpt=die"},
      {"dies at DATA", "data=die"},
      {"dies in a reply", "rcpt=say:250 o|die"},
      {"dies after a reply", "rcpt=say:250 ok\\r\\n|die"},
      {"too few digits", "rcpt=say:25 ok\\r\\n"},
      {"two replies", "rcpt=say:250 ok\\r\\n250 ok\\r\\n"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(faulty(c.fault));
    const std::string heard = last_words(spfwrap);
    INFO(heard);
    // A child that goes before a word was said may take the connection along.
    const bool closed = heard.ends_with("\n<EOF>");
    CHECK(closed);
    const bool told = heard.find("421 ") != std::string::npos || heard == "<EOF>\n<EOF>";
    CHECK(told);
    CHECK(spfwrap.finish() != -1);
    CHECK(spfwrap.last_run().messages.empty());
  }
}

TEST_CASE("a child that gives up a message leaves the client with 451, or with its own word") {
  const struct { const char* why; const char* fault; const char* reply; } cases[] = {
      {"dies in the body", "body=die", "451 "},
      {"dies at the dot", "dot=die", "451 "},
      {"refuses early, and goes", "body=say:451 See https://cr.yp.to/docs/smtplf.html.\\r\\n|die",
       "451 See https://cr.yp.to/docs/smtplf.html.\n"},
      {"refuses early, and stays", "body=say:554-no\\r\\n554 never\\r\\n|stall", "554-no\n554 never\n"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(faulty(c.fault));
    spfwrap.hello().talk({"MAIL FROM:<a@pass.example.org>", "RCPT TO:<b@example.org>"});
    CHECK(spfwrap.ask("DATA") == "354 go ahead");
    spfwrap.client().send("x\r\n");
    if (std::string_view(c.fault).starts_with("dot")) spfwrap.client().send(".\r\n");
    const std::string heard = spfwrap.client().rest();
    INFO(heard);
    CHECK(heard.starts_with(c.reply));
    CHECK(heard.find("\n250") == std::string::npos);
    CHECK(heard.find("<silence>") == std::string::npos);
    CHECK(spfwrap.finish() != -1);
  }
}

TEST_CASE("the last word of a child that goes is passed on once") {
  Wrapped spfwrap(faulty("noop=say:250 ok\\r\\n421 shutting down\\r\\n|die"));
  spfwrap.hello();
  CHECK(spfwrap.ask("NOOP") == "250 ok");
  CHECK(spfwrap.client().rest() == "421 shutting down\n");
  CHECK(spfwrap.finish() != -1);
}

TEST_CASE("refusals of the child are passed on, and the session goes on") {
  Wrapped spfwrap(faulty("vrfy=say:451 later\\n;rcpt=say:550-no\\r\\n550 no such user\\r\\n"));
  spfwrap.hello();
  CHECK(spfwrap.talk({"VRFY x", "MAIL FROM:<a@pass.example.org>", "RCPT TO:<x@example.org>", "DATA", "RSET", "QUIT"}) ==
        "451 later\n250 ok\n550-no\n550 no such user\n503 RCPT first (#5.5.1)\n250 flushed\n221 child.example\n");
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("a greeting that refuses is passed on") {
  Wrapped spfwrap(faulty("greeting=say:554 no service\\r\\n|die"));
  CHECK(spfwrap.client().reply() == "554 no service");
  CHECK(spfwrap.finish() != -1);
}

TEST_CASE("a child that writes octet by octet is no different") {
  Wrapped spfwrap(level("3", {{"CHILD_SPLIT", "1"}}));
  CHECK(last_words(spfwrap) == "250 ok 1095 qp 4711\n221 child.example");
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("when the client goes, the child hears the end and no dot is made up") {
  const struct { const char* why; const char* sent; const char* end; } cases[] = {
      {"at once", "", "eof"},
      {"after EHLO", "EHLO x\r\n", "eof"},
      {"in a command", "EHLO x\r\nMAIL FR", "eof"},
      {"in a transaction", "MAIL FROM:<a@pass.example.org>\r\nRCPT TO:<b@example.org>\r\n", "eof"},
      {"after DATA", "MAIL FROM:<a@pass.example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n", "eof-in-data"},
      {"in the body", "MAIL FROM:<a@pass.example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n",
       "eof-in-data"},
      {"at its CR", "MAIL FROM:<a@pass.example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r", "eof-in-data"},
  };
  for (const auto& c : cases)
    for (const bool half : {false, true}) {
      INFO(c.why << (half ? ", still listening" : ""));
      Wrapped spfwrap(level("1"));
      spfwrap.client().reply();
      const std::string_view sent = c.sent;
      for (std::string_view rest = sent; rest.find('\n') != rest.npos && !rest.starts_with("x");) {
        const auto end = rest.find('\n') + 1;  // commands one by one
        spfwrap.client().send(rest.substr(0, end));
        spfwrap.client().reply();
        rest.remove_prefix(end);
      }
      const auto body = sent.rfind("DATA\r\n");
      const auto last = body != sent.npos ? body + 6 : sent.rfind('\n') + 1;
      spfwrap.client().send(sent.substr(last));
      if (half) {
        spfwrap.client().half_close();
        CHECK(spfwrap.client().rest() == "");
      }
      CHECK(spfwrap.finish() == 0);
      CHECK(spfwrap.last_run().end == c.end);
      CHECK(spfwrap.last_run().messages.empty());
    }
}

TEST_CASE("a half-closed client still gets all its replies") {
  Wrapped spfwrap(level("3"));
  std::string all;
  for (const auto line : session) all += std::string(line) + "\r\n";
  spfwrap.client().send(all);
  spfwrap.client().half_close();
  CHECK(spfwrap.client().rest().ends_with("354 go ahead\n250 ok 1095 qp 4711\n221 child.example\n"));
  CHECK(spfwrap.finish() == 0);
  CHECK(spfwrap.last_run().messages.size() == 1);
}

TEST_CASE("the time limits of control/timeoutsmtpd hold, and a trickle does not extend them", "[waits]") {
  const Environment one_second = {{"timeoutsmtpd", "1\n"}};
  const struct { const char* why; const char* first; const char* trickle; Environment more; } cases[] = {
      {"nothing at all", "", "", {}},
      {"nothing after EHLO", "EHLO x\r\n", "", {}},
      {"a trickled command", "", "x", {}},
      {"nothing in DATA", "MAIL FROM:<a@pass.example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n", "", {}},
      {"a trickled body", "MAIL FROM:<a@pass.example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n", "x", {}},
      {"a child that hangs", "NOOP\r\n", "", {{"CHILD_FAULT", "noop=stall"}}},
  };
  std::vector<std::unique_ptr<Wrapped>> all;  // they wait side by side
  for (const auto& c : cases) {
    Setup setup = level("1", c.more);
    setup.control = one_second;
    all.push_back(std::make_unique<Wrapped>(setup));
    all.back()->client().send(c.first);
  }
  const auto start = Clock::now();
  std::vector<std::string> heard(all.size());
  const auto over = [](const std::string& text) { return text.find("<EOF>") != std::string::npos; };
  for (bool waiting = true; waiting && since(start) < 10s;) {
    waiting = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (over(heard[i])) continue;
      waiting = true;
      all[i]->client().send(cases[i].trickle);
      const std::string reply = all[i]->client().reply(20ms);
      if (reply != "<silence>") heard[i] += reply + "\n";
    }
  }
  CHECK(since(start) > 900ms);
  CHECK(since(start) < 5s);
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO(cases[i].why);
    CHECK(heard[i].find("421 ") != std::string::npos);
    if (cases[i].more.empty()) CHECK(heard[i].find("\n421 timeout (#4.4.2)\n") != std::string::npos);
    CHECK(over(heard[i]));
    CHECK(all[i]->finish() != -1);
  }
}

TEST_CASE("a slow body that keeps coming is not cut off", "[waits]") {
  Setup setup = level("1");
  setup.control = {{"timeoutsmtpd", "1\n"}};
  Wrapped spfwrap(setup);
  spfwrap.hello().talk({"MAIL FROM:<a@pass.example.org>", "RCPT TO:<b@example.org>", "DATA"});
  for (const auto start = Clock::now(); since(start) < 1500ms;) {
    spfwrap.client().send(std::string(5000, 'x') + "\r\n");
    CHECK(spfwrap.client().reply(200ms) == "<silence>");
  }
  CHECK(spfwrap.ask(".") == "250 ok 1095 qp 4711");
}

TEST_CASE("told to stop, it takes everything along") {
  Wrapped spfwrap(level("1"));
  spfwrap.hello().ask("MAIL FROM:<a@pass.example.org>");
  spfwrap.process().signal(SIGTERM);
  CHECK(spfwrap.client().rest().find("<silence>") == std::string::npos);
  CHECK(spfwrap.finish() != -1);
}
