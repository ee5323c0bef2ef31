#include "spf/dialogue/command.hh"

#include "tests/catch.hh"

using spf::Verb;

namespace {

bool is_own(const spf::Address& address) {
  return address.text() == "192.0.2.25" || address.text() == "2001:db8::25";
}

std::optional<spf::Path> mail(const std::string& argument) {
  return spf::parse_path(Verb::mail, argument, is_own);
}

std::optional<spf::Path> rcpt(const std::string& argument) {
  return spf::parse_path(Verb::rcpt, argument, is_own);
}

}  // namespace

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
  };
  for (const auto& c : cases) {
    INFO(c.argument);
    const auto path = mail(c.argument);
    REQUIRE(path);
    CHECK(path->mailbox == c.mailbox);
    CHECK(path->command(Verb::mail) == c.forwarded);
  }
  CHECK(rcpt("to:b@c NOTIFY=NEVER")->command(Verb::rcpt) == "RCPT TO:<b@c> NOTIFY=NEVER");
}

TEST_CASE("fair senders and recipients go on as they are") {
  for (const std::string mailbox : {
           "prvs=1234567890=a@b", "btv1==0123456789a==a@b",     // BATV
           "SRS0=Xy+z=TT=c.example=a@b", "SRS1=H=d==Xy=TT=c=a@b",
           "list-return-1-a=c.example@b", "list+a=c@b",         // VERP
           "!#$%&'*+-/=?^_`{|}~@b",                             // all that is atext
           "a%c@b", "c!a@b",                                    // these have a domain
           ".@b", "..@b", ".a@b", "a.@b", "a..c@b",             // as Japanese telephones had them
           "a@b_c.example", "a@_b", "a@-b-", "a@1.2.3.4",
           "a@b.example.",                                      // a trailing dot
           "\xc3\xa9@b", "a\xf0\x9f\x93\xae@b", "\xf4\x8f\xbf\xbf@b",  // UTF-8
           "a\xe9@b", "\xe9t\xe9@b", "\"\xe4 \xff\"@b", "\x80@b", "a\xc3",  // other 8-bit octets
           "a@b\xc3\xbc" "cher.example", "a@\xe4\xbe\x8b",
           "a@[192.0.2.1]", "a@[255.255.255.255]", "a@[0.0.0.1]", "a@[IPv6:2001:db8::1]",
           "a@[ipv6:::ffff:192.0.2.1]", "a@[IPv6:1:2:3:4:5:6:7:8]",
           "\"a b\"@c", "\" \"@c", "\"a\\\"b\"@c", "\"a\\\\\"@c", "\"a\\ b\"@c", "\"a@b\"@c",
           "\"a,(b);:[c].\"@d", "\"a%b!c\"@d", "\"\xc3\xa9\"@b", "\"a\"@[192.0.2.1]",
           "postmaster", "a.b", "a|b", "\xc3\xa9",              // without a domain
       }) {
    INFO(mailbox);
    REQUIRE(mail("FROM:<" + mailbox + "> SIZE=1"));
    CHECK(mail("FROM:<" + mailbox + "> SIZE=1")->command(Verb::mail) == "MAIL FROM:<" + mailbox + "> SIZE=1");
    CHECK(rcpt("TO:<" + mailbox + ">")->command(Verb::rcpt) == "RCPT TO:<" + mailbox + ">");
  }
  CHECK(mail("FROM:<" + std::string(1900, 'a') + "@b>"));
  CHECK(mail("FROM:<a@" + std::string(255, 'b') + ">"));
  CHECK_FALSE(mail("FROM:<a@" + std::string(256, 'b') + ">"));
}

