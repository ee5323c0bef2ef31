#include "spf/dialogue/reply.hh"

#include "tests/catch.hh"

using spf::AuthKeyword;
using spf::Reply;
using spf::StarttlsKeyword;

namespace {

// In our words; in those of `domain` where there is one.
Reply rejection(const std::string& explanation, const std::string& domain = "") {
  spf::Verdict verdict;
  verdict.domain = domain.empty() ? "example.org" : domain;
  verdict.explanation = explanation;
  verdict.domains_own_words = !domain.empty();
  return spf::rejection(verdict);
}

std::string text_of(const Reply& reply) {
  std::string whole;
  for (const std::string& line : reply.lines) whole += line;
  return whole;
}

}  // namespace

TEST_CASE("a rejection is broken into lines of at most 512 octets") {
  CHECK(rejection("no").wire() == "550 no (#5.7.1)\r\n");
  CHECK(rejection("").wire() == "550  (#5.7.1)\r\n");
  CHECK(rejection("one\ntwo\n").wire() == "550-one\r\n550 two (#5.7.1)\r\n");
  CHECK(rejection("a\r\n250 ok\x1b[2J\xff").wire() ==
        "550-a_\r\n550 250 ok_[2J_ (#5.7.1)\r\n");

  std::string words, solid(2000, 'x');
  for (int i = 0; i < 250; ++i) words += "word" + std::to_string(i) + " ";
  for (const std::string& text : {words, solid}) {
    const Reply reply = rejection(text);
    CHECK(reply.lines.size() > 3);
    std::string whole, wire = reply.wire();
    for (std::size_t begin = 0; begin < wire.size();) {
      const std::size_t end = wire.find("\r\n", begin);
      CHECK(end + 2 - begin <= 512);
      begin = end + 2;
    }
    for (const std::string& line : reply.lines) whole += line + (text == solid ? "" : " ");
    CHECK(whole == text + (text == solid ? " (#5.7.1)" : " (#5.7.1) "));
  }
}

TEST_CASE("a rejection has at most 2,000 octets of text") {
  CHECK(text_of(rejection(std::string(2001, 'x'))) == std::string(2000, 'x') + " (#5.7.1)");
  const std::string whose = "SPF fail: d.example says:";
  CHECK(text_of(rejection(std::string(2001, 'x'), "d.example")) ==
        whose + std::string(2000 - whose.size() - 1, 'x') + " (#5.7.1)");
}

TEST_CASE("before a domain's own words a line says whose they are") {
  CHECK(rejection("one\ntwo", "d.example").wire() ==
        "550-SPF fail: d.example says:\r\n550-one\r\n550 two (#5.7.1)\r\n");
  CHECK(rejection("", "d.example").wire() == "550 SPF fail: d.example says: (#5.7.1)\r\n");
  CHECK(rejection("no", "a\r\n250 \x1b").wire() ==
        "550-SPF fail: a__250 _ says:\r\n550 no (#5.7.1)\r\n");
  CHECK(rejection("no", std::string(3000, 'd')).wire() ==
        "550-SPF fail: " + std::string(255, 'd') + " says:\r\n550 no (#5.7.1)\r\n");
}

TEST_CASE("a rejection finds room whatever the text, since each recipient gets one") {
  for (const std::string part : {"\n", "x", "word ", "x\n", " "}) {
    INFO(part);
    std::string text;
    while (text.size() < 60000) text += part;
    for (const std::string domain : {"", "d.example"}) {
      const std::string wire = rejection(text + "x", domain).wire();
      CHECK(wire.size() <= spf::max_reply_size);
      CHECK(wire.ends_with(" (#5.7.1)\r\n"));
    }
  }
}

TEST_CASE("replies of a child are taken apart and made canonical") {
  const struct { const char* bytes; unsigned code; const char* wire; } cases[] = {
      {"250 ok\r\n", 250, "250 ok\r\n"},
      {"250 ok\n", 250, "250 ok\r\n"},                       // LF alone
      {"250\r\n", 250, "250 \r\n"},                          // no text
      {"250-\r\n250 \r\n", 250, "250-\r\n250 \r\n"},
      {"250-a\n250-b\r\n250 c\n", 250, "250-a\r\n250-b\r\n250 c\r\n"},
      {"550 a\x1b[2J\rb\x7f\r\n", 550, "550 a_[2J_b_\r\n"},  // no control characters
      {"250 \xc3\xa9\r\n", 250, "250 \xc3\xa9\r\n"},         // 8-bit stays
  };
  for (const auto& c : cases) {
    INFO(c.bytes);
    for (const bool split : {false, true}) {
      spf::ReplyParser parser;
      const std::string_view bytes = c.bytes;
      std::size_t fed = 0, taken = 0;
      auto status = spf::ReplyParser::Status::more;
      while (status == spf::ReplyParser::Status::more && fed < bytes.size()) {
        status = parser.push(split ? bytes.substr(fed, 1) : bytes, taken);
        fed += taken;
      }
      REQUIRE(status == spf::ReplyParser::Status::complete);
      CHECK(fed == bytes.size());
      const Reply reply = parser.take();
      CHECK(reply.code == c.code);
      CHECK(reply.wire() == c.wire);
    }
  }
}

