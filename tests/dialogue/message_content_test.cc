#include "spf/dialogue/message_content.hh"

#include "tests/catch.hh"
#include "tests/support/own_buffer.hh"

using spf::ContentRelay;

namespace {

struct Passed {
  std::string content;
  ContentRelay::Status status;
  std::size_t taken;
};

// Feeds `content` in pieces through a buffer that is emptied when it is full.
Passed pass(std::string_view content, std::string_view header, std::size_t piece,
            std::size_t room = 65536) {
  ContentRelay relay(header);
  test::OwnBuffer out(room);
  Passed result{{}, ContentRelay::Status::more, 0};
  while (result.status == ContentRelay::Status::more && result.taken < content.size()) {
    const auto step = relay.push(content.substr(result.taken, piece), out);
    result.taken += step.taken;
    result.status = step.status;
    result.content += out.data();
    out.clear();
  }
  return result;
}

constexpr auto more = ContentRelay::Status::more;
constexpr auto end = ContentRelay::Status::end;
constexpr auto bare_lf = ContentRelay::Status::bare_lf;

}  // namespace

TEST_CASE("CRLF.CRLF ends a message, and .CRLF as its first line, and nothing else") {
  using std::string;
  const struct { string content; string passed; ContentRelay::Status status; } cases[] = {
      {".\r\n", "", end},
      {"\r\n.\r\n", "\r\n", end},
      {"a\r\n.\r\n", "a\r\n", end},
      {"a\r\r\n.\r\n", "a\r\r\n", end},                   // CR CRLF.CRLF
      {"..\r\n.\r\n", "..\r\n", end},                     // a dot, stuffed
      {"...\r\n.\r\n", "...\r\n", end},
      {".x\r\n.\r\n", "x\r\n", end},                      // un-stuffed: needs none
      {"a\r\n. \r\n.\r\n", "a\r\n \r\n", end},
      {"a\n.\n", "a", bare_lf},                           // LF.LF
      {"a\n.\r\n", "a", bare_lf},                         // LF.CRLF
      {"a\r\n.\n", "a\r\n", bare_lf},                     // CRLF.LF
      {"a\r.\r", "a\r.\r", more},                         // CR.CR
      {"a\r.\r\n.\r\n", "a\r.\r\n", end},                 // CR.CRLF
      {"a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", end},        // CRLF.CR
      {"a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", end},          // CRLF.CRCRLF: no dot goes on
      {"a\r\n\r.\n", "a\r\n\r.", bare_lf},                // CRLF CR.LF
      {"a\n\r.\r\n", "a", bare_lf},                       // LFCR.CRLF
      {"a\r\n.\r.\r\n.\r\n", "a\r\n\r.\r\n", end},      // CRLF.CR.CRLF
      {string("a\r\n.\0\r\n.\r\n", 10), string("a\r\n\0\r\n", 6), end},  // CRLF.NUL CRLF
      {"\n", "", bare_lf},
      {".\n", "", bare_lf},
      {"a\r\n\n", "a\r\n", bare_lf},
      {"a\r\rb\r\n.\r\n", "a\r\rb\r\n", end},             // a bare CR is data
      {"a\r\n.", "a\r\n", more},
      {"a\r\n.\r", "a\r\n", more},
  };
  for (const auto& c : cases)
    for (std::size_t piece = 1; piece <= c.content.size() + 1; ++piece) {  // cut everywhere, and nowhere
      CAPTURE(c.content, piece);
      const string after = c.status == more ? "" : "MAIL FROM:<x@y>\r\n";
      const Passed passed = pass(c.content + after, "", piece);
      CHECK(passed.status == c.status);
      CHECK(passed.content == c.passed);
      if (c.status == end) CHECK(passed.taken == c.content.size());
    }
}

TEST_CASE("the header stands before the first line and nothing can continue it") {
  const std::string header = "Received-SPF: x\r\n";
  const std::string note = "X-Received-SPF-Note: the message began with white space\r\n";
  const struct { std::string content; std::string passed; } cases[] = {
      {".\r\n", header},
      {"\r\n.\r\n", header + "\r\n"},
      {"Subject: x\r\n.\r\n", header + "Subject: x\r\n"},
      {" x\r\n.\r\n", header + note + " x\r\n"},
      {"\tx\r\n.\r\n", header + note + "\tx\r\n"},
      {". x\r\n.\r\n", header + note + " x\r\n"},
      {".\tx\r\n.\r\n", header + note + "\tx\r\n"},
      {" \r\n.\r\n", header + note + " \r\n"},
      {"..x\r\n.\r\n", header + "..x\r\n"},
      {".x\r\n.\r\n", header + "x\r\n"},
      {"..\r\n.\r\n", header + "..\r\n"},
      {"\rx\r\n.\r\n", header + note + "\rx\r\n"},          // a bare CR
      {"\r x\r\n.\r\n", header + note + "\r x\r\n"},
      {"\r\r\n.\r\n", header + note + "\r\r\n"},
      {"\r.\r\n.\r\n", header + note + "\r.\r\n"},
      {".\rx\r\n.\r\n", header + note + "\rx\r\n"},         // un-stuffed
      {".\r\r\n.\r\n", header + note + "\r\r\n"},
      {"..\r\r\n.\r\n", header + "..\r\r\n"},              // a dot is first
      {"x\r\n\rx\r\n.\r\n", header + "x\r\n\rx\r\n"},    // not in the first line
      {std::string(70000, 'x') + "\r\n.\r\n", header + std::string(70000, 'x') + "\r\n"},
  };
  for (const auto& c : cases)
    for (const std::size_t piece : {std::string::npos, std::size_t(1)}) {
      const Passed passed = pass(c.content, header, piece);
      CHECK(passed.status == end);
      CHECK(passed.content == c.passed);
    }
  for (const std::string content : {" x\r\n", "\r x\r\n", "\r\n"})
    CHECK(pass(content + ".\r\n", "", 1).content == content);
}

TEST_CASE("a CR held back at the beginning hides no bare LF") {
  CHECK(pass("\r", "H: 1\r\n", 1).content == "");
  CHECK(pass("\r\n\n", "H: 1\r\n", 1).status == bare_lf);
  CHECK(pass("\r\r\n\n", "H: 1\r\n", 1).status == bare_lf);
  CHECK(pass("\rx\n", "H: 1\r\n", 1).status == bare_lf);
}

TEST_CASE("a full buffer loses nothing") {
  std::string content, expected;
  for (int i = 0; i < 500; ++i) {
    content += i % 3 != 1 ? ".." + std::to_string(i) + "\r\n" : ".\r.\rx\r\n";
    expected += i % 3 != 1 ? ".." + std::to_string(i) + "\r\n" : "\r.\rx\r\n";
  }
  for (const std::size_t room : {100, 101, 103, 1000}) {
    const Passed passed = pass(content + ".\r\n", "H: 1\r\n", std::string::npos, room);
    CHECK(passed.status == end);
    CHECK(passed.content == "H: 1\r\n" + expected);
  }
}
