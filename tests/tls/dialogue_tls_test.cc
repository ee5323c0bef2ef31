// TLS, as spfwrap does it with spftls: what is offered and taken, and the
// dialogue inside.
#include <algorithm>

#include "tests/catch.hh"
#include "tests/support/tls_client.hh"

using namespace test;

namespace {

constexpr const char* mail = "MAIL FROM:<a@pass.example.org>";
constexpr const char* rcpt = "RCPT TO:<b@example.org>";
constexpr const char* delivered = "250 ok\n250 ok\n354 go ahead\n250 ok 1095 qp 4711\n";

bool heard(const Wrapped& spfwrap, std::string_view start) {
  for (const ChildRun& run : spfwrap.runs())
    for (const std::string& command : run.commands)
      if (command.starts_with(start)) return true;
  return false;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != text.npos; }

std::string nothing_checked(Wrapped& spfwrap) {
  return "spfwrap: pid " + std::to_string(spfwrap.process().pid()) +
         ": TLSv1.3 with 192.0.2.1, nothing checked\n";
}

}  // namespace

TEST_CASE("STARTTLS is offered where there is a certificate, once, whatever the child says") {
  Setup setup = level("3", {{"CHILD_EHLO", "8BITMIME|STARTTLS"}, {"SPFCERT", certificates().server}});
  Wrapped spfwrap(setup);
  spfwrap.client().reply();
  const std::string offer = "250-child.example\n250-8BITMIME\n250 STARTTLS";
  CHECK(spfwrap.ask("EHLO x") == offer);
  CHECK(spfwrap.ask("HELO x") == "250 child.example");
  CHECK(spfwrap.ask("EHLO x") == offer);
  CHECK(deliver(spfwrap, mail) == delivered);
  CHECK(spfwrap.ask("EHLO x") == offer);
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
  CHECK(spfwrap.finish() == 0);
  CHECK(warnings(spfwrap).empty());
  REQUIRE(spfwrap.log().size() == 1);
  CHECK(spfwrap.log()[0].find(" tls=none ") != std::string::npos);
  CHECK_FALSE(spfwrap.last_run().has("SSL_PROTOCOL"));
}

TEST_CASE("a message goes through TLS with its header, its variables and the protocol in the log") {
  for (const std::string version : {"1.2", "1.3"}) {
    INFO(version);
    const TlsClient tls({"--version", version, "--ca", certificates().root, "--name", "mx.local"});
    Setup setup = level("3", {{"CHILD_EHLO", "PIPELINING|STARTTLS"}, {"SMTPS", "0"}});
    for (const char* name : {"UCSPITLS", "SSLCTLFD", "SSLREADFD", "SSLWRITEFD"})
      setup.environment[name] = "7";
    for (const char* name : {"FORCETLS", "SSL_CIPHER", "SSL_TLS_SNI"}) setup.environment[name] = "x";
    Wrapped spfwrap(tls.before(setup));
    CHECK(start_tls(spfwrap) == "250-child.example\n250 PIPELINING");
    const std::string established = tls.handshake();
    CHECK(established.starts_with("established TLSv" + version + ' '));
    CHECK(deliver(spfwrap, mail) == delivered);
    CHECK(spfwrap.ask("QUIT") == "221 child.example");
    CHECK(spfwrap.client().rest() == "");
    CHECK(tls.end() == "end close_notify");
    CHECK(spfwrap.finish() == 0);

    const auto runs = spfwrap.runs();
    REQUIRE(runs.size() == 3);
    CHECK(runs[0].value("UCSPITLS") == "7");  // in clear nothing is ours to change
    CHECK(runs[0].value("FORCETLS") == "x");
    for (const ChildRun& run : {runs[1], runs[2]}) {
      CHECK(run.value("FORCETLS") == "0");
      CHECK(run.value("SSL_PROTOCOL") == "TLSv" + version);
      CHECK(run.value("SSL_CIPHER") == established.substr(established.rfind(' ') + 1));
      CHECK(run.value("SSL_TLS_SNI") == "mx.local");
      for (const char* name : {"UCSPITLS", "SSLCTLFD", "SSLREADFD", "SSLWRITEFD", "SMTPS"})
        CHECK_FALSE(run.has(name));
      CHECK(run.value("TCPREMOTEIP") == "192.0.2.1");
    }
    CHECK(runs[2].value("SPFRESULT") == "pass");
    CHECK(runs[2].value("SPFDOMAIN") == "pass.example.org");
    REQUIRE(runs[2].messages.size() == 1);
    CHECK(runs[2].messages[0].starts_with("Received-SPF: pass (mx.local: "));
    CHECK(runs[2].messages[0].ends_with("\r\nSubject: x\r\n\r\nx\r\n"));
    REQUIRE(spfwrap.log().size() == 1);
    CHECK(spfwrap.log()[0].find(" tls=TLSv" + version + " ") != std::string::npos);
    CHECK(warnings(spfwrap).empty());
    CHECK_FALSE(heard(spfwrap, "STARTTLS"));
  }
}