TEST_CASE("what servers read differently is no path") {
  using std::string;
  for (const string argument : {
           "", "FROM", "FROM:", "FROM: ", "FROM <a@b>", "a@b", "<a@b>", "TO:<a@b>",
           "FROM:\"<x@good>\"@b",         // qmail: x@good
           "FROM:<\"<x@good>\"@b>",       // the same in brackets
           "FROM:<\"a>b\"@c>", "FROM:<\"a\\>b\"@c>",
           "FROM:<@x.test>",              // qmail: the null sender
           "FROM:<a@\"b@good\">", "FROM:<\"a@good\">",  // qmail: in good
           "FROM:<@x.test:>", "FROM:<@x.test:@y.test>", "FROM:<@x.test,a@b>", "FROM:<@x(:y@z.test,@x:a@b>",
           "FROM:<@x.test:@y.test:a@b>", "FROM:<@x.test:,a@b>", "FROM:<@:a@b>",
           "FROM:<a@b", "FROM:a@b>", "FROM:<a@b>SIZE=1", "FROM:<<a@b>>", "FROM:<a@<b>",
           "FROM:<a b@c>", "FROM:<a@b c>", "FROM:<a\\@b@c>", "FROM:a\\b@c", "FROM:<\"a@b>", "FROM:<\"a\\",
           "FROM:<a@b>\tSIZE=1", "FROM:<a@b> SI\tZE=1", "FROM:<a\x1b[2J@b>", "FROM:<\"a\x7f\"@b>",
           "FROM:a@b\x01", "FROM:\t<a@b>",
           "FROM:\"a\"@b",                // ends at a blank, in quotes too or not
       }) {
    INFO(argument);
    CHECK_FALSE(mail(argument));
  }
  for (const string mailbox : {
           "x@victim.example(@pass.example",  // postfix: a comment
           "x@victim.example(a)", "x@(c)victim.example", "x@victim(c).example", "(c)x@victim.example",
           "x(c)@victim.example", "x@victim.example(", "x@victim.example)",
           "x@victim.example,", "x@victim.example;", "g:x@victim.example;", "x@victim.example:",
           "x%victim.example", "victim.example!x",  // postfix: x@victim.example
           "x@victim.example@pass.example", "x@", "@", "@x",
           "x@.", "x@.b", "x@b..c", "x@b..", "x@b/c", "x@b=c", "x@b%c", "x@b+c", "x@b'c",
           "x@\"b\"", "x@b\\c", "x@b[192.0.2.1]", "x@[192.0.2.1]b", "x@[192.0.2.1].", "x@[192.0.2.1",
           "x@192.0.2.1]", "x@[]", "x@[[192.0.2.1]]", "x@[192.0.2.1 ]", "x@[192.0.2]", "x@[192.0.2.1.1]",
           "x@[0000192.0.2.1]", "x@[192.0.2.01]", "x@[192.0.2.256]", "x@[192.0.2.+1]", "x@[0xc0.0.2.1]",
           "x@[b]", "x@[3221225985]", "x@[2001:db8::1]", "x@[IPv6:192.0.2.1]", "x@[IPv6:2001:db8::1::]",
           "x@[IPv6:]", "x@[IPv6:fe80::1%eth0]", "x@[IPv6: 2001:db8::1]", "x@[IPv4:192.0.2.1]", "x@[tag:x]",
           "\"\"@b", "\"@a:b\"@c", "\"\\@a:b\"@c",  // mailfront: a source route
           "\"a\"b@c", "a\"b\"@c", "\"a\".\"b\"@c", "\"a\"\"b\"@c", "\"a", "\"a\\\"@b", "\"a\"",
           "a@b\xfc" "cher.example", "a@b\xe4\xbe", "a@\xed\xa0\x80", "a@\xf4\x90\x80\x80",  // no UTF-8
           "x\xc1\x80victim.example", "x\xe0\x81\x80victim.example",  // a lax decoder: x@victim.example
           "x\xc1\x80victim.example@b", "\"x\xc1\x80victim.example\"@b", "\xf0\x80\x81\x80@b",
           "\xf8\x80\x80\x81\x80@b", "\xfc\x80\x80\x80\x81\x80@b",
       }) {
    INFO(mailbox);
    CHECK_FALSE(mail("FROM:<" + mailbox + ">"));
    CHECK_FALSE(mail("FROM:" + mailbox));
    CHECK_FALSE(rcpt("TO:<" + mailbox + ">"));
    CHECK_FALSE(rcpt("TO:<" + mailbox + "> NOTIFY=NEVER"));
  }
}

TEST_CASE("this machine sends no mail to itself as a literal") {
  for (const std::string literal : {
           "[127.0.0.1]", "[127.255.0.9]", "[0.0.0.0]", "[192.0.2.25]", "[IPv6:::1]", "[IPv6:::]",
           "[IPv6:::ffff:127.0.0.1]", "[IPv6:::ffff:7f00:1]", "[IPv6:::ffff:0.0.0.0]",
           "[IPv6:0:0:0:0:0:0:0:1]", "[IPv6:2001:db8::25]", "[IPv6:2001:DB8:0::25]",
           "[IPv6:::ffff:192.0.2.25]",
       }) {
    INFO(literal);
    CHECK_FALSE(mail("FROM:<x@" + literal + ">"));
    CHECK_FALSE(mail("FROM:x@" + literal));
    CHECK_FALSE(mail("FROM:<\"x\"@" + literal + ">"));
    CHECK_FALSE(mail("FROM:<@y:x@" + literal + ">"));
    CHECK(rcpt("TO:<x@" + literal + ">"));  // but others may, to it
  }
  CHECK(mail("FROM:<@[127.0.0.1]:x@y>"));  // which is dropped
  CHECK(mail("FROM:<127.0.0.1@y>"));
  CHECK(mail("FROM:<x@127.0.0.1>"));

  // What it costs is spent on literals in MAIL alone.
  static unsigned asked;
  const auto counting = [](const spf::Address&) { return ++asked != 0; };
  asked = 0;
  CHECK(spf::parse_path(Verb::mail, "FROM:<x@y>", *+counting));
  CHECK(spf::parse_path(Verb::mail, "FROM:<>", *+counting));
  CHECK(spf::parse_path(Verb::rcpt, "TO:<x@[192.0.2.1]>", *+counting));
  CHECK(asked == 0);
  CHECK_FALSE(spf::parse_path(Verb::mail, "FROM:<x@[192.0.2.1]>", *+counting));
  CHECK(asked == 1);
}

TEST_CASE("only AUTH may have a long line") {
  CHECK(spf::line_limit("auth PLAIN") == 12288);
  CHECK(spf::line_limit("AUTH") == 2048);
  CHECK(spf::line_limit("AUTHX ") == 2048);
  CHECK(spf::line_limit("MAIL FROM:<AUTH >") == 2048);
}
