// spftls alone: its check of the files, and what it says to whoever started it.
#include <sys/socket.h>

#include <sstream>

#include "spf/tls/certificate.hh"
#include "tests/catch.hh"
#include "tests/support/certificate.hh"
#include "tests/support/smtp_client.hh"
#include "tests/support/temp_dir.hh"

using namespace test;

namespace {

Finished check(Arguments arguments, const Environment& environment = {}) {
  arguments.insert(arguments.begin(), {program("spftls"), "-n"});
  return run(arguments, environment);
}

// What spftls has to say of a certificate, as openssl has it.
std::string line_of(const std::string& file) {
  std::string dates = run({"openssl", "x509", "-in", file, "-noout", "-dates", "-dateopt", "iso_8601"}).out;
  for (std::size_t blank; (blank = dates.find(' ')) != dates.npos;) dates[blank] = 'T';
  std::istringstream lines(dates);
  std::string from, until;
  std::getline(lines, from);
  std::getline(lines, until);
  return "from " + from.substr(from.find('=') + 1) + " until " + until.substr(until.find('=') + 1) + " for mx.local\n";
}

// Started as spfwrap does it, but with a client of ours on 0 and 1 and our end
// of the socket pair for 3.
struct Helper {
  std::unique_ptr<SmtpClient> client, spfwrap;
  std::unique_ptr<Process> process;
  TempDir files;

  explicit Helper(const Arguments& arguments) {
    int connection[2], plain[2];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, connection);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, plain);
    client = std::make_unique<SmtpClient>(Fd(connection[0]));
    spfwrap = std::make_unique<SmtpClient>(Fd(plain[0]));
    const Fd theirs(connection[1]), third(plain[1]), errors = open_append(files.file("errors"));
    Arguments all{"sh", "-c", "exec \"$0\" \"$@\" 3>&1 1>&0", program("spftls")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    process = std::make_unique<Process>(all, Environment(),
                                        Streams{theirs.get(), third.get(), errors.get()});
  }
  std::string errors() const { return read_file(files.file("errors")); }
};

}  // namespace

TEST_CASE("spftls -n says of good files how long they are good, and for whom") {
  const Certificates& good = certificates();
  const std::string ec = line_of(good.server), rsa = line_of(good.rsa);
  CHECK(spf::parse_certificate_line(ec.substr(0, ec.size() - 1)));
  CHECK(spf::parse_certificate_line(rsa.substr(0, rsa.size() - 1)));
  const struct { Arguments arguments; std::string line; } cases[] = {
      {{"-c", good.server}, ec}, {{"-c", good.chain, "-k", good.key}, ec},
      {{"-k", good.key, "-c", good.chain, "-l", "ECDHE"}, ec}, {{"-c", good.rsa}, rsa},
      {{"-c", good.server, "-l", "HIGH:!aNULL"}, ec},
  };
  for (const auto& c : cases) {
    const Finished done = check(c.arguments);
    INFO(done.err);
    CHECK(done.code == 0);
    CHECK(done.err == "");
    CHECK(done.out == c.line);
  }
}

