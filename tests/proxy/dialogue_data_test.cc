// Where a message ends, and that it arrives as it was sent.
#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

constexpr std::string_view lf_refused = "451 See https://cr.yp.to/docs/smtplf.html.";

// Opens a transaction up to the 354, annotating only in the environment so
// that what arrives is what was sent.
void open(Wrapped& spfwrap) {
  CHECK(spfwrap.hello().talk({"MAIL FROM:<a@pass.example.org>", "RCPT TO:<b@example.org>", "DATA"}) ==
        "250 ok\n250 ok\n354 go ahead\n");
}

Setup quietly(Environment more = {}) {
  more["SPFANNOTATE"] = "env";
  return level("3", more);
}

std::string smuggled() { return "MAIL FROM:<evil@pass.example.org>\r\n"; }

// How often a MAIL reached any child as a command.
int mails_heard(const Wrapped& spfwrap) {
  int count = 0;
  for (const ChildRun& run : spfwrap.runs())
    for (const std::string& command : run.commands) count += command.starts_with("MAIL");
  return count;
}

struct Row {
  const char* why;
  std::string_view sent;     // after the body "x", before the smuggled MAIL
  bool data;                 // part of the message; else 451 and the end
  std::string_view arrives;  // if data: what it is un-stuffed
};

constexpr Row rows[] = {
    {"LF.LF", "\n.\n", false, ""},
    {"LF.CRLF", "\n.\r\n", false, ""},
    {"CRLF.LF", "\r\n.\n", false, ""},
    {"CR.CR", "\r.\r", true, "\r.\r"},
    {"CR.CRLF", "\r.\r\n", true, "\r.\r\n"},
    {"CRLF.CR", "\r\n.\r", true, "\r\n\r"},
    {"CRLF.CRCRLF", "\r\n.\r\r\n", true, "\r\n\r\r\n"},
    {"CRLF CR.LF", "\r\n\r.\n", false, ""},
    {"CRLF.NUL CRLF", std::string_view("\r\n.\0\r\n", 6), true, std::string_view("\r\n\0\r\n", 5)},
    {"bare LF in a line", "\n", false, ""},
    {"LFCR.CRLF", "\n\r.\r\n", false, ""},
    {"CRLF.CR.CRLF", "\r\n.\r.\r\n", true, "\r\n\r.\r\n"},
    {"CRLF..CRLF", "\r\n..\r\n", true, "\r\n.\r\n"},
    {"CRLF. CRLF", "\r\n. \r\n", true, "\r\n \r\n"},
};

}  // namespace

TEST_CASE("only CRLF.CRLF ends a message, before a strict child and a lax one") {
  for (const auto& row : rows)
    for (const bool lax : {false, true})
      for (const std::size_t piece : {1000u, 1u}) {
        INFO(row.why << (lax ? ", lax child" : "") << ", in pieces of " << piece);
        Wrapped spfwrap(lax ? quietly({{"CHILD_LAX", "lf"}}) : quietly());
        open(spfwrap);
        const std::string body = "x" + std::string(row.sent) + smuggled();
        spfwrap.client().send(body + "\r\n.\r\nQUIT\r\n", piece);
        if (row.data) {
          CHECK(spfwrap.client().rest() == "250 ok 1095 qp 4711\n221 child.example\n");
          REQUIRE(spfwrap.last_run().messages.size() == 1);
          if (!lax)
            CHECK(spfwrap.last_run().messages[0] ==
                  "x" + std::string(row.arrives) + smuggled() + "\r\n");
        } else {
          CHECK(spfwrap.client().rest() == std::string(lf_refused) + "\n");
          CHECK(spfwrap.last_run().messages.empty());
        }
        CHECK(spfwrap.finish() != -1);
        CHECK(spfwrap.last_run().end == (row.data ? "quit" : "eof-in-data"));
        CHECK(mails_heard(spfwrap) == 1);
      }
}

