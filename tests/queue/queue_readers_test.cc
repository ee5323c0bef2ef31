// Those for whom the header is written read it where SPFANNOTATE=queue puts it:
// SpamAssassin and OpenDMARC themselves, where they are there.
#include "tests/catch.hh"
#include "tests/queue/queue.hh"
#include "tests/support/readers.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// A message as it comes out of qmail-queue, which writes on top of what it is given.
std::string through_queue(const std::string& mail, const std::string& annotate) {
  const Queue queue;
  Wrapped spfwrap(level("1", {{"SPFANNOTATE", annotate}, {"CHILD_QUEUE", "1"}, {"QMAILQUEUE", Queue::prog()},
                              {"QUEUE", queue.files().path()}}));
  spfwrap.hello("mail.pass.example.org");
  CHECK(deliver(spfwrap, mail, "From: a@pass.example.org\r\nSubject: x\r\n\r\nx\r\n").ends_with("4711\n"));
  CHECK(spfwrap.finish() == 0);
  REQUIRE(queue.queued().size() == 1);
  return "Received: (qmail 4711 invoked from network); 1 Jan 2027 00:00:00 -0000\n" + queue.queued()[0].message;
}

bool contains(const std::string& text, const std::string& what) { return text.find(what) != text.npos; }

const std::string of_sender = "MAIL FROM:<a@pass.example.org>", of_nobody = "MAIL FROM:<>";

}  // namespace

TEST_CASE("SpamAssassin uses our result again, of the sender and of the HELO name, but not where data leaves it") {
  if (left_out(!spamassassin().there(), "no spamassassin here")) return;
  const auto found = read_by_spamassassin({through_queue(of_sender, "queue"), through_queue(of_nobody, "queue"),
                                           through_queue(of_sender, "data")});
  INFO(found[0].debugging << found[1].debugging << found[2].debugging);
  CHECK(contains(found[0].debugging, "re-using mfrom result from Received-SPF header: pass"));
  CHECK(contains(found[1].debugging, "re-using helo result from Received-SPF header: "));
  // That is below the server's Received.
  CHECK_FALSE(contains(found[2].debugging, "re-using"));
}

TEST_CASE("OpenDMARC takes the domain that has passed") {
  if (left_out(!opendmarc().there(), "no opendmarc here")) return;
  const TempDir files;
  const std::string history = files.file("history");
  const std::string settings =
      files.write("opendmarc.conf", "AuthservID mx.local\nHistoryFile " + history + "\nTestDNSData " +
                                        files.write("dns", "_dmarc.pass.example.org v=DMARC1; p=none\n") + "\n");
  const Finished read = opendmarc().run({"-c", settings, "-t", files.write("message", through_queue(of_sender, "queue"))},
                                        {{"OPENDMARC_TEST_CLIENTIP", "192.0.2.1"},
                                         {"OPENDMARC_TEST_ENVFROM", "<a@pass.example.org>"}});
  INFO(read.out << read.err << read_file(history));
  CHECK(contains(read_file(history), "\nspf 0\n"));
}