TEST_CASE("a certificate's names are its dNSNames, or else its common name") {
  const TempDir files;
  const struct { const char *subject, *alternatives, *names, *why; } cases[] = {
      {"/CN=mx.example", "", " mx.example", "the common name"},
      {"/CN=old.example/CN=mx.example", "", " mx.example", "the last, which is the most specific"},
      {"/CN=The Server", "", " The_Server", "one that is no host's"},
      {"/CN=caf\xc3\xa9.example", "", " caf__.example", "nor printable"},
      {"/O=Example", "", "", "none"},
      {"/CN=mx.example", "DNS:a.example,DNS:*.b.example", " a.example *.b.example", "names beside it"},
      {"/CN=mx.example", "IP:192.0.2.1,email:x@c.example,DNS:a.example", " a.example", "and what is no name"},
      {"/CN=mx.example", "IP:192.0.2.1", " mx.example", "nothing but that"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Arguments request{"openssl", "req", "-x509", "-days", "2", "-utf8", "-key", certificates().key,
                      "-out", files.file("own"), "-subj", c.subject};
    if (*c.alternatives) request.insert(request.end(), {"-addext", "subjectAltName=" + std::string(c.alternatives)});
    REQUIRE(run(request).code == 0);
    const Finished done = check({"-c", files.file("own"), "-k", certificates().key});
    CHECK(done.code == 0);
    CHECK(done.out.ends_with("Z for" + std::string(c.names) + "\n"));
  }
}

TEST_CASE("spftls -n that can't say it has not tried the files") {
  const Finished done = run({"sh", "-c", "exec \"$0\" -n -c \"$1\" >/dev/full", program("spftls"), certificates().server});
  CHECK(done.code == 111);
  CHECK(done.err == "spftls: fatal: unable to write: No space left on device\n");
}

TEST_CASE("spftls -n says why not, in one line") {
  const Certificates& good = certificates();
  const TempDir files;
  const std::string garbage = files.write("garbage", "what is this?\n");
  const struct { Arguments arguments; std::string reason; } cases[] = {
      {{"-c", "/nonexistent/x.pem"}, "/nonexistent/x.pem: No such file or directory"},
      {{"-c", good.server, "-k", "/nonexistent/x.pem"}, "/nonexistent/x.pem: No such file or directory"},
      {{"-c", garbage}, garbage + ": no start line"},
      {{"-c", good.chain}, good.chain + ": "},
      {{"-c", good.chain, "-k", good.other_key}, good.other_key + ": key values mismatch"},
      {{"-c", good.encrypted}, good.encrypted + ": "},
      {{"-c", good.weak}, good.weak + ": ee key too small"},
      {{"-c", good.server, "-l", "NOSUCH"}, "ciphers NOSUCH: no cipher match"},
      {{"-c", good.server, "-l", "kRSA"}, "ciphers kRSA: no cipher match"},
  };
  for (const auto& c : cases) {
    INFO(c.reason);
    const Finished done = check(c.arguments);
    CHECK(done.code == 111);
    CHECK(done.out == "");
    CHECK(done.err.starts_with("spftls: fatal: " + c.reason));
    CHECK(done.err.find('\n') == done.err.size() - 1);
    CHECK(done.err.find("no reason given") == done.err.npos);
  }
}

TEST_CASE("a wrong call is 100 and the usage") {
  const std::string& server = certificates().server;
  for (const Arguments& arguments :
       {Arguments{}, Arguments{"-n"}, Arguments{"-c"}, Arguments{"-x", "-c", server}, Arguments{"-c", ""},
        Arguments{"-n", "-c", server, "more"}, Arguments{server}, Arguments{"-k", server}, Arguments{"-l", "ALL"}}) {
    Arguments all{program("spftls")};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Finished done = run(all);
    CHECK(done.code == 100);
    CHECK(done.out == "");
    CHECK(done.err.find("spftls: usage: spftls [ -n ] -c certificate") != std::string::npos);
  }
}

TEST_CASE("openssl.cnf changes nothing, wherever it is") {
  const TempDir files;
  const std::string config = files.write("openssl.cnf",
      "openssl_conf = init\n[init]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\n"
      "CipherString = NOSUCH\nMinProtocol = TLSv1\n");
  CHECK(check({"-c", certificates().server}, {{"OPENSSL_CONF", config}}).code == 0);
}

TEST_CASE("it is ready, waits for its word, and goes when that does not come") {
  const Arguments good{"-c", certificates().server};
  SECTION("nobody there any more") {
    Helper spftls(good);
    CHECK(spftls.spfwrap->reply() == "ready<LF>");
    spftls.client->send("\x16\x03\x01");
    spftls.spfwrap->close();
    CHECK(spftls.process->wait() == 0);
    CHECK(spftls.client->rest() == "");  // it has not touched it
  }
  SECTION("another word") {
    Helper spftls(good);
    CHECK(spftls.spfwrap->reply() == "ready<LF>");
    spftls.spfwrap->send("no\n");
    CHECK(spftls.process->wait() == 0);
    CHECK(spftls.client->rest() == "");
  }
  SECTION("the word in pieces") {
    Helper spftls(good);
    CHECK(spftls.spfwrap->reply() == "ready<LF>");
    spftls.spfwrap->send("go\n", 1);
    spftls.client->send("EHLO x\r\n");
    CHECK(spftls.spfwrap->reply() == "failed wrong version number<LF>");
    CHECK(spftls.client->rest() == "");  // no alert to who speaks no TLS
    CHECK(spftls.process->wait() == 111);
  }
  SECTION("a certificate that can't be used") {
    Helper spftls({"-c", "/nonexistent/x.pem"});
    CHECK(spftls.spfwrap->reply() == "unusable /nonexistent/x.pem: No such file or directory<LF>");
    CHECK(spftls.process->wait() == 111);
    CHECK(spftls.errors() == "");  // spfwrap says it
  }
  SECTION("nobody there after the word") {
    Helper spftls(good);
    CHECK(spftls.spfwrap->reply() == "ready<LF>");
    spftls.spfwrap->send("go\n");
    spftls.spfwrap->close();
    CHECK(spftls.process->wait() == 111);
  }
}

TEST_CASE("a reason with all kinds of octets stays one line") {
  Helper spftls({"-c", "/nonexistent/\n\x1b[2J\xff"});
  const std::string said = spftls.spfwrap->reply();
  CHECK(said.starts_with("unusable /nonexistent/"));
  CHECK(said.find_first_of("\n\x1b\xff") == said.npos);
  CHECK(said.ends_with(": No such file or directory<LF>"));
}
