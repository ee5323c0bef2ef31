// TLS that goes wrong: handshakes that fail, connections that are cut off,
// certificates that can't be used, an spftls that dies. No message is lost or
// made up, the log says why once, and nothing is left running.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.hh"
#include "tests/support/tls_client.hh"

using namespace test;

namespace {

constexpr const char* mail = "MAIL FROM:<a@pass.example.org>";
constexpr const char* rcpt = "RCPT TO:<b@example.org>";
constexpr const char* delivered = "250 ok\n250 ok\n354 go ahead\n250 ok 1095 qp 4711\n";

Setup with_certificate(Environment more = {}) {
  more.emplace("SPFCERT", certificates().server);
  return level("3", more);
}

std::size_t messages(const Wrapped& spfwrap) {
  std::size_t count = 0;
  for (const ChildRun& run : spfwrap.runs()) count += run.messages.size();
  return count;
}

// The one warning there is; all of them where there are more.
std::string warning(const Wrapped& spfwrap) {
  std::string all;
  for (const std::string& line : warnings(spfwrap)) all += (all.empty() ? "" : "\n") + line;
  return all;
}

constexpr const char* hello_with_tls = "250-child.example\n250-PIPELINING\n250-8BITMIME\n250 STARTTLS";
constexpr const char* hello_without_tls = "250-child.example\n250-PIPELINING\n250 8BITMIME";

// The start of a ClientHello of 512 octets.
const std::string half_hello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);

}  // namespace

TEST_CASE("what is no handshake is one line in the log, and the end") {
  const struct { const char* why; std::string sent; const char* reason; } cases[] = {
      {"a command in clear", "EHLO x\r\n", "wrong version number"},
      {"HTTP", "GET / HTTP/1.1\r\n\r\n", "http request"},
      {"garbage", std::string(3000, '\xa5'), "wrong version number"},
      {"a record that is too long", std::string("\x16\x03\x01\xff\xff", 5) + std::string(2000, 'x'), ""},
      {"an alert", std::string("\x15\x03\x01\x00\x02\x02\x28", 7), ""},
      {"a handshake message that is none", std::string("\x16\x03\x01\x00\x04\xff\x00\x00\x00", 9), ""},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(with_certificate());
    CHECK(spfwrap.hello().ask("STARTTLS") == "220 ready for tls");
    spfwrap.client().send(c.sent);
    const std::string heard = spfwrap.client().rest();
    CHECK(heard.find("<silence>") == std::string::npos);
    CHECK((heard.empty() || heard.starts_with("\x15\x03")));
    CHECK(spfwrap.finish() != -1);
    const std::string start = spfwrap.warned("TLS handshake with 192.0.2.1: ");
    CHECK(warning(spfwrap).starts_with(start + c.reason));
    CHECK(warning(spfwrap).size() > start.size());
    CHECK(spfwrap.runs().size() == 1);
    CHECK(spfwrap.last_run().commands.front().starts_with("EHLO"));
    CHECK(spfwrap.last_run().commands.size() == 1);
  }
}

TEST_CASE("a client that goes in its handshake is one line in the log") {
  enum How { closes, half_closes, resets };
  for (const std::string& sent : {std::string(), half_hello})
    for (const How how : {closes, half_closes, resets}) {
      INFO("after " << sent.size() << " octets, " << how);
      Wrapped spfwrap(with_certificate());
      CHECK(spfwrap.hello().ask("STARTTLS") == "220 ready for tls");
      spfwrap.client().send(sent);
      if (how == half_closes) {
        spfwrap.client().half_close();
        CHECK(spfwrap.client().rest().find("<silence>") == std::string::npos);
      }
      if (how == resets) spfwrap.client().reset();
      CHECK(spfwrap.finish() != -1);
      CHECK(warning(spfwrap).starts_with(spfwrap.warned("TLS handshake with 192.0.2.1: ")));
      CHECK(warnings(spfwrap).size() == 1);
      INFO(warning(spfwrap));
      CHECK(warning(spfwrap).find("uccess") == std::string::npos);
    }
}

