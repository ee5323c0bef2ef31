// The whole chain as on a mail host: tcpserver with tcprules, rblsmtpd, spfwrap,
// a real SMTP server with a queue, nsd for DNS, swaks and raw clients in front.
#include "tests/catch.hh"
#include "tests/support/certificate.hh"
#include "tests/support/mail_server.hh"
#include "tests/support/server.hh"

using namespace test;

namespace {

// A mail host: mailfront or postfix behind spfwrap, its clients told apart by
// address.
struct MailHost {
  TempDir files;
  MailServer mail = mailfront_or_postfix(files);
  Server server;

  explicit MailHost(const std::string& rules, Arguments before = {}, Environment control = {})
      : server(command(before), rules, mail.environment, control) {}

  Arguments command(Arguments before) const {
    before.push_back(program("spfwrap"));
    before.insert(before.end(), mail.prog.begin(), mail.prog.end());
    return before;
  }

  // The messages of its queue, without its own Received field.
  std::vector<std::string> messages() const {
    std::vector<std::string> all;
    for (const Queued& queued : mail.queue()) all.push_back(without_received(queued.content));
    return all;
  }

  // The environments of its queue program, one behind the other.
  std::string environments() const {
    std::string all;
    for (const std::string& environment : mail.environments()) all += "\n" + environment;
    return all;
  }
};

// The replies to a message, up to the first refusal.
std::string send(const Server& server, const std::string& sender) {
  SmtpClient client = server.connect();
  std::string replies = client.reply() + '\n';
  for (const std::string& said : {std::string("HELO x"), "MAIL FROM:<" + sender + ">",
                                  std::string("RCPT TO:<b@example.org>"), std::string("DATA"), std::string(".")}) {
    const std::string reply = client.ask(said);
    replies += reply + '\n';
    if (reply[0] != '2' && reply[0] != '3') break;
  }
  return replies;
}

std::string from_client(const std::string& address, const std::string& behaviour) {
  return "127.:allow,TCPREMOTEIP=\"" + address + "\",SPFBEHAVIOR=\"" + behaviour + "\"\n";
}

}  // namespace

TEST_CASE("a passing message goes through the whole chain with its header") {
  const MailHost host(from_client("192.0.2.1", "3"));
  const Finished sent = swaks(host.server, {"--from", "a@pass.example.org", "--to", "b@example.org",
                                            "--header", "Subject: chain", "--body", ".dots\n..\nend"});
  INFO(sent.out << sent.err);
  CHECK(sent.code == 0);
  REQUIRE(host.messages().size() == 1);
  const std::string message = host.messages()[0];
  INFO(message);
  // Queues have LF.
  CHECK(message.starts_with("Received-SPF: pass (mx.local: SPF record at pass.example.org designates\n"));
  CHECK(message.find("\nSubject: chain\n") != std::string::npos);
  CHECK(message.find("\n.dots\n..\nend\n") != std::string::npos);
  const std::string environment = host.environments();
  CHECK(environment.find("\nSPFRESULT=pass\n") != std::string::npos);
  CHECK(environment.find("\nSPFDOMAIN=pass.example.org\n") != std::string::npos);
  CHECK(host.mail.queue()[0].sender == "a@pass.example.org");
  CHECK(host.mail.queue()[0].recipients == Arguments{"b@example.org"});
  CHECK(host.server.wait_for_line("qlogenvelope: result=accepted code=250 reason=spf detail=pass ") != "");
}

TEST_CASE("swaks --tls finds what it finds in clear, and in the log which it was") {
  const MailHost host(from_client("192.0.2.1", "3"), {},
                      {{"servercert.pem", read_file(certificates().server)}});
  const auto send = [&host](const std::string& domain, Arguments more) {
    more.insert(more.end(), {"--from", "a@" + domain, "--to", "b@example.org"});
    return swaks(host.server, more).code;
  };
  CHECK(send("pass.example.org", {"--tls", "--tls-sni", "mx.local"}) == 0);
  CHECK(send("fail.example.org", {"--tls"}) == 24);
  CHECK(send("pass.example.org", {}) == 0);
  CHECK(host.server.wait_for_line("qlogenvelope: ", 1).find(" tls=TLSv1.3 ") != std::string::npos);
  CHECK(host.server.wait_for_line("qlogenvelope: ", 2).find(" tls=TLSv1.3 ") != std::string::npos);
  CHECK(host.server.wait_for_line("qlogenvelope: ", 3).find(" tls=none ") != std::string::npos);
  CHECK(host.messages().size() == 2);
  CHECK(host.environments().find("\nSSL_TLS_SNI=mx.local\n") != std::string::npos);
}

TEST_CASE("a failing one is refused at RCPT, an undecided one at MAIL, and neither is queued") {
  const MailHost host(from_client("192.0.2.1", "3"));
  const Finished failed = swaks(host.server, {"--from", "a@explained.example.org", "--to", "b@example.org"});
  CHECK(failed.out.find("<** 550 192.0.2.1 may not send for explained.example.org") != std::string::npos);
  const Finished deferred = swaks(host.server, {"--from", "a@temperror.example", "--to", "b@example.org"});
  CHECK(deferred.out.find("<** 451 SPF lookup failure (#4.3.0)") != std::string::npos);
  CHECK(host.messages().empty());
  CHECK(host.server.wait_for_line("qlogenvelope: result=rejected code=550 reason=spf detail=fail ") != "");
}

