// SPFANNOTATE=queue with all that belongs to it: spfwrap, a server that honours
// QMAILQUEUE, spfqueue, and a queue program.
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "tests/catch.hh"
#include "tests/queue/queue.hh"
#include "tests/support/mail_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

const std::string queued = "250 ok\n250 ok\n354 go ahead\n250 ok 1095 qp 4711\n";

Setup queue_mode(const Queue& queue, Environment more = {}) {
  more.insert({{"SPFANNOTATE", "queue"}, {"CHILD_QUEUE", "1"}, {"QMAILQUEUE", Queue::prog()},
               {"QUEUE", queue.files().path()}});
  return level("1", more);
}

std::string mail_from(const std::string& domain) { return "MAIL FROM:<a@" + domain + ">"; }

bool contains(const std::string& text, const std::string& what) { return text.find(what) != text.npos; }

}  // namespace

TEST_CASE("the header stands above the server's Received, the variables are the queue program's") {
  const Queue queue;
  Wrapped spfwrap(queue_mode(queue));
  spfwrap.hello();
  for (const char* domain : {"pass.example.org", "softfail.example.org"})
    CHECK(deliver(spfwrap, mail_from(domain)) == queued);
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
  CHECK(spfwrap.finish() == 0);
  REQUIRE(spfwrap.runs().size() == 1);  // one start for all
  REQUIRE(queue.queued().size() == 2);
  for (const QueuedMessage& message : queue.queued()) {
    const bool pass = contains(message.envelope, "pass.example.org");
    const std::string result = pass ? "pass" : "softfail";
    INFO(message.message);
    CHECK(message.message.starts_with("Received-SPF: " + result + " ("));
    CHECK(contains(message.message, "\nReceived: from unknown"));
    CHECK(message.message.ends_with("\nSubject: x\n\nx\n"));
    CHECK_FALSE(contains(message.message, "\r"));
    CHECK(contains(message.environment, "SPFRESULT=" + result + "\n"));
    CHECK(contains(message.environment, "SPFDOMAIN=" + result + ".example.org\n"));
    CHECK_FALSE(contains(message.environment, "SPFFD="));
  }
  CHECK_FALSE(spfwrap.runs()[0].has("SPFRESULT"));
}

TEST_CASE("a trusted client's message is queued as it comes, after one that was checked too") {
  const Queue queue;
  Wrapped spfwrap(queue_mode(queue));
  spfwrap.hello();
  CHECK(deliver(spfwrap, mail_from("pass.example.org")) == queued);
  CHECK(spfwrap.ask("AUTH PLAIN AGEAYg==").starts_with("235"));
  CHECK(deliver(spfwrap, mail_from("fail.example.org")) == queued);
  CHECK(spfwrap.finish() == 0);
  REQUIRE(queue.queued().size() == 2);
  for (const QueuedMessage& message : queue.queued()) {
    const bool checked = contains(message.envelope, "pass.example.org");
    CHECK(message.message.starts_with("Received-SPF: ") == checked);
    CHECK(contains(message.environment, "SPFRESULT=") == checked);
  }
}

TEST_CASE("what the queue program exits with, and says on descriptor 6, comes to the server") {
  for (const char* code : {"31", "71", "82", "88"}) {
    const Queue queue;
    Wrapped spfwrap(queue_mode(queue, {{"QUEUE_FAULT", std::string("message=exit:") + code}}));
    spfwrap.hello();
    const std::string reply = (std::string(code) == "31" ? "554 qq " : "451 qq ") + std::string(code);
    CHECK(deliver(spfwrap, mail_from("pass.example.org")) == "250 ok\n250 ok\n354 go ahead\n" + reply + "\n");
    CHECK(deliver(spfwrap, mail_from("pass.example.org")).ends_with(reply + "\n"));
    CHECK(spfwrap.finish() == 0);
    CHECK(queue.queued().empty());
  }
}

TEST_CASE("a QMAILQUEUE that was set before is what spfqueue runs, in a chain too") {
  const Queue queue;
  const TempDir files;
  // Stands for simscan: looks at the message, and hands it on.
  const std::string scanner = files.write("scanner",
      "#!/bin/sh\ncat >" + files.file("seen") + "\necho \"$SPFRESULT\" >" + files.file("result") +
      "\nexec " + Queue::prog() + " <" + files.file("seen") + "\n");
  REQUIRE(chmod(scanner.c_str(), 0755) == 0);
  Wrapped spfwrap(queue_mode(queue, {{"QMAILQUEUE", scanner}}));
  spfwrap.hello();
  CHECK(deliver(spfwrap, mail_from("pass.example.org")) == queued);
  CHECK(spfwrap.finish() == 0);
  CHECK(read_file(files.file("result")) == "pass\n");
  CHECK(read_file(files.file("seen")).starts_with("Received-SPF: pass ("));
  REQUIRE(queue.queued().size() == 1);
  CHECK(queue.queued()[0].message.starts_with("Received-SPF: pass ("));
}