TEST_CASE("who asks for no name gives prog none") {
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3")));
  start_tls(spfwrap);
  CHECK_FALSE(spfwrap.last_run().has("SSL_TLS_SNI"));
}

TEST_CASE("a name the client makes up is one printable word") {
  const TlsClient tls({"--name", "MX.x-_y.local"});
  Wrapped spfwrap(tls.before(level("3")));
  start_tls(spfwrap);
  const std::string name = spfwrap.last_run().value("SSL_TLS_SNI");
  CHECK(name.size() > 5);
  CHECK(std::all_of(name.begin(), name.end(), [](char c) { return c > 32 && c < 127; }));
}

TEST_CASE("inside TLS each MAIL has its verdict, and fail is 550 at each RCPT") {
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3")));
  start_tls(spfwrap);
  CHECK(deliver(spfwrap, "MAIL FROM:<a@softfail.example.org>") == delivered);
  CHECK(spfwrap.ask("MAIL FROM:<a@fail.example.org>") == "250 ok");
  for (int i = 0; i < 3; ++i) CHECK(spfwrap.ask(rcpt).starts_with("550 "));
  CHECK(spfwrap.ask("MAIL FROM:<a@temperror.example>") == "451 SPF lookup failure (#4.3.0)");
  CHECK(deliver(spfwrap, mail) == delivered);
  CHECK(deliver(spfwrap, "MAIL FROM:<>") == delivered);
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
  CHECK(spfwrap.finish() == 0);
  const auto log = spfwrap.log();
  REQUIRE(log.size() == 7);
  for (const std::string& line : log) CHECK(line.find(" tls=TLSv1.3 ") != std::string::npos);
  for (const ChildRun& run : spfwrap.runs()) CHECK_FALSE(run.ahead);
}

TEST_CASE("all that was said in clear is forgotten") {
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3", {{"CHILD_EHLO", "AUTH PLAIN"}})));
  spfwrap.hello("clear.example").talk({mail, rcpt, "RSET"});
  CHECK(spfwrap.ask("AUTH PLAIN AGEAYg==").starts_with("235 "));
  CHECK(spfwrap.talk({"MAIL FROM:<a@fail.example.org>", rcpt}) == "250 ok\n250 ok\n");  // trusted, and open
  CHECK(spfwrap.ask("STARTTLS") == "220 ready for tls");
  CHECK(spfwrap.talk({rcpt, "DATA"}) == "503 MAIL first (#5.5.1)\n503 MAIL first (#5.5.1)\n");
  CHECK(spfwrap.last_run().commands == Arguments{rcpt, "DATA"});  // no EHLO before the client says it
  CHECK(spfwrap.ask("MAIL FROM:<a@fail.example.org>") == "250 ok");
  CHECK(spfwrap.ask(rcpt).starts_with("550 "));
  CHECK(deliver(spfwrap, mail) == delivered);
  CHECK(spfwrap.ask("HELO mail.example.org") == "250 child.example");
  CHECK(spfwrap.ask("MAIL FROM:<>") == "250 ok");
  CHECK(spfwrap.last_run().value("SPFDOMAIN") == "mail.example.org");
  CHECK(spfwrap.last_run().commands == Arguments{"HELO mail.example.org", "MAIL FROM:<>"});
  CHECK(spfwrap.finish() == 0);
  std::size_t messages = 0;
  for (const ChildRun& run : spfwrap.runs()) messages += run.messages.size();
  CHECK(messages == 1);
}

