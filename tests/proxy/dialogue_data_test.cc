// That a message arrives as it was sent, and costs no memory. Where it ends is what
// tests/dialogue/message_content_test.cc tells, and dialogue_eod_test.cc before real servers.
#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

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

}  // namespace

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
    if (!sanitized())
      CHECK(std::stol(status.substr(peak + 6)) < 8000);  // kB
  }
}
