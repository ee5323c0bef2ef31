// TLS with clients as they are, through tcpserver: openssl s_client says what
// was agreed on, swaks sends mail. And recordio on either side of spfwrap.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

#include "tests/catch.hh"
#include "tests/support/mail_server.hh"
#include "tests/support/server.hh"
#include "tests/support/tls_client.hh"

using namespace test;

namespace {

const char* const rules = "127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"3\"\n";

// spfwrap before the child of tests/programs, under tcpserver.
struct Host {
  TempDir files;
  Server server;

  explicit Host(Environment more = {}, Environment control = {})
      : server({program("spfwrap"), test_program("child")}, rules, environment(std::move(more)), control) {}

  Environment environment(Environment more) const {
    more.emplace("SPFCERT", certificates().server);
    more.emplace("CHILD_RECORD", files.file("record"));
    return more;
  }

  std::vector<ChildRun> runs() const { return read_record(files.file("record")); }
  std::vector<std::string> messages() const {
    std::vector<std::string> all;
    for (const ChildRun& run : runs()) all.insert(all.end(), run.messages.begin(), run.messages.end());
    return all;
  }

  // What openssl's client shows of itself and of a session that says `said`. To load
  // whom the host trusts would be most of its work.
  Finished s_client(const Arguments& more, const std::string& said = "NOOP\nQUIT\n") const {
    Arguments all{"openssl", "s_client", "-no-CAfile", "-no-CApath", "-no-CAstore",
                  "-connect", "127.0.0.1:" + std::to_string(server.port()), "-crlf", "-ign_eof"};
    all.insert(all.end(), more.begin(), more.end());
    const TempDir terminal;
    const Fd in(open(terminal.write("said", said).c_str(), O_RDONLY | O_CLOEXEC)),
             shown = open_append(terminal.file("shown"));
    Process client(all, {}, {in.get(), shown.get(), shown.get()});
    const int code = client.wait().value_or(-1);
    return {code, read_file(terminal.file("shown"))};
  }
  Finished starttls(Arguments more, const std::string& said = "NOOP\nQUIT\n") const {
    more.insert(more.begin(), {"-starttls", "smtp"});
    return s_client(more, said);
  }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

// How often a line of the log begins so.
int lines(const Host& host, const std::string& start) {
  int count = 0;
  const std::string log = "\n" + host.server.errors();
  for (std::size_t at = 0; (at = log.find("\n" + start, at)) != log.npos; ++at) ++count;
  return count;
}

const Arguments message = {"--from", "a@pass.example.org", "--to", "b@example.org"};

Arguments with(Arguments arguments, const Arguments& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

}  // namespace

TEST_CASE("s_client is shown the whole chain, and nothing to resume or compress") {
  const Host host;
  for (const std::string version : {"1.2", "1.3"}) {
    INFO(version);
    const std::string option = "-tls1_" + version.substr(2);
    const Finished done = host.starttls(
        {option, "-CAfile", certificates().root, "-verify_return_error", "-verify_hostname", "mx.local", "-showcerts",
         "-nameopt", "RFC2253"});
    INFO(done.out);
    CHECK(done.code == 0);
    CHECK(has(done.out, "\nVerification: OK\n"));
    CHECK(has(done.out, "\nVerified peername: mx.local\n"));
    CHECK(has(done.out, "\n 1 s:CN=middle\n"));
    CHECK_FALSE(has(done.out, "\n 2 s:"));
    CHECK(has(done.out, "\nNew, TLSv" + version + ", Cipher is "));
    CHECK(has(done.out, "\nCompression: NONE\n"));
    CHECK(has(done.out, " Temp Key: X25519, 253 bits\n"));
    CHECK(has(done.out, "250 ok\r\n221 child.example\r\n"));
    CHECK_FALSE(has(done.out, "icket"));
    if (version == "1.2") CHECK(has(done.out, "\n    Session-ID: \n"));
  }
}

TEST_CASE("a client gets no session that it could resume") {
  const Host host;
  const std::string session = host.files.file("session");
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    CHECK(has(host.starttls({version, "-sess_out", session}).out, "\n221 child.example\r\n"));
    CHECK(read_file(session) == "");
  }
}

TEST_CASE("what is not safe is refused, with one line in the log, whatever tlsserverciphers says") {
  // What TLS 1.2 has besides ECDHE with a certificate, and what is older.
  const struct { const char* why; Arguments options; const char* reason; } cases[] = {
      {"TLS 1.1", {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}, "unsupported protocol"},
      {"TLS 1.0", {"-tls1", "-cipher", "ALL:@SECLEVEL=0"}, "unsupported protocol"},
      {"RSA key exchange", {"-tls1_2", "-cipher", "kRSA"}, "no shared cipher"},
      {"DHE", {"-tls1_2", "-cipher", "kDHE"}, "no shared cipher"},
      {"no certificate", {"-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"}, "no shared cipher"},
      {"no encryption", {"-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"}, "no shared cipher"},
      {"a preshared key", {"-tls1_2", "-cipher", "PSK", "-psk", "1234"}, "no shared cipher"},
      {"finite fields in TLS 1.3", {"-tls1_3", "-groups", "ffdhe2048"}, ""},
  };
  for (const char* ciphers : {"", "ALL\n", "ALL:COMPLEMENTOFALL:@SECLEVEL=1\n"}) {
    Environment control;
    if (*ciphers) control["tlsserverciphers"] = ciphers;
    const Host host({{"SPFCERT", certificates().rsa}}, control);
    const std::string start = "spfwrap: warning: pid ", why = ": TLS handshake with 192.0.2.1: ";
    CHECK(has(host.starttls({"-tls1_2", "-cipher", "ECDHE"}).out, "\n221 child.example\r\n"));
    int refused = 0;
    for (const auto& c : cases) {
      INFO(c.why << " with " << ciphers);
      const Finished done = host.starttls(c.options);
      INFO(done.out);
      CHECK(done.code != 0);
      CHECK_FALSE(has(done.out, "221 child.example"));
      CHECK(has(host.server.wait_for_line(start, ++refused), why + c.reason));
    }
    CHECK(lines(host, start) == refused);
    CHECK(lines(host, "spfwrap: pid ") == 1);
    CHECK(lines(host, "") == refused + 2);  // the end of the log is an empty line
  }
}

TEST_CASE("the server's order counts, for ciphers and for groups") {
  const Host host;
  CHECK(has(host.starttls({"-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"}).out,
            ", Cipher is TLS_AES_256_GCM_SHA384\n"));
  CHECK(has(host.starttls({"-tls1_2", "-cipher", "AES128+ECDHE:AES256+ECDHE"}).out,
            ", Cipher is ECDHE-ECDSA-AES256-GCM-SHA384\n"));
  CHECK(has(host.starttls({"-tls1_2", "-groups", "P-521:P-384:P-256"}).out,
            " Temp Key: ECDH, prime256v1, 256 bits\n"));
}

namespace {

// s_client with somebody at its keyboard; up to where it takes commands.
struct Keyboard {
  std::unique_ptr<SmtpClient> terminal;
  std::unique_ptr<Process> client;
  std::string seen;

