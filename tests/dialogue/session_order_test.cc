// What must not pass the session in another order than it was meant.
#include <algorithm>

#include "spf/dialogue/session.hh"

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

// A session whose child has greeted and reads nothing.
struct Unread {
  spf::Config config = transcript::config();
  spf::Session session{config, 42, transcript::is_own};

  Unread() {
    session.resume();
    child("220 child\r\n");
  }
  void client(std::string_view octets) {
    session.from_client().append(octets);
    session.resume();
  }
  void child(std::string_view octets) {
    session.from_child().append(octets);
    session.resume();
  }
  // What the client has got of all replies, without the greeting.
  std::string replies() {
    std::string text(session.to_client().data());
    return text.substr(text.find('\n') + 1);
  }
};

}  // namespace

TEST_CASE("a child that answers what it has not read is not believed, and gets no more") {
  const struct { const char* answer; const char* reply; } cases[] = {
      {"250 yes\r\n", "421 SMTP server trouble, closing (#4.3.0)\r\n"},
      {"354 go ahead\r\n", "421 SMTP server trouble, closing (#4.3.0)\r\n"},
      {"550 no\r\n", "550 no\r\n"},
      {"421 busy\r\n", "421 busy\r\n"},
  };
  for (const auto& c : cases) {
    INFO(c.answer);
    Unread dialogue;
    dialogue.client("VRFY someone\r\n");
    CHECK(dialogue.session.to_child().data() == "VRFY someone\r\n");
    dialogue.child(c.answer);
    CHECK(dialogue.session.finished());
    CHECK(dialogue.session.to_child().empty());
    CHECK(dialogue.replies() == c.reply);
  }
}

TEST_CASE("what a child has not read of a message never becomes commands") {
  const struct { const char* answer; const char* reply; } cases[] = {
      {"250 queued\r\n", "451 SMTP server gave up, message not accepted (#4.3.0)\r\n"},
      {"552 too much\r\n", "552 too much\r\n"},
  };
  for (const auto& c : cases)
    for (const std::string end : {"", ".\r\n"}) {
      INFO(c.answer << end);
      Unread dialogue;
      dialogue.client("MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n");
      spf::Verdict pass;
      pass.result = spf::Result::pass;
      dialogue.session.check_done(pass);
      dialogue.session.resume();
      for (const char* reply : {"220 child\r\n", "250 ok\r\n", "250 ok\r\n", "354 go ahead\r\n"}) {
        dialogue.session.to_child().clear();
        dialogue.child(reply);
      }
      dialogue.session.to_child().clear();
      dialogue.session.to_client().clear();
      dialogue.client("MAIL FROM:<x@example.com>\r\nRCPT TO:<b@example.net>\r\n" + end);
      CHECK_FALSE(dialogue.session.finished());
      dialogue.child(c.answer);
      CHECK(dialogue.session.finished());
      CHECK(dialogue.session.to_child().empty());
      CHECK(dialogue.session.to_client().data() == c.reply);
    }
}

TEST_CASE("the old child is back before another is started") {
  CHECK(transcript::play(R"(
    ! start
    - 220 child
    < 220 child
    >> MAIL FROM:<a@example.org>\r\nAUTH PLAIN AGEAYg==\r\n
    ? a@example.org, = pass example.org mx
    ! start pass
    -|
    ! restore
    + AUTH PLAIN AGEAYg==
    - 535 no
    < 451 unable to start SMTP server again (#4.3.0)
    < 535 no
    > MAIL FROM:<a@example.org>
    ? a@example.org, = pass example.org mx
    ! start pass
    - 220 child
    ! dismiss
    ! log 250
    + MAIL FROM:<a@example.org>
    - 250 ok
    < 250 ok
    > RSET
    + RSET
    - 250 ok
    < 250 ok
    >> MAIL FROM:<b@example.com>\r\nAUTH PLAIN AGEAYg==\r\n
    ? b@example.com, = pass example.com mx
    ! start pass
    -|
    # both at once, in this order
    ! restore
    ! start
    - 220 child
    ! dismiss
    + AUTH PLAIN AGEAYg==
    - 535 no
    < 451 unable to start SMTP server again (#4.3.0)
    < 535 no
  )", transcript::config(), std::string::npos) == "");
}

TEST_CASE("a client that reads nothing for long has a reply to each command in the end") {
  Unread dialogue;
  std::size_t commands = 0;
  for (const std::string_view command = "X\r\n"; dialogue.session.from_client().room() >= command.size(); ++commands)
    dialogue.session.from_client().append(command);
  REQUIRE(commands > 20000);
  dialogue.session.resume();
  std::size_t replies = 0;
  for (bool first = true; !dialogue.session.to_client().empty(); first = false) {
    const std::string_view said = dialogue.session.to_client().data();
    replies += std::count(said.begin(), said.end(), '\n') - first;  // the greeting
    dialogue.session.to_client().clear();
    dialogue.session.resume();
  }
  CHECK(replies == commands);
}