TEST_CASE("without an spfqueue beside it spfwrap warns, and does as with data") {
  const Queue queue;
  const TempDir files;
  for (const char* name : {"spfwrap"}) REQUIRE(run({"cp", program(name), files.file(name)}).code == 0);
  Setup setup = queue_mode(queue);
  setup.before = {files.file("spfwrap"), test_program("child")};
  Wrapped spfwrap(setup);
  spfwrap.hello();
  CHECK(deliver(spfwrap, mail_from("pass.example.org")) == queued);
  CHECK(spfwrap.finish() == 0);
  CHECK(contains(spfwrap.errors(), "SPFANNOTATE=queue: " + files.file("spfqueue") +
                                       ": No such file or directory; acting as with data\n"));
  REQUIRE(queue.queued().size() == 1);
  CHECK(contains(queue.queued()[0].message, "\nReceived-SPF: pass ("));  // below Received
  CHECK(contains(queue.queued()[0].environment, "SPFRESULT=pass\n"));
}

TEST_CASE("prog has one descriptor more, 10 or above, that can be read and not written") {
  const Queue queue;
  Wrapped spfwrap(queue_mode(queue));
  spfwrap.hello();
  REQUIRE(spfwrap.runs().size() == 1);
  const std::string fds = "/proc/" + std::to_string(spfwrap.runs()[0].pid) + "/fd";
  REQUIRE(spfwrap.runs()[0].has("SPFFD"));
  const std::string number = spfwrap.runs()[0].environment.at("SPFFD");
  CHECK(std::stoi(number) >= 10);
  CHECK((std::filesystem::symlink_status(fds + "/" + number).permissions() &
         std::filesystem::perms::owner_write) == std::filesystem::perms::none);
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("behind a real server that knows QMAILQUEUE it is the same") {
  const TempDir files;
  const MailServer server = mail_server("mailfront", files);
  if (left_out(!server.missing.empty(), server.missing)) return;
  Setup setup = level("3", server.environment);
  setup.prog = server.prog;
  setup.prog.insert(setup.prog.end() - 1, "add-received");
  setup.environment["SPFANNOTATE"] = "queue";
  Wrapped spfwrap(setup);
  spfwrap.hello();
  for (const char* domain : {"pass.example.org", "fail.example.org", "softfail.example.org"})
    deliver(spfwrap, mail_from(domain));
  CHECK(spfwrap.finish() == 0);
  REQUIRE(server.queue().size() == 2);
  for (const auto& message : server.queue()) {
    CHECK(message.content.starts_with("Received-SPF: "));
    CHECK(contains(message.content, "\nReceived: "));
  }
}

TEST_CASE("the queue program finds what belongs to the message in hand, be it one that was held back") {
  const Queue queue;
  Setup setup = queue_mode(queue);
  setup.environment["SPFBEHAVIOR"] = "3";
  setup.control = {{"spffrom", "@none.example.org:0\n"}, {"spfto", "postmaster@:1\n"}};
  Wrapped spfwrap(setup);
  spfwrap.hello();
  CHECK(deliver(spfwrap, mail_from("pass.example.org")) == queued);
  const std::string usual = "RCPT TO:<b@example.org>";
  CHECK(spfwrap.ask(mail_from("fail.example.org")) == "250 ok");
  CHECK(spfwrap.ask(usual).starts_with("550 "));
  CHECK(spfwrap.ask("RCPT TO:<postmaster@example.org>") == "250 ok");
  CHECK(spfwrap.ask(usual).starts_with("550 "));
  CHECK(spfwrap.ask("DATA").starts_with("354 "));
  spfwrap.client().send("Subject: x\r\n\r\nx\r\n.\r\n");
  CHECK(spfwrap.client().reply().starts_with("250 "));
  CHECK(spfwrap.finish() == 0);
  REQUIRE(spfwrap.runs().size() == 1);
  const auto commands = spfwrap.runs()[0].commands;
  CHECK(std::count(commands.begin(), commands.end(), usual) == 1);  // of the message that passed
  REQUIRE(queue.queued().size() == 2);
  for (const QueuedMessage& message : queue.queued()) {
    const std::string result = contains(message.envelope, "pass.example.org") ? "pass" : "fail";
    CHECK(message.message.starts_with("Received-SPF: " + result + " ("));
    CHECK(contains(message.environment, "SPFRESULT=" + result + "\n"));
  }
}