  Keyboard(const Host& host, const std::string& version) {
    int pair[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    terminal = std::make_unique<SmtpClient>(Fd(pair[0]));
    const Fd end(pair[1]);
    client = std::make_unique<Process>(
        Arguments{"openssl", "s_client", "-no-CAfile", "-no-CApath", "-no-CAstore", "-starttls", "smtp", "-crlf",
                  version, "-connect", "127.0.0.1:" + std::to_string(host.server.port())},
        Environment(), Streams{end.get(), end.get(), end.get()});
    read_until("250 STARTTLS");  // the reply that it had kept to itself
  }
  void read_until(const std::string& part) {
    for (std::string line; !has(line, part) && !line.ends_with("<EOF>") && !line.ends_with("<silence>");)
      seen += (line = terminal->reply()) + '\n';
  }
};

}  // namespace

TEST_CASE("a client that wants to renegotiate is not let, and leaves nothing behind") {
  const Host host;
  Keyboard keyboard(host, "-tls1_2");
  keyboard.terminal->send("R\n");
  const std::string after = keyboard.terminal->rest();
  INFO(keyboard.seen << after);
  CHECK(has(after, "RENEGOTIATING"));
  CHECK(has(after, "no renegotiation"));
  CHECK_FALSE(has(after, "verify return"));  // a second handshake
  // It may have gone before prog was started for the session inside TLS, and whom
  // spfwrap had to kill has recorded no end.
  CHECK(wait_until([&] {
    const auto runs = host.runs();
    return !runs.empty() &&
           std::all_of(runs.begin(), runs.end(), [](const ChildRun& run) { return kill(run.pid, 0) == -1; });
  }));
}

TEST_CASE("a client may update its keys, and have the server do so") {
  const Host host;
  Keyboard keyboard(host, "-tls1_3");
  for (const char* key : {"k", "K", "K"}) {
    keyboard.terminal->send(std::string(key) + "\n");
    keyboard.read_until("KEYUPDATE");
    keyboard.terminal->send("NOOP\n");
    keyboard.read_until("250 ok");
  }
  INFO(keyboard.seen);
  CHECK(keyboard.seen.ends_with("KEYUPDATE<LF>\n250 ok\n"));
  keyboard.terminal->send("Q\n");
  CHECK(keyboard.client->wait() == 0);
  CHECK(wait_until([&] { return host.runs().size() == 2 && host.runs().back().end == "eof"; }));
  CHECK(lines(host, "spf") == 1);
  CHECK(lines(host, "spfwrap: pid ") == 1);
}

TEST_CASE("over SMTPS s_client has TLS, then the greeting") {
  const Host host(Environment{{"SMTPS", "1"}});
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    const Finished done = host.s_client({version, "-CAfile", certificates().root, "-quiet", "-verify_quiet"},
                                        "EHLO x\nSTARTTLS\nQUIT\n");
    INFO(done.out);
    CHECK(has(done.out, "220 child.example ESMTP\r\n250-child.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n503 "));
    CHECK(has(done.out, "\n221 child.example\r\n"));
  }
  CHECK(lines(host, "spfwrap: ") == 2);
  CHECK(lines(host, "spfwrap: pid ") == 2);
}

TEST_CASE("swaks sends through TLS, and is refused through TLS") {
  const Host host;
  for (const char* protocol : {"tlsv1_2", "tlsv1_3"}) {
    INFO(protocol);
    const Finished sent = swaks(host.server, with(message, {"--tls", "--tls-protocol", protocol,
                                                            "--tls-sni", "mx.local"}));
    INFO(sent.out << sent.err);
    CHECK(sent.code == 0);
    CHECK(host.runs().back().value("SSL_TLS_SNI") == "mx.local");
    CHECK(swaks(host.server, {"--from", "a@fail.example.org", "--to", "b@example.org", "--tls",
                              "--tls-protocol", protocol}).code == 24);
  }
  REQUIRE(host.messages().size() == 2);
  for (const std::string& text : host.messages()) CHECK(text.starts_with("Received-SPF: pass "));
  CHECK(has(host.server.wait_for_line("qlogenvelope: result=accepted", 1), " tls=TLSv1.2"));
  CHECK(has(host.server.wait_for_line("qlogenvelope: result=accepted", 2), " tls=TLSv1.3"));
  CHECK(lines(host, "spfwrap: ") == 0);
  CHECK(lines(host, "spftls: ") == 0);
}

TEST_CASE("swaks with AUTH inside TLS is not checked") {
  const Host host(Environment{{"CHILD_EHLO", "AUTH LOGIN PLAIN"}});
  for (const char* mechanism : {"LOGIN", "PLAIN"}) {
    const Finished sent = swaks(host.server, {"--from", "a@fail.example.org", "--to", "b@example.org", "--tls",
                                              "--auth", mechanism, "--auth-user", "u", "--auth-password", "p"});
    INFO(sent.out << sent.err);
    CHECK(sent.code == 0);
  }
  REQUIRE(host.messages().size() == 2);
  for (const std::string& text : host.messages()) CHECK_FALSE(has(text, "Received-SPF"));
  CHECK(lines(host, "qlogenvelope: ") == 0);
}

TEST_CASE("swaks sends over SMTPS") {
  const Host host(Environment{{"SMTPS", "1"}});
  const Finished sent = swaks(host.server, with(message, {"--tls-on-connect"}));
  INFO(sent.out << sent.err);
  CHECK(sent.code == 0);
  CHECK(host.messages().size() == 1);
}

TEST_CASE("recordio may stand before spfwrap, with pipes in place of the connection") {
  for (const bool smtps : {false, true}) {
    INFO((smtps ? "SMTPS" : "STARTTLS"));
    const TlsClient tls(smtps ? Arguments{"--smtps"} : Arguments{});
    Setup setup = tls.before(level("3", {{"SMTPS", smtps ? "1" : "0"}}));
    setup.before.push_back("recordio");
    Wrapped spfwrap(setup);
    if (smtps)
      spfwrap.hello();
    else
      start_tls(spfwrap);
    CHECK(deliver(spfwrap, "MAIL FROM:<a@pass.example.org>").ends_with("\n250 ok 1095 qp 4711\n"));
    CHECK(spfwrap.ask("QUIT") == "221 child.example");
    CHECK(spfwrap.finish() == 0);
    REQUIRE(spfwrap.last_run().messages.size() == 1);
    CHECK(spfwrap.last_run().messages[0].starts_with("Received-SPF: pass "));
    CHECK(has(spfwrap.errors(), " > 220 ") != smtps);  // recordio saw what was in clear,
    CHECK_FALSE(has(spfwrap.errors(), "RCPT"));        // and nothing else
    CHECK_FALSE(has(spfwrap.errors(), "spfwrap: "));
  }
}

TEST_CASE("recordio behind spfwrap shows what was said inside TLS") {
  const TlsClient tls;
  Setup setup = tls.before(level("3"));
  setup.prog = {"recordio", test_program("child")};
  Wrapped spfwrap(setup);
  start_tls(spfwrap);
  CHECK(deliver(spfwrap, "MAIL FROM:<a@pass.example.org>").ends_with("\n250 ok 1095 qp 4711\n"));
  CHECK(has(spfwrap.errors(), "MAIL FROM:<a@pass.example.org>"));
}

TEST_CASE("a real server behind spfwrap takes mail inside TLS") {
  const TempDir files;
  MailServer mail = mailfront_or_postfix(files);
  mail.environment["SPFCERT"] = certificates().server;
  mail.prog.insert(mail.prog.begin(), program("spfwrap"));
  const Server server(mail.prog, rules, mail.environment);
  CHECK(swaks(server, with(message, {"--tls", "--pipeline", "--body", ".dots\n..\nend"})).code == 0);
  REQUIRE(mail.queue().size() == 1);
  const std::string queued = without_received(mail.queue()[0].content);
  CHECK(queued.starts_with("Received-SPF: pass "));
  CHECK(has(queued, "\n.dots\n..\nend\n"));
}