TEST_CASE("a client that never begins its handshake holds up nobody") {
  for (const std::string& sent : {std::string(), half_hello}) {
    Wrapped spfwrap(with_certificate());
    CHECK(spfwrap.hello().ask("STARTTLS") == "220 ready for tls");
    spfwrap.client().send(sent);
    spfwrap.process().signal(SIGTERM);
    CHECK(spfwrap.client().rest().find("<silence>") == std::string::npos);
    CHECK(spfwrap.finish() != -1);
    CHECK(warnings(spfwrap).size() <= 1);
  }
}

TEST_CASE("a client that is gone before SMTPS begins is one line in the log at most") {
  for (const bool resets : {false, true}) {
    Wrapped spfwrap(with_certificate({{"SMTPS", "1"}}));
    resets ? spfwrap.client().reset() : spfwrap.client().close();
    CHECK(spfwrap.finish() != -1);
    CHECK(warnings(spfwrap).size() <= 1);
    CHECK(spfwrap.runs().empty());
  }
}

TEST_CASE("a client that does not believe the certificate is one line in the log") {
  const TlsClient tls({"--ca", certificates().rsa});  // no root of its
  Wrapped spfwrap(tls.before(level("3")));
  CHECK(spfwrap.hello().ask("STARTTLS") == "220 ready for tls");
  CHECK(tls.handshake() == "failed CERTIFICATE_VERIFY_FAILED");
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.finish() != -1);
  CHECK(warning(spfwrap) == spfwrap.warned("TLS handshake with 192.0.2.1: tlsv1 alert unknown ca"));
}

TEST_CASE("a message that is cut off is not accepted, whatever cuts it off") {
  for (const char* version : {"1.2", "1.3"})
    for (const char* how : {"notify", "cut", "reset"})
      for (const char* body : {"", "Subject: x\r\n\r\nx\r\n.\r"}) {
        INFO(version << ' ' << how << " after " << body);
        const TlsClient tls({"--version", version, "--end", how});
        Wrapped spfwrap(tls.before(level("3")));
        start_tls(spfwrap);
        CHECK(spfwrap.talk({mail, rcpt, "DATA"}) == "250 ok\n250 ok\n354 go ahead\n");
        spfwrap.client().send(body);
        spfwrap.client().half_close();
        CHECK(spfwrap.client().rest() == "");
        if (how == std::string("notify")) CHECK(tls.end() == "end close_notify");
        CHECK(spfwrap.finish() == 0);
        CHECK(spfwrap.last_run().end == "eof-in-data");
        CHECK(messages(spfwrap) == 0);
        CHECK(warnings(spfwrap).empty());
      }
}

TEST_CASE("a record that somebody else made ends the connection, and is one line in the log") {
  const TlsClient tls({"--end", "forged"});
  Wrapped spfwrap(tls.before(level("3")));
  start_tls(spfwrap);
  CHECK(spfwrap.talk({mail, rcpt, "DATA"}) == "250 ok\n250 ok\n354 go ahead\n");
  spfwrap.client().send("Subject: x\r\n");
  spfwrap.client().half_close();
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.finish() == 0);
  CHECK(messages(spfwrap) == 0);
  CHECK(warning(spfwrap) == "spftls" + spfwrap.warned("TLS: decryption failed or bad record mac").substr(7));
}

TEST_CASE("how a client goes after QUIT is no news") {
  for (const char* how : {"notify", "cut", "reset"}) {
    INFO(how);
    const TlsClient tls({"--end", how});
    Wrapped spfwrap(tls.before(level("3")));
    start_tls(spfwrap);
    CHECK(deliver(spfwrap, mail) == delivered);
    spfwrap.client().send("QUIT\r\n");
    spfwrap.client().half_close();
    spfwrap.client().rest();
    CHECK(spfwrap.finish() == 0);
    CHECK(spfwrap.last_run().messages.size() == 1);
    CHECK(warnings(spfwrap).empty());
  }
}

