// spfqueue in QMAILQUEUE, with SPFANNOTATE=env: spfwrap before a real server, and
// spfqueue behind it.
#include "tests/catch.hh"
#include "tests/support/mail_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

TEST_CASE("by hand the header stands above the server's Received, and nowhere else") {
  const TempDir files;
  const MailServer server = mail_server("mailfront", files);
  if (left_out(!server.missing.empty(), server.missing)) return;
  Setup setup = level("1", server.environment);
  setup.prog = server.prog;
  setup.prog.insert(setup.prog.end() - 1, "add-received");
  setup.environment["SPFANNOTATE"] = "env";
  setup.environment["SPFQUEUE"] = setup.environment.at("QMAILQUEUE");
  setup.environment["QMAILQUEUE"] = program("spfqueue");
  Wrapped spfwrap(setup);
  spfwrap.hello();
  const std::string body = "Subject: x\r\n\r\nbody\r\n.\r\n";
  for (const char* sender : {"a@pass.example.org", "a@softfail.example.org"}) {
    CHECK(spfwrap.ask("MAIL FROM:<" + std::string(sender) + ">").starts_with("250"));
    CHECK(spfwrap.ask("RCPT TO:<b@mx.local>").starts_with("250"));
    CHECK(spfwrap.ask("DATA").starts_with("354"));
    spfwrap.client().send(body);
    CHECK(spfwrap.client().reply().starts_with("250"));
  }
  CHECK(spfwrap.finish() == 0);

  bool pass = false, softfail = false;
  for (const Queued& queued : server.queue()) {
    const std::string& content = queued.content;
    CHECK(content.find("\nReceived: ") != content.npos);
    CHECK(content.find("Received-SPF", 1) == content.npos);
    CHECK(content.ends_with("\nSubject: x\n\nbody\n"));
    pass |= queued.sender == "a@pass.example.org" && content.starts_with("Received-SPF: pass (");
    softfail |= queued.sender == "a@softfail.example.org" && content.starts_with("Received-SPF: softfail (");
  }
  CHECK(pass);
  CHECK(softfail);
  for (const std::string& environment : server.environments())
    CHECK(environment.find("QMAILQUEUE=" + setup.environment.at("SPFQUEUE") + '\n') != environment.npos);
}