TEST_CASE("commands behind STARTTLS in clear are never executed, and the session goes on in TLS") {
  const std::string injected = "MAIL FROM:<evil@pass.example.org>\r\nRCPT TO:<b@example.org>\r\n"
                               "DATA\r\nSubject: evil\r\n\r\n.\r\nNOOP\r\n";
  const struct { std::string before, more; } cases[] = {
      {"EHLO x\r\n", injected},
      {"EHLO x\r\nMAIL FROM:<a@pass.example.org>\r\n", "NOOP"},
      {"", injected},
      {"", std::string(60000, 'x')},
  };
  for (const auto& [before, more] : cases) {
    INFO(before << "with " << more.substr(0, 10));
    const TlsClient tls;
    Wrapped spfwrap(tls.before(level("3")));
    spfwrap.client().reply();
    spfwrap.client().send(before + "STARTTLS\r\n" + more);
    std::string answer;
    do answer = spfwrap.client().reply();
    while (answer.starts_with("250"));
    CHECK(answer == "220 ready for tls");
    // What is still on its way when spftls takes over can only break the handshake.
    const std::string established = tls.handshake();
    if (established.starts_with("established ")) {
      CHECK(spfwrap.ask("EHLO y").starts_with("250"));
      CHECK(deliver(spfwrap, mail) == delivered);
      CHECK(spfwrap.ask("QUIT") == "221 child.example");
    } else {
      CHECK(more.size() > 10000);
    }
    CHECK(spfwrap.finish() != -1);
    CHECK_FALSE(heard(spfwrap, "MAIL FROM:<evil"));
    CHECK_FALSE(heard(spfwrap, "NOOP"));
    for (const ChildRun& run : spfwrap.runs()) CHECK_FALSE(run.ahead);
  }
}

TEST_CASE("a client that has sent a message in clear may still want TLS") {
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3")));
  CHECK(deliver(spfwrap.hello(), mail) == delivered);
  // The client, spfwrap, the child: no spftls, and soon no former child.
  CHECK(wait_until([&] { return spfwrap.process().group_size() == 3; }));
  CHECK(spfwrap.ask("STARTTLS") == "220 ready for tls");
  CHECK(spfwrap.ask("EHLO x").find("STARTTLS") == std::string::npos);
  CHECK(deliver(spfwrap, mail) == delivered);
  const auto log = spfwrap.log();
  REQUIRE(log.size() == 2);
  CHECK(log[0].find(" tls=none ") != std::string::npos);
  CHECK(log[1].find(" tls=TLSv1.3 ") != std::string::npos);
}

TEST_CASE("a whole session inside TLS in one segment, with a half-close, has all its replies") {
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3")));
  start_tls(spfwrap);
  std::string body;
  while (body.size() < 1 << 20) body += "All of this was sent before anything was heard.\r\n";
  spfwrap.client().send("RSET\r\n" + std::string(mail) + "\r\n" + rcpt + "\r\nDATA\r\n" + body + ".\r\n" +
                        "MAIL FROM:<a@fail.example.org>\r\n" + rcpt + "\r\nNOOP\r\nQUIT\r\n");
  spfwrap.client().half_close();
  const std::string replies = spfwrap.client().rest();
  CHECK(replies.starts_with("250 flushed\n250 ok\n250 ok\n354 go ahead\n250 ok 1095 qp 4711\n250 ok\n550 "));
  CHECK(replies.ends_with("\n250 ok\n221 child.example\n"));
  CHECK(tls.end() == "end close_notify");
  CHECK(spfwrap.finish() == 0);
  const ChildRun run = spfwrap.last_run();
  REQUIRE(run.messages.size() == 1);
  CHECK(run.messages[0].ends_with("\r\n" + body));
}

