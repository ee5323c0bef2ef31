// Programs that read the header: none finds in it that another identity was
// checked than was. SpamAssassin and OpenDMARC themselves, where they are
// there, and the rules by which they and others read it.
#include "spf/dialogue/received_spf.hh"
#include "tests/catch.hh"
#include "tests/fuzz/header_readers.hh"
#include "tests/support/readers.hh"
#include "tests/support/temp_dir.hh"

using namespace test;

namespace {

struct Case {
  const char* why;
  std::string sender, helo, mechanism;
  spf::Identity identity;
};

constexpr auto helo = spf::Identity::helo;
constexpr auto mailfrom = spf::Identity::mailfrom;

const Case cases[] = {
    {"nothing hostile", "a@example.org", "mail.example.org", "mx", mailfrom},
    {"the null sender", "", "mail.example.org", "a", helo},
    {"an identity in the term", "", "mail.example.org", "exists:identity=mailfrom;.evil.example", helo},
    {"the same with a semicolon before it", "", "mail.example.org", "exists:;identity=mailfrom;.x.example", helo},
    {"and in other letters", "", "mail.example.org", "exists:; IDENTITY = MailFrom ;.x.example", helo},
    {"in the HELO name", "", "x; identity=mailfrom; y", "a", helo},
    {"in quotes there", "", "x\"; identity=mailfrom; \"y", "a", helo},
    {"behind a backslash", "", "x\\\"; identity=mailfrom; \\\"y", "a", helo},
    {"a comment that opens in HELO and ends in the term", "", "x(", "exists:);identity=mailfrom;(.evil.example", helo},
    {"a comment that does not end", "", "x(", "exists:identity=mailfrom;.evil.example", helo},
    {"in a sender without a domain", "identity=mailfrom", "mail.example.org", "a", helo},
    {"of great length", "", std::string(255, '"'), std::string(255, '\\'), helo},
    {"of still greater length", std::string(2000, '"'), std::string(2000, '"'), std::string(2000, '"'), helo},
    {"HELO in a sender", "identity=helo@example.org", "mail.example.org", "mx", mailfrom},
    {"in quotes there", "\"; identity = helo; \"@example.org", "mail.example.org", "mx", mailfrom},
    {"in the HELO name, for the sender", "a@example.org", "x; identity=helo", "exists:identity=helo;", mailfrom},
};

std::string value(const Case& c) {
  spf::Verdict verdict;
  verdict.result = spf::Result::pass;
  verdict.identity = c.identity;
  verdict.domain = c.identity == helo ? c.helo : "example.org";
  verdict.mechanism = c.mechanism;
  return spf::header_value({*spf::Address::parse("192.0.2.1"), c.helo, c.sender}, verdict, "mx.local");
}

// As prog and spfqueue leave it: with the field above the Received line of this host.
std::string message(const std::string& field) {
  std::string text = field +
                     "Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n"
                     "  by mx.local with SMTP; 1 Jan 2024 00:00:00 -0000\r\n"
                     "From: a@example.org\r\nSubject: x\r\n\r\nx\r\n";
  std::erase(text, '\r');
  return text;
}

std::string message(const Case& c) { return message(spf::received_spf(value(c))); }

// Whether it takes the sender's domain for one that has passed.
bool passed_by_opendmarc(const TempDir& files, const Case& c) {
  const std::string history = files.file("history");
  const std::string settings = files.write(
      "opendmarc.conf", "AuthservID mx.local\nHistoryFile " + history + "\nTestDNSData " +
                            files.write("dns", "_dmarc.example.org v=DMARC1; p=none\n") + "\n");
  const Finished run = opendmarc().run({"-c", settings, "-t", files.write("message", message(c))},
                                       {{"OPENDMARC_TEST_CLIENTIP", "192.0.2.1"},
                                        {"OPENDMARC_TEST_ENVFROM", "<" + c.sender + ">"}});
  const std::string said = read_file(history);
  INFO(run.out << run.err << said);
  REQUIRE(said.find("\nspf ") != said.npos);
  return said.find("\nspf 0\n") != said.npos;
}

}  // namespace

TEST_CASE("whoever reads the header finds the identity that was checked") {
  using fuzz::IdentityReader;
  const struct { IdentityReader reader; const char* name; } readers[] = {
      {IdentityReader::first, "the first identity="},
      {IdentityReader::last, "the last identity="},
      {IdentityReader::first_pair, "the first pair"},
      {IdentityReader::last_pair, "the last pair"},
      {IdentityReader::spamassassin, "as SpamAssassin"},
  };
  for (const Case& c : cases)
    for (const auto& r : readers) {
      INFO(c.why << ": " << r.name << " in " << value(c));
      CHECK(fuzz::identity_in(value(c), r.reader) == spf::name(c.identity));
    }
}

TEST_CASE("OpenDMARC takes no HELO that has passed for a sender") {
  for (const Case& c : cases) {
    INFO(c.why << ": " << value(c));
    // Brackets in quotes hide from it what comes behind: then it finds none.
    const std::string found = fuzz::opendmarc_identity(value(c));
    CHECK((found == spf::name(c.identity) || found.empty()));
  }
}

TEST_CASE("SpamAssassin itself reads it as its rules say") {
  if (left_out(!spamassassin().there(), "no spamassassin here")) return;
  std::vector<std::string> messages = {message("")};
  for (const Case& c : cases) messages.push_back(message(c));
  const auto found = read_by_spamassassin(messages);
  CHECK(found[0].passed == "none");
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    INFO(cases[i].why << ": " << value(cases[i]) << found[i + 1].debugging);
    CHECK(found[i + 1].passed == spf::name(cases[i].identity));
  }
}

TEST_CASE("OpenDMARC itself reads it as its rules say") {
  if (left_out(!opendmarc().there(), "no opendmarc here")) return;
  for (const Case& c : cases) {
    INFO(c.why << ": " << value(c));
    const TempDir files;
    CHECK(passed_by_opendmarc(files, c) == (fuzz::opendmarc_identity(value(c)) == "mailfrom"));
  }
}

TEST_CASE("the models are those of the readers: they are deceived by what is not written so any more") {
  const std::string old =
      "pass (x) client-ip=192.0.2.1; envelope-from=\"\"; helo=mail.example.org; identity=helo; "
      "receiver=mx.local; mechanism=\"exists:identity=mailfrom;.evil.example\";";
  CHECK(fuzz::identity_in(old, fuzz::IdentityReader::spamassassin) == "mailfrom");
  CHECK(fuzz::identity_in(old, fuzz::IdentityReader::last) == "mailfrom");
  CHECK(fuzz::identity_in(old, fuzz::IdentityReader::first) == "helo");
  CHECK(fuzz::opendmarc_identity("pass (x) helo=\"x;identity=mailfrom;\";") == "mailfrom");
}