TEST_CASE("tcprules choose the level per client") {
  const struct { const char* rules; const char* rcpt; bool aside; } cases[] = {
      {"127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"3\"\n:deny\n", "550", false},
      {"127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"1\"\n:deny\n", "250", false},
      {"127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"0\"\n:deny\n", "250", true},
      {"127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"6\",RELAYCLIENT=\"\"\n:deny\n", "250", true},
      {"127.:allow,SPFBEHAVIOR=\"6\"\n:deny\n", "250", false},  // 127.0.0.1 itself
  };
  for (const auto& c : cases) {
    INFO(c.rules);
    // Where spfwrap steps aside, postfix is on recordio's pipes then: on a TCP
    // connection it would have to be started by its own master.
    const MailHost host(c.rules, {"recordio"});
    SmtpClient client = host.server.connect();
    CHECK(client.reply() == host.mail.greeting);
    CHECK(client.ask("EHLO mail.example.org") == (c.aside ? host.mail.ehlo : host.mail.ehlo_behind));
    CHECK(client.ask("MAIL FROM:<a@fail.example.org>")[0] == '2');
    CHECK(client.ask("RCPT TO:<b@example.org>").starts_with(c.rcpt));
    CHECK(client.ask("QUIT").starts_with("221 "));
    CHECK(client.rest() == "");
  }
}

TEST_CASE("without a rule the level is the control file's") {
  const MailHost host("127.:allow,TCPREMOTEIP=\"192.0.2.1\"\n", {}, {{"spfbehavior", "3\n"}});
  SmtpClient client = host.server.connect();
  client.reply();
  CHECK(client.talk({"HELO x", "MAIL FROM:<a@fail.example.org>", "RCPT TO:<b@example.org>"}).find("\n550") !=
        std::string::npos);
}

TEST_CASE("it stands behind rblsmtpd") {
  const MailHost host("127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"3\",RBLSMTPD=\"\"\n",
                      {"rblsmtpd", "-r", "rbl.invalid"});
  CHECK(send(host.server, "a@pass.example.org").find("\n354 ") != std::string::npos);
  CHECK(send(host.server, "a@fail.example.org").find("\n250 ok\n550 ") != std::string::npos);
  CHECK(host.messages().size() == 1);

  const MailHost listed("127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"3\",RBLSMTPD=\"-listed\"\n",
                        {"rblsmtpd", "-r", "rbl.invalid"});
  SmtpClient client = listed.server.connect();
  CHECK(client.reply() == "220 rblsmtpd.local");
}

TEST_CASE("a TXT set that fits only over TCP is read") {
  const MailHost host(from_client("192.0.2.1", "3"));
  CHECK(send(host.server, "a@long.example.org").find("\n354 ") != std::string::npos);
  CHECK(host.messages().size() == 1);
  CHECK(host.environments().find("\nSPFMECHANISM=ip4:192.0.2.1\n") != std::string::npos);
}

TEST_CASE("several messages in one session each have their own verdict") {
  const MailHost host(from_client("192.0.2.1", "3"));
  SmtpClient client = host.server.connect();
  client.reply();
  client.ask("EHLO mail.example.org");
  for (const char* name : {"pass", "fail", "softfail", "pass"}) {
    INFO(name);
    client.ask("MAIL FROM:<a@" + std::string(name) + ".example.org>");
    const std::string rcpt = client.ask("RCPT TO:<b@example.org>");
    if (name == std::string("fail")) {
      CHECK(rcpt.starts_with("550"));
      continue;
    }
    CHECK(client.ask("DATA").starts_with("354 "));
    CHECK(client.ask("Subject: " + std::string(name) + "\r\n\r\nx\r\n.").starts_with("250 "));
  }
  CHECK(client.ask("QUIT").starts_with("221 "));
  int passed = 0, softfailed = 0;
  for (const std::string& message : host.messages()) {
    passed += message.starts_with("Received-SPF: pass ") && message.find("\nSubject: pass\n") != message.npos;
    softfailed += message.starts_with("Received-SPF: softfail ") &&
                  message.find("\nSubject: softfail\n") != message.npos;
  }
  CHECK(passed == 2);
  CHECK(softfailed == 1);
}

TEST_CASE("swaks with pipelining hears the same") {
  const MailHost host(from_client("192.0.2.1", "3"));
  const Arguments message = {"--pipeline", "--to", "b@example.org,c@example.org", "--from"};
  for (const char* sender : {"a@pass.example.org", "a@fail.example.org"}) {
    Arguments arguments = message;
    arguments.push_back(sender);
    const Finished sent = swaks(host.server, arguments);
    INFO(sent.out);
    CHECK((sent.code == 0) == (sender == std::string("a@pass.example.org")));
  }
  CHECK(host.messages().size() == 1);
}

TEST_CASE("a server that takes LF.LF as an end is not shown one") {
  const MailHost host(from_client("192.0.2.1", "3"));
  for (const std::string& row : {std::string("\n.\n"), std::string("\r\n.\n"), std::string("\n.\r\n"),
                                 std::string("\r\n\r.\n"), std::string("\r\n.\r\r\n"), std::string("\r.\r\n")}) {
    SmtpClient client = host.server.connect();
    client.reply();
    client.talk({"EHLO x", "MAIL FROM:<a@pass.example.org>", "RCPT TO:<b@example.org>", "DATA"});
    client.send("x" + row + "MAIL FROM:<evil@pass.example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n.\r\nQUIT\r\n");
    const std::string heard = client.rest();
    INFO(heard);
    const bool refused = heard.starts_with("451 See https://cr.yp.to/docs/smtplf.html.\n");
    const std::vector<Queued> all = take_queue(host.mail);
    CHECK(all.size() == (refused ? 0 : 1));
    CHECK(host.server.errors().find("evil") == std::string::npos);  // mailfront reports each MAIL
    for (const Queued& queued : all) CHECK(queued.sender == "a@pass.example.org");
  }
}