TEST_CASE("what TLS delivers octet by octet is no different, nor is TLS that comes so") {
  const TlsClient tls({"--piece", "1"});
  Wrapped spfwrap(tls.before(level("3", {{"CHILD_SPLIT", "1"}})));
  start_tls(spfwrap);
  spfwrap.client().send(std::string(mail) + "\r\n" + rcpt + "\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n", 1);
  CHECK(spfwrap.client().rest() == delivered + std::string("221 child.example\n"));
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("SPFSTARTTLS=hide beats a certificate") {
  Wrapped spfwrap(level("3", {{"SPFCERT", certificates().server}, {"SPFSTARTTLS", "hide"},
                              {"CHILD_EHLO", "8BITMIME|STARTTLS"}}));
  spfwrap.client().reply();
  CHECK(spfwrap.ask("EHLO x") == "250-child.example\n250 8BITMIME");
  CHECK(spfwrap.ask("STARTTLS").starts_with("502 "));
  CHECK(spfwrap.process().group_size() == 2);
}

TEST_CASE("control/servercert.pem is a certificate too") {
  Setup setup = level("3");
  setup.control = {{"servercert.pem", read_file(certificates().server)}};
  setup.environment["SPFCERT"] = "";
  const TlsClient tls({"--ca", certificates().root});
  Wrapped spfwrap(tls.before(setup));
  CHECK(start_tls(spfwrap).starts_with("250"));
  CHECK(tls.handshake().starts_with("established "));
}

TEST_CASE("the key may be in a file of its own") {
  Setup setup = level("3", {{"SPFCERT", certificates().chain}, {"SPFKEY", certificates().key}});
  const TlsClient tls({"--ca", certificates().root});
  Wrapped spfwrap(tls.before(setup));
  CHECK(start_tls(spfwrap).starts_with("250"));
  CHECK(tls.handshake().starts_with("established "));
}

TEST_CASE("control/tlsserverciphers is obeyed in TLS 1.2") {
  Setup setup = level("3");
  setup.control = {{"tlsserverciphers", "ECDHE-ECDSA-CHACHA20-POLY1305\n"}};
  const TlsClient tls({"--version", "1.2"});
  Wrapped spfwrap(tls.before(setup));
  start_tls(spfwrap);
  CHECK(tls.handshake() == "established TLSv1.2 ECDHE-ECDSA-CHACHA20-POLY1305");
}

TEST_CASE("the server's order of ciphers counts") {
  for (const char* theirs : {"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
                             "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"}) {
    const TlsClient tls({"--version", "1.2", "--ciphers", theirs});
    Wrapped spfwrap(tls.before(level("3")));
    start_tls(spfwrap);
    CHECK(tls.handshake() == "established TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384");
  }
}

// SMTPS

TEST_CASE("with SMTPS=1 TLS comes before the greeting") {
  for (const std::string version : {"1.2", "1.3"}) {
    INFO(version);
    const TlsClient tls({"--smtps", "--version", version, "--ca", certificates().root});
    Wrapped spfwrap(tls.before(level("3", {{"SMTPS", "1"}, {"CHILD_EHLO", "8BITMIME|STARTTLS"}})));
    CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
    CHECK(tls.handshake().starts_with("established TLSv" + version));
    CHECK(spfwrap.ask("EHLO x") == "250-child.example\n250 8BITMIME");
    CHECK(spfwrap.ask("STARTTLS").starts_with("503 "));
    CHECK(deliver(spfwrap, mail) == delivered);
    CHECK(spfwrap.ask("MAIL FROM:<a@fail.example.org>") == "250 ok");
    CHECK(spfwrap.ask(rcpt).starts_with("550 "));
    CHECK(spfwrap.ask("QUIT") == "221 child.example");
    CHECK(spfwrap.client().rest() == "");
    CHECK(tls.end() == "end close_notify");
    CHECK(spfwrap.finish() == 0);
    for (const ChildRun& run : spfwrap.runs()) {
      CHECK(run.value("SSL_PROTOCOL") == "TLSv" + version);
      CHECK_FALSE(run.has("SMTPS"));
    }
    CHECK(warnings(spfwrap).empty());
  }
}

TEST_CASE("SMTPS=1 holds for clients that are not checked") {
  const struct { const char* why; Environment more; } cases[] = {
      {"a relay client", {{"RELAYCLIENT", ""}, {"SPFBEHAVIOR", "3"}}},
      {"level 0", {{"SPFBEHAVIOR", "0"}}},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Environment environment = c.more;
    environment["SMTPS"] = "1";
    const TlsClient tls({"--smtps"});
    Wrapped spfwrap(tls.before({.environment = environment}));
    CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
    CHECK(spfwrap.ask("EHLO x").starts_with("250"));
    CHECK(deliver(spfwrap, "MAIL FROM:<a@fail.example.org>") == delivered);
    CHECK(spfwrap.ask("QUIT") == "221 child.example");
    CHECK(spfwrap.finish() == 0);
    const auto runs = spfwrap.runs();
    REQUIRE(runs.size() == 1);
    CHECK(runs[0].messages == std::vector<std::string>{"Subject: x\r\n\r\nx\r\n"});
    CHECK(runs[0].value("SSL_PROTOCOL") == "TLSv1.3");
    CHECK_FALSE(runs[0].has("SPFRESULT"));
    CHECK(spfwrap.errors() == nothing_checked(spfwrap));
  }
}

TEST_CASE("a session in TLS with nothing checked is one line in the log, one with a check none") {
  const struct { const char* why; Environment more; std::vector<const char*> commands; bool line; } cases[] = {
      {"no MAIL", {}, {}, true},
      {"AUTH before MAIL", {}, {"AUTH PLAIN AGEAYg==", mail, rcpt}, true},
      {"level 0", {{"SPFBEHAVIOR", "0"}, {"SMTPS", "1"}}, {mail, rcpt, "RSET", mail}, true},
      {"RELAYCLIENT", {{"RELAYCLIENT", ""}, {"SMTPS", "1"}}, {mail, rcpt}, true},
      {"a MAIL that is refused before anybody is named", {}, {"MAIL FROM:<a@fail.example.org>"}, false},
      {"one let through before AUTH", {}, {mail, "RSET", "AUTH PLAIN AGEAYg==", mail}, false},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Setup setup = level("3");
    for (const auto& [name, value] : c.more) setup.environment[name] = value;
    const bool smtps = c.more.count("SMTPS");
    const TlsClient tls(smtps ? Arguments{"--smtps"} : Arguments{});
    Wrapped spfwrap(tls.before(setup));
    if (smtps)
      spfwrap.hello();
    else
      start_tls(spfwrap);
    for (const char* command : c.commands) spfwrap.ask(command);
    spfwrap.ask("QUIT");
    CHECK(spfwrap.finish() == 0);
    CHECK(contains(spfwrap.errors(), "nothing checked") == c.line);
    if (c.line) CHECK(spfwrap.errors() == nothing_checked(spfwrap));
  }
  // Nor one in clear.
  Wrapped clear(level("3", {{"SPFCERT", certificates().server}}));
  CHECK(clear.hello().ask("QUIT") == "221 child.example");
  CHECK(clear.finish() == 0);
  CHECK(clear.errors() == "");
}

TEST_CASE("with SPFAUTH=tls a password in clear does not reach prog, and one in TLS does") {
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3", {{"SPFAUTH", "tls"}, {"CHILD_EHLO", "8BITMIME|AUTH PLAIN"}})));
  spfwrap.client().reply();
  CHECK(spfwrap.ask("EHLO x") == "250-child.example\n250-8BITMIME\n250 STARTTLS");
  CHECK(spfwrap.ask("AUTH PLAIN AGEAYg==") == "538 encryption required for authentication (#5.7.11)");
  CHECK_FALSE(heard(spfwrap, "AUTH"));
  CHECK(spfwrap.ask("STARTTLS") == "220 ready for tls");
  CHECK(spfwrap.ask("EHLO x") == "250-child.example\n250-8BITMIME\n250 AUTH PLAIN");
  CHECK(spfwrap.ask("AUTH PLAIN AGEAYg==").starts_with("235 "));
  CHECK(spfwrap.last_run().commands.back().starts_with("AUTH PLAIN"));
  CHECK(deliver(spfwrap, "MAIL FROM:<a@fail.example.org>") == delivered);
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
  CHECK(spfwrap.finish() == 0);
  CHECK(warnings(spfwrap).empty());
  CHECK(spfwrap.errors() == nothing_checked(spfwrap));
}

TEST_CASE("SMTPS=1 goes before SPFSTARTTLS=pass: inside TLS no STARTTLS is shown") {
  const TlsClient tls({"--smtps"});
  Wrapped spfwrap(tls.before(level("3", {{"SMTPS", "1"}, {"SPFSTARTTLS", "pass"},
                                         {"CHILD_EHLO", "8BITMIME|STARTTLS"}})));
  CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
  CHECK(spfwrap.ask("EHLO x") == "250-child.example\n250 8BITMIME");
  CHECK(spfwrap.ask("STARTTLS").starts_with("503 "));
}

TEST_CASE("where SSL_PROTOCOL says that TLS is done already, it is not done again") {
  for (const Environment& more : {Environment{}, Environment{{"SMTPS", "1"}}, Environment{{"SPFSTARTTLS", "terminate"}}}) {
    INFO((more.empty() ? "" : more.begin()->first));
    Setup setup = level("3", {{"SPFCERT", certificates().server},
                                {"SSL_PROTOCOL", "TLSv1.3"}, {"SSL_CIPHER", "TLS_AES_256_GCM_SHA384"},
                                {"CHILD_EHLO", "8BITMIME|STARTTLS"}});
    setup.environment.insert(more.begin(), more.end());
    Wrapped spfwrap(setup);
    CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
    CHECK(spfwrap.ask("EHLO x") == "250-child.example\n250 8BITMIME");
    CHECK(spfwrap.ask("STARTTLS").starts_with("502 "));
    CHECK(deliver(spfwrap, mail) == delivered);
    REQUIRE(spfwrap.log().size() == 1);
    CHECK(spfwrap.log()[0].find(" tls=TLSv1.3 ") != std::string::npos);
    CHECK(spfwrap.last_run().value("SSL_CIPHER") == "TLS_AES_256_GCM_SHA384");
  }
}