TEST_CASE("a message that was whole before the connection was cut is accepted once") {
  for (const char* how : {"notify", "cut"}) {
    INFO(how);
    const TlsClient tls({"--end", how});
    Wrapped spfwrap(tls.before(level("3")));
    start_tls(spfwrap);
    CHECK(spfwrap.talk({mail, rcpt, "DATA"}) == "250 ok\n250 ok\n354 go ahead\n");
    spfwrap.client().send("Subject: x\r\n\r\nx\r\n.\r\n");
    spfwrap.client().half_close();
    spfwrap.client().rest();
    CHECK(spfwrap.finish() == 0);
    CHECK(messages(spfwrap) == 1);
  }
}

TEST_CASE("a part of a line before the end is not executed inside TLS either") {
  const TlsClient tls({"--end", "cut"});
  Wrapped spfwrap(tls.before(level("3")));
  start_tls(spfwrap);
  spfwrap.client().send("NOOP");
  spfwrap.client().half_close();
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.finish() == 0);
  CHECK(spfwrap.last_run().commands == Arguments{"EHLO mail.example.org"});
}

TEST_CASE("however the session ends, TLS ends as it should", "[waits]") {
  const struct { const char* why; Environment more; std::vector<std::string_view> said; const char* heard; } cases[] = {
      {"QUIT", {}, {"QUIT"}, "221 child.example\n"},
      {"a timeout", {}, {}, "421 timeout (#4.4.2)\n"},
      {"a child that dies", {{"CHILD_FAULT", "noop=die"}}, {"NOOP"}, "421 SMTP server trouble, closing (#4.3.0)\n"},
      {"a child that says 421", {{"CHILD_FAULT", "noop=say:421 bye\\r\\n|die"}}, {"NOOP"}, "421 bye\n"},
      {"BDAT", {}, {"BDAT 3 LAST"}, "521 BDAT not supported, closing (#5.5.1)\n"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const TlsClient tls;
    Setup setup = level("3", c.more);
    setup.control = {{"timeoutsmtpd", c.said.empty() ? "1\n" : "1200\n"}};
    Wrapped spfwrap(tls.before(setup));
    start_tls(spfwrap);
    for (const auto line : c.said) spfwrap.client().send(std::string(line) + "\r\n");
    CHECK(spfwrap.client().rest() == c.heard);
    CHECK(tls.end() == "end close_notify");
    CHECK(spfwrap.finish() != -1);
    CHECK(warnings(spfwrap).empty());
  }
}

TEST_CASE("SIGTERM is 421 and a clean end inside TLS") {
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3")));
  start_tls(spfwrap);
  CHECK(spfwrap.talk({mail, rcpt, "DATA"}) == "250 ok\n250 ok\n354 go ahead\n");
  spfwrap.process().signal(SIGTERM);
  CHECK(spfwrap.client().rest() == "421 shutting down (#4.3.2)\n");
  CHECK(tls.end() == "end close_notify");
  CHECK(spfwrap.finish() == 0);
  CHECK(messages(spfwrap) == 0);
  CHECK(warnings(spfwrap).empty());
}

TEST_CASE("an spftls that looks late still finds the last reply and the end behind it") {
  const TempDir files;
  const std::string waits = files.file("waits"), go = files.file("go");
  REQUIRE(mkfifo(go.c_str(), 0600) == 0);
  Setup setup = level("3", {{"WAITS", waits}, {"GO", go}});
  setup.prog = {files.script("prog", R"(#!/bin/sh
printf '220 prog ESMTP\r\n'
while read -r line; do
  if [ "$SSL_PROTOCOL" ]; then
    : >"$WAITS"
    read -r line <"$GO"
  fi
  printf '221 bye\r\n'
  exit 0
done
)")};
  const TlsClient tls;
  Wrapped spfwrap(tls.before(setup));
  spfwrap.client().reply();
  CHECK(spfwrap.ask("STARTTLS") == "220 ready for tls");
  spfwrap.client().send("QUIT\r\n");
  REQUIRE(wait_until([&] { return access(waits.c_str(), F_OK) == 0; }));
  const pid_t spftls = process_of(spfwrap, "spftls");
  kill(spftls, SIGSTOP);
  CHECK(run({"sh", "-c", "echo >\"$0\"", go}).code == 0);
  const std::string closed = "/proc/" + std::to_string(spfwrap.process().pid()) + "/fd/0";
  CHECK(wait_until([&] { return access(closed.c_str(), F_OK) != 0; }));
  kill(spftls, SIGCONT);
  CHECK(spfwrap.client().rest() == "221 bye\n");
  CHECK(tls.end() == "end close_notify");
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("an spftls that is killed ends the session, and no message is accepted") {
  const struct { const char* why; std::vector<std::string_view> said; } cases[] = {
      {"at rest", {}},
      {"in a transaction", {mail, rcpt}},
      {"in DATA", {mail, rcpt, "DATA", "Subject: x"}},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const TlsClient tls;
    Wrapped spfwrap(tls.before(level("3")));
    start_tls(spfwrap);
    for (const auto line : c.said) line == "Subject: x" ? spfwrap.client().send("Subject: x\r\n\r\n")
                                                        : !spfwrap.ask(line).empty();
    kill(process_of(spfwrap, "spftls"), SIGKILL);
    CHECK(spfwrap.client().rest() == "");
    CHECK(tls.end() != "end close_notify");
    CHECK(spfwrap.process().wait());
    CHECK(spfwrap.finish() != -1);
    CHECK(messages(spfwrap) == 0);
  }
}

TEST_CASE("an spftls that dies before it has its client takes nobody along") {
  // It reads its certificate for ever.
  const TempDir files;
  const std::string fifo = files.file("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  Wrapped spfwrap(with_certificate({{"SPFCERT", fifo}}));
  spfwrap.hello();
  spfwrap.client().send("STARTTLS\r\n");
  kill(process_of(spfwrap, "spftls"), SIGKILL);
  CHECK(spfwrap.client().reply() == "454 TLS not available (#4.3.0)");
  CHECK(spfwrap.ask("STARTTLS") == "454 TLS not available (#4.3.0)");
  CHECK(spfwrap.ask("EHLO x") == hello_without_tls);
  CHECK(deliver(spfwrap, mail) == delivered);
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
  CHECK(spfwrap.finish() == 0);
  CHECK(warning(spfwrap) == spfwrap.warned("TLS is not offered: spftls has died"));
}

TEST_CASE("an spftls that dies when it has said that it is ready ends its client's session alone") {
  const OwnSpftls spftls("echo ready >&3");
  Wrapped spfwrap(spftls.beside(with_certificate()));
  CHECK(spfwrap.hello().ask("STARTTLS") == "220 ready for tls");
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.finish() != -1);
  CHECK(warning(spfwrap) == spfwrap.warned("TLS handshake with 192.0.2.1: connection closed"));
}

TEST_CASE("an spfwrap that is killed leaves nobody behind, though its client stays") {
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3")));
  start_tls(spfwrap);
  spfwrap.talk({mail, rcpt, "DATA"});
  spfwrap.process().signal(SIGKILL);
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.process().group_gone());
  CHECK(messages(spfwrap) == 0);
}

TEST_CASE("a second prog that does not start is 421 inside TLS") {
  const TempDir files;
  Setup setup = level("3");
  setup.prog = {files.file("prog")};
  REQUIRE(symlink(test_program("child").c_str(), setup.prog[0].c_str()) == 0);
  const TlsClient tls;
  Wrapped spfwrap(tls.before(setup));
  spfwrap.hello();
  unlink(setup.prog[0].c_str());
  CHECK(spfwrap.ask("STARTTLS") == "220 ready for tls");
  CHECK(spfwrap.client().rest() == "421 unable to start SMTP server (#4.3.0)\n");
  CHECK(tls.end() == "end close_notify");
  CHECK(spfwrap.finish() != -1);
}

// Certificates

namespace {

struct BadCertificate {
  const char* why;
  Environment environment;
  std::string reason;  // how it begins
  Environment control = {};
  bool there = true;   // its file is
};

std::vector<BadCertificate> bad_certificates(const TempDir& files) {
  const Certificates& good = certificates();
  const std::string garbage = files.write("garbage", "what is this?\n"),
                    empty = files.write("empty", ""), cut = files.write("cut", read_file(good.server).substr(0, 300));
  return {
      {"missing", {{"SPFCERT", "/nonexistent/cert.pem"}}, "/nonexistent/cert.pem: No such file or directory", {}, false},
      {"in a file, not a directory", {{"SPFCERT", garbage + "/cert.pem"}}, garbage + "/cert.pem: Not a directory", {}, false},
      {"terminate without one", {{"SPFSTARTTLS", "terminate"}, {"SPFCERT", ""}}, "", {}, false},
      {"a missing key", {{"SPFCERT", good.server}, {"SPFKEY", "/nonexistent/key.pem"}},
       "/nonexistent/key.pem: No such file or directory"},
      {"no key in the file", {{"SPFCERT", good.chain}}, good.chain + ": "},
      {"a key that does not fit", {{"SPFCERT", good.chain}, {"SPFKEY", good.other_key}},
       good.other_key + ": key values mismatch"},
      {"an encrypted key", {{"SPFCERT", good.encrypted}}, good.encrypted + ": "},
      {"garbage", {{"SPFCERT", garbage}}, garbage + ": no start line"},
      {"an empty file", {{"SPFCERT", empty}}, empty + ": no start line"},
      {"a file that is cut off", {{"SPFCERT", cut}}, cut + ": "},
      {"a directory", {{"SPFCERT", files.path()}}, files.path() + ": "},
      {"RSA of 1024 bits", {{"SPFCERT", good.weak}}, good.weak + ": ee key too small"},
      {"no such cipher", {{"SPFCERT", good.server}}, "ciphers NOSUCH: no cipher match", {{"tlsserverciphers", "NOSUCH\n"}}},
      {"ciphers without forward secrecy", {{"SPFCERT", good.server}}, "ciphers kRSA: no cipher match",
       {{"tlsserverciphers", "kRSA\n"}}},
  };
}

}  // namespace

TEST_CASE("without a certificate that can be used one warning says why, and mail flows without TLS or, with SMTPS, not") {
  const TempDir files;
  for (const BadCertificate& c : bad_certificates(files)) {
    INFO(c.why);
    Setup setup = level("3", c.environment);
    setup.control = c.control;
    Wrapped spfwrap(setup);
    setup.environment["SMTPS"] = "1";
    Wrapped smtps(setup);
    spfwrap.client().reply();
    // What is there has not been tried yet; what is not is known.
    for (int i = 0; i < 2; ++i)
      CHECK(spfwrap.ask("EHLO x") == (c.there ? hello_with_tls : hello_without_tls));
    CHECK(warnings(spfwrap).size() == (c.there ? 0 : 1));
    CHECK(spfwrap.ask("STARTTLS") == "454 TLS not available (#4.3.0)");
    CHECK(warnings(spfwrap).size() == 1);
    CHECK(spfwrap.ask("EHLO x") == hello_without_tls);
    CHECK(deliver(spfwrap, mail) == delivered);
    CHECK(spfwrap.ask("STARTTLS") == "454 TLS not available (#4.3.0)");
    CHECK(spfwrap.ask("EHLO x") == hello_without_tls);
    CHECK(spfwrap.ask("QUIT") == "221 child.example");
    CHECK(spfwrap.finish() == 0);
    REQUIRE(spfwrap.log().size() == 1);
    CHECK(spfwrap.log()[0].find(" tls=none ") != std::string::npos);

    CHECK(smtps.client().rest() == "");
    CHECK(smtps.finish() == 111);
    CHECK(smtps.runs().empty());
    for (const Wrapped* said : {&spfwrap, &smtps}) {
      CHECK(warning(*said).starts_with(said->warned("TLS is not offered: " + c.reason)));
      CHECK(warnings(*said).size() == 1);
      CHECK(warning(*said).find("no reason given") == std::string::npos);
    }
  }
}

TEST_CASE("STARTTLS without EHLO is 454 too, where there is no certificate to use") {
  Wrapped spfwrap(level("3", {{"SPFCERT", "/nonexistent/cert.pem"}}));
  spfwrap.client().reply();
  CHECK(spfwrap.talk({"STARTTLS", "STARTTLS", "HELO x"}) ==
        "454 TLS not available (#4.3.0)\n454 TLS not available (#4.3.0)\n250 child.example\n");
  CHECK(warnings(spfwrap).size() == 1);
}

TEST_CASE("files that may not be read, and an spftls that is not there, are such certificates") {
  const TempDir files;
  for (const char* name : {"spfwrap", "spftls"})
    REQUIRE(run({"cp", program(name), files.file(name)}).code == 0);
  REQUIRE(run({"cp", test_program("child"), files.file("child")}).code == 0);
  const std::string good = files.write("good.pem", read_file(certificates().server)),
                    secret = files.write("secret.pem", read_file(good));
  REQUIRE(chmod(secret.c_str(), 0) == 0);
  Arguments somebody;
  if (geteuid() == 0) somebody = {"setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"};

  const struct { const char* why; std::string certificate; bool spftls; std::string reason; } cases[] = {
      {"unreadable", secret, true, secret + ": Permission denied"},
      {"no spftls", good, false, "unable to run spftls: "},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const TempDir record;
    chmod(record.path().c_str(), 0777);
    if (!c.spftls) REQUIRE(unlink(files.file("spftls").c_str()) == 0);
    Setup setup = level("3", {{"SPFCERT", c.certificate}, {"CHILD_RECORD", record.file("record")}});
    setup.before = somebody;
    setup.before.insert(setup.before.end(), {files.file("spfwrap"), files.file("child")});
    Wrapped spfwrap(setup);
    spfwrap.client().reply();
    CHECK(spfwrap.ask("EHLO x") == hello_with_tls);
    CHECK(spfwrap.ask("STARTTLS") == "454 TLS not available (#4.3.0)");
    CHECK(spfwrap.ask("EHLO x") == hello_without_tls);
    CHECK(deliver(spfwrap, mail) == delivered);
    CHECK(spfwrap.finish() == 0);
    CHECK(warning(spfwrap).starts_with(spfwrap.warned("TLS is not offered: " + c.reason)));
    CHECK(warnings(spfwrap).size() == 1);
    CHECK(read_record(record.file("record")).back().messages.size() == 1);
  }
}

TEST_CASE("a certificate that takes for ever to read keeps nobody who goes", "[waits]") {
  const TempDir files;
  const std::string fifo = files.file("fifo");
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  Wrapped spfwrap(level("3", {{"SPFCERT", fifo}}));
  spfwrap.client().reply();
  CHECK(spfwrap.ask("EHLO x") == hello_with_tls);
  CHECK(deliver(spfwrap, mail) == delivered);
  spfwrap.client().send("STARTTLS\r\n");
  process_of(spfwrap, "spftls");
  CHECK(spfwrap.client().reply(300ms) == "<silence>");
  const auto start = Clock::now();
  CHECK(spfwrap.finish() == 0);
  CHECK(since(start) < 8s);  // it is given ten
}
