#include "spf/smtp.hh"

#include "tests/catch.hh"

using spf::Verb;

TEST_CASE("a verb stands at column 0, in any case, and ends at a blank") {
  const struct { const char* line; Verb verb; const char* argument; } cases[] = {
      {"HELO x", Verb::helo, "x"},
      {"eHlO  x  ", Verb::ehlo, "x"},           // blanks round the argument go
      {"MAIL FROM:<a@b>", Verb::mail, "FROM:<a@b>"},
      {"DATA", Verb::data, ""},
      {"QUIT \t", Verb::quit, ""},
      {"STARTTLS", Verb::starttls, ""},
      {"BDAT 1 LAST", Verb::bdat, "1 LAST"},
      {"DATAX", Verb::unknown, ""},             // spamdyke stays blind after it
      {"MAIL\tFROM:<a@b>", Verb::unknown, ""},  // a tab is no blank
      {" NOOP", Verb::unknown, "NOOP"},
      {"", Verb::unknown, ""},
      {"XFORWARD a", Verb::unknown, "a"},
  };
  for (const auto& c : cases) {
    INFO(c.line);
    const spf::Command command = spf::parse_command(c.line);
    CHECK(command.verb == c.verb);
    CHECK(command.argument == c.argument);
  }
}

TEST_CASE("a path is forwarded in one form") {
  const struct { const char* argument; const char* mailbox; const char* forwarded; } cases[] = {
      {"FROM:<a@b>", "a@b", "MAIL FROM:<a@b>"},
      {"from : <a@b>", "a@b", "MAIL FROM:<a@b>"},                    // blanks round the colon
      {"FROM:a@b", "a@b", "MAIL FROM:<a@b>"},                        // a bare token
      {"FROM:<>", "", "MAIL FROM:<>"},                               // the null sender
      {"FROM:<a@b>  SIZE=1   BODY=8BITMIME", "a@b", "MAIL FROM:<a@b> SIZE=1 BODY=8BITMIME"},
      {"FROM:g@good AUTH=<a@b>", "g@good", "MAIL FROM:<g@good> AUTH=<a@b>"},
      {"FROM:<@x.test,@y.test:a@b>", "a@b", "MAIL FROM:<a@b>"},      // source route
      {"FROM:@x.test:a@b", "a@b", "MAIL FROM:<a@b>"},
      {"FROM:<\"a@evil\"@good>", "\"a@evil\"@good", "MAIL FROM:<\"a@evil\"@good>"},
      {"FROM:<\"a b\\\"c\"@good>", "\"a b\\\"c\"@good", "MAIL FROM:<\"a b\\\"c\"@good>"},
      {"FROM:<prvs=0=a@b>", "prvs=0=a@b", "MAIL FROM:<prvs=0=a@b>"},  // BATV
      {"FROM:<SRS0=x=y=c=a@b>", "SRS0=x=y=c=a@b", "MAIL FROM:<SRS0=x=y=c=a@b>"},
      {"FROM:<list-a=b@c>", "list-a=b@c", "MAIL FROM:<list-a=b@c>"},  // VERP
      {"FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]", "MAIL FROM:<a@[192.0.2.1]>"},
      {"FROM:<a@b.>", "a@b.", "MAIL FROM:<a@b.>"},
      {"FROM:<\xc3\xa9@b>", "\xc3\xa9@b", "MAIL FROM:<\xc3\xa9@b>"},  // 8-bit
      {"FROM:<postmaster>", "postmaster", "MAIL FROM:<postmaster>"},
      {"FROM:<a@b@c>", "a@b@c", "MAIL FROM:<a@b@c>"},
  };
  for (const auto& c : cases) {
    INFO(c.argument);
    const auto path = spf::parse_path(Verb::mail, c.argument);
    REQUIRE(path);
    CHECK(path->mailbox == c.mailbox);
    CHECK(path->command(Verb::mail) == c.forwarded);
  }
  CHECK(spf::parse_path(Verb::rcpt, "to:b@c NOTIFY=NEVER")->command(Verb::rcpt) ==
        "RCPT TO:<b@c> NOTIFY=NEVER");
}

TEST_CASE("what servers read differently is no path") {
  for (const char* argument : {
           "", "FROM", "FROM:", "FROM: ", "FROM <a@b>", "a@b", "<a@b>", "TO:<a@b>",
           "FROM:\"<x@good>\"@b",         // qmail: x@good
           "FROM:<\"<x@good>\"@b>",       // the same in brackets
           "FROM:<\"a>b\"@c>", "FROM:<\"a\\>b\"@c>",
           "FROM:<@x.test>",              // qmail: the null sender
           "FROM:<a@\"b@good\">", "FROM:<\"a@good\">",  // qmail: in good
           "FROM:<@x.test:>", "FROM:<@x.test:@y.test>",
           "FROM:<a@b", "FROM:a@b>", "FROM:<a@b>SIZE=1", "FROM:<<a@b>>", "FROM:<a@<b>",
           "FROM:<a b@c>", "FROM:<a\\@b@c>", "FROM:a\\b@c", "FROM:<\"a@b>", "FROM:<\"a\\",
           "FROM:<a@b>\tSIZE=1", "FROM:<a@b> SI\tZE=1", "FROM:<a\x1b[2J@b>", "FROM:<\"a\x7f\"@b>",
           "FROM:a@b\x01", "FROM:\t<a@b>",
       }) {
    INFO(argument);
    CHECK_FALSE(spf::parse_path(Verb::mail, argument));
  }
}

TEST_CASE("only AUTH may have a long line") {
  CHECK(spf::line_limit("auth PLAIN") == 12288);
  CHECK(spf::line_limit("AUTH") == 2048);
  CHECK(spf::line_limit("AUTHX ") == 2048);
  CHECK(spf::line_limit("MAIL FROM:<AUTH >") == 2048);
}