TEST_CASE("what follows a reply is left where it is") {
  spf::ReplyParser parser;
  std::size_t taken = 0;
  CHECK(parser.push("250 a\r\n251 b\r\n", taken) == spf::ReplyParser::Status::complete);
  CHECK(taken == 7);
}

TEST_CASE("what is no reply is malformed") {
  for (const std::string bytes : {"ok\r\n", "\r\n", "25\r\n", "2500 ok\r\n", "250_ok\r\n",
                                  "150 ok\r\n", "650 ok\r\n", "2x0 ok\r\n", " 250 ok\r\n",
                                  "250-a\r\n251 b\r\n", "250-a\r\nb\r\n"}) {
    INFO(bytes);
    spf::ReplyParser parser;
    std::size_t taken = 0;
    CHECK(parser.push(bytes, taken) == spf::ReplyParser::Status::malformed);
  }
}

TEST_CASE("an endless reply is malformed within its bounds") {
  const std::string endless[] = {std::string(100000, '2'), "250 " + std::string(100000, 'x')};
  for (const std::string& bytes : endless) {
    spf::ReplyParser parser;
    std::size_t taken = 0;
    CHECK(parser.push(bytes, taken) == spf::ReplyParser::Status::malformed);
    CHECK(taken <= spf::max_reply_line + 1);
  }
  std::string lines;
  for (int i = 0; i < 10000; ++i) lines += "250-x\r\n";
  spf::ReplyParser parser;
  std::size_t taken = 0;
  CHECK(parser.push(lines, taken) == spf::ReplyParser::Status::malformed);
  CHECK(taken <= 2 * spf::max_reply_size);
}

TEST_CASE("EHLO keeps its greeting and its known keywords, and its last line is a last line") {
  const auto filtered = [](std::vector<std::string> lines, StarttlsKeyword starttls,
                           AuthKeyword auth = AuthKeyword::keep) {
    Reply reply{250, std::move(lines)};
    spf::filter_ehlo(reply, starttls, auth);
    return reply.wire();
  };
  CHECK(filtered({"CHUNKING"}, StarttlsKeyword::drop) == "250 CHUNKING\r\n");  // a host's name
  CHECK(filtered({"mx", "pipelining", "CHUNKING"}, StarttlsKeyword::drop) == "250-mx\r\n250 pipelining\r\n");
  CHECK(filtered({"mx", "STARTTLS", "PRDR", "ETRN", "BURL imap", "XCLIENT"}, StarttlsKeyword::drop) ==
        "250 mx\r\n");
  CHECK(filtered({"mx", "STARTTLS"}, StarttlsKeyword::keep) == "250-mx\r\n250 STARTTLS\r\n");
  CHECK(filtered({"mx", "STARTTLS", "HELP"}, StarttlsKeyword::offer) ==
        "250-mx\r\n250-HELP\r\n250 STARTTLS\r\n");
  CHECK(filtered({"mx"}, StarttlsKeyword::offer) == "250-mx\r\n250 STARTTLS\r\n");
  CHECK(filtered({"mx", "SIZE 10", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "SMTPUTF8",
                  "AUTH PLAIN", "AUTH=PLAIN", "HELP", "SIZEX", ""}, StarttlsKeyword::drop) ==
        "250-mx\r\n250-SIZE 10\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250-DSN\r\n"
        "250-SMTPUTF8\r\n250-AUTH PLAIN\r\n250-AUTH=PLAIN\r\n250 HELP\r\n");
  CHECK(filtered({"mx", "AUTH PLAIN LOGIN", "auth=LOGIN", "Auth", "HELP", "AUTHX"}, StarttlsKeyword::offer,
                 AuthKeyword::drop) == "250-mx\r\n250-HELP\r\n250 STARTTLS\r\n");
  CHECK(filtered({"AUTH", "AUTH PLAIN"}, StarttlsKeyword::drop, AuthKeyword::drop) == "250 AUTH\r\n");  // a host's name
}