TEST_CASE("a true end is one wherever it is cut") {
  const struct { std::string_view sent; std::string_view arrives; } cases[] = {
      {"x\r\n.\r\n", "x\r\n"},
      {".\r\n", ""},                  // as the very first line
      {"x\r\r\n.\r\n", "x\r\r\n"},    // CRCRLF.CRLF
      {"\r\n.\r\n", "\r\n"},
      {"..\r\n.\r\n", ".\r\n"},
  };
  for (const auto& c : cases)
    for (std::size_t cut = 0; cut <= c.sent.size(); ++cut) {
      INFO("case " << &c - cases << " cut at " << cut);
      Wrapped spfwrap(quietly());
      open(spfwrap);
      spfwrap.client().send(c.sent.substr(0, cut));
      spfwrap.client().send(std::string(c.sent.substr(cut)) + "MAIL FROM:<b@pass.example.org>\r\n");
      CHECK(spfwrap.client().reply() == "250 ok 1095 qp 4711");
      CHECK(spfwrap.client().reply() == "250 ok");
      const auto runs = spfwrap.runs();  // another sender, so another start
      REQUIRE(runs.size() == 3);
      CHECK(runs[1].messages == std::vector<std::string>{std::string(c.arrives)});
    }
}

TEST_CASE("after a refused DATA what was pipelined is commands") {
  const struct { const char* why; const char* fault; const char* reply; } cases[] = {
      {"451", "data=say:451 not now\\r\\n", "451 not now\n"},
      {"554", "data=say:554 never\\r\\n", "554 never\n"},
      {"several lines", "data=say:554-no\\r\\n554-no\\r\\n554 no\\r\\n", "554-no\n554-no\n554 no\n"},
      {"unusual", "data=say:471 x\\r\\n", "471 x\n"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(quietly({{"CHILD_FAULT", c.fault}}));
    spfwrap.hello().client().send(
        "MAIL FROM:<a@pass.example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nNOOP\r\n.\r\nQUIT\r\n");
    CHECK(spfwrap.client().rest().starts_with("250 ok\n250 ok\n" + std::string(c.reply) + "250 ok\n502 "));
    CHECK(spfwrap.last_run().messages.empty());
  }
}

TEST_CASE("what the child answers to the dot is the answer") {
  for (const char* answer : {"250 ok 1 qp 2", "451 queue is full", "554 no"}) {
    Wrapped spfwrap(quietly({{"CHILD_FAULT", "dot=say:" + std::string(answer) + "\\r\\n"}}));
    open(spfwrap);
    spfwrap.client().send("x\r\n");
    CHECK(spfwrap.ask(".") == answer);
    CHECK(spfwrap.ask("NOOP") == "250 ok");
  }
}

TEST_CASE("every octet arrives") {
  std::string body;
  for (int round = 0; round < 40; ++round)
    for (int c = 0; c < 256; ++c)
      if (c != '\n' && c != '\r') body += static_cast<char>(c);
  for (std::size_t i = 70; i < body.size(); i += 72) body.insert(i, "\r\n");
  std::string stuffed = body;
  for (std::size_t at = 0; (at = stuffed.find("\r\n.", at)) != stuffed.npos; at += 4)
    stuffed.insert(at + 2, ".");
  Wrapped spfwrap(quietly());
  open(spfwrap);
  spfwrap.client().send(stuffed + "\r\n.\r\n", 777);
  CHECK(spfwrap.client().reply() == "250 ok 1095 qp 4711");
  CHECK(spfwrap.last_run().messages == std::vector<std::string>{body + "\r\n"});
}

TEST_CASE("a long message in one line or in many takes no more memory than a short one") {
  const struct { const char* why; std::string piece; } cases[] = {
      {"one line", std::string(100000, 'x')},
      {"many lines", [] { std::string s; while (s.size() < 100000) s += "0123456789\r\n"; return s; }()},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Setup setup = quietly();
    setup.environment["CHILD_RECORD"] = "/dev/null";
    Wrapped spfwrap(setup);
    open(spfwrap);
    for (int i = 0; i < 100; ++i) REQUIRE(spfwrap.client().send(c.piece));
    CHECK(spfwrap.client().send("\r\n.\r\n"));
    CHECK(spfwrap.client().reply() == "250 ok 1095 qp 4711");
    // The most it ever had of its own, program text included.
    const std::string status = read_file("/proc/" + std::to_string(spfwrap.process().pid()) + "/status");
    const auto peak = status.find("VmHWM:");
    REQUIRE(peak != status.npos);
    if (program("spfwrap").find("sanitize") == std::string::npos)
      CHECK(std::stol(status.substr(peak + 6)) < 8000);  // kB
  }
}
