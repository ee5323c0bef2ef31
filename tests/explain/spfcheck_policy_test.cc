// spfcheck IP HELO SENDER [RECIPIENT]: which level holds, what lets through what it
// refuses, and the HELO name.
#include <set>

#include "tests/catch.hh"
#include "tests/support/spfcheck.hh"
#include "tests/support/temp_dir.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// Control files, and what they speak of in DNS.
struct Host {
  Spfcheck spfcheck;
  TempDir control;

  Host() {
    auto& dns = spfcheck.dns;
    dns.txt("fail.example", "v=spf1 -all");
    dns.txt("soft.example", "v=spf1 ~all");
    dns.txt("_dmarc.soft.example", "v=DMARC1; p=reject");
    dns.fault("down.example", DnsServer::Fault::servfail);
    dns.txt("forwarder.example", "v=spf1 ip4:192.0.2.0/24 -all");
    dns.txt("other.example", "v=spf1 -all");
    control.write("spffrom", "# ours\n@soft.example:4\n@free.example:0\n");
    control.write("spfto", "postmaster@:1\n\nstrict@example.org:6\nfree@example.org:0\n");
  }

  Finished run(Arguments who, Environment more = {}) const {
    who.insert(who.begin(), {"192.0.2.1", "fail.example"});
    more.insert({"CONTROLDIR", control.path()});
    return spfcheck.run(who, more);
  }
};

std::string part(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  if (begin == text.npos) return "";
  const std::size_t end = text.find(to, begin + from.size());
  return text.substr(begin, end - begin);
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::string found = part(text, from, to);
  return found.empty() ? found : found.substr(from.size());
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at; (at = text.find(what)) != text.npos;) text.replace(at, what.size(), by);
  return text;
}

// Without the ends of lines that were broken.
std::string unbroken(const std::string& text) { return replaced(text, "\n" + std::string(19, ' '), " "); }

}  // namespace

TEST_CASE("the level has its source, a variable, a file or a line of a list") {
  Host host;
  const struct { Arguments who; Environment environment; const char* level; } cases[] = {
      {{"a@fail.example"}, {{"SPFBEHAVIOR", "3"}}, "3 (SPFBEHAVIOR)"},
      {{"a@fail.example"}, {{"SPFBEHAVIOR", ""}}, "0, off (SPFBEHAVIOR)"},
      {{"a@fail.example"}, {}, "2 (DIR/spfbehavior)"},
      {{"a@fail.example"}, {{"CONTROLDIR", "/nonexistent"}}, "0, off (default)"},
      {{"a@soft.example"}, {}, "4 (DIR/spffrom line 2: \"@soft.example:4\")"},
      {{"a@free.example"}, {}, "0, off (DIR/spffrom line 3: \"@free.example:0\")"},
      {{"a@soft.example", "<Postmaster@example.org>"}, {}, "1 (DIR/spfto line 1: \"postmaster@:1\")"},
      {{"a@soft.example", "free@example.org"}, {}, "0, off (DIR/spfto line 4: \"free@example.org:0\")"},
      {{"a@soft.example", "b@example.org"}, {}, "4 (DIR/spffrom line 2: \"@soft.example:4\")"},
      {{"a@fail.example", "b@example.org"}, {}, "2 (DIR/spfbehavior)"},
      // spfwrap steps aside, and reads no list.
      {{"a@soft.example", "postmaster@example.org"}, {{"SPFBEHAVIOR", "0"}}, "0, off (SPFBEHAVIOR)"},
  };
  host.control.write("spfbehavior", "2\n");
  for (const auto& c : cases) {
    const Finished run = host.run(c.who, c.environment);
    INFO(c.level << " in\n" << run.out << run.err);
    CHECK(contains(unbroken(replaced(run.out, host.control.path(), "DIR")),
                   "  level          " + std::string(c.level) + "\n"));
  }
}

TEST_CASE("a recipient has the replies that are for him, others those of each level") {
  Host host;
  const std::string by_prog = "MAIL and RCPT go to prog, which answers\n", ok = "MAIL  250 ok\n                 ",
                    refusal = "RCPT  550 SPF fail: fail.example does not designate 192.0.2.1\n"
                              "                   as permitted sender (#5.7.1)\n",
                    later = "451 SPF lookup failure (#4.3.0)\n";
  const struct { Arguments who; const char* level; std::string replies; } cases[] = {
      {{"a@fail.example", "b@example.org"}, "3", "  level 3        " + ok + refusal},
      {{"a@fail.example", "postmaster@example.org"}, "3",
       "  level 1        " + ok + "RCPT  goes to prog after the MAIL, and prog answers\n"},
      {{"a@free.example", "free@example.org"}, "1",
       "  level 0        " + ok + "RCPT  goes to prog after the MAIL, and prog answers\n"},
      {{"a@down.example", "b@example.org"}, "3", "  level 3        " + ok + "RCPT  " + later},
      {{"a@fail.example", "b@example.org"}, "0", "  level 0        spfwrap steps aside\n"},
      {{"a@forwarder.example", "b@example.org"}, "3", "  level 3        " + by_prog},
      {{"a@fail.example"}, "3",
       "  level 0        spfwrap steps aside\n"
       "  levels 1-2     " + by_prog + "  levels 3-6     " + ok + refusal +
       "  by spfto       level 0: RCPT goes to prog\n"
       "                 level 1: RCPT goes to prog\n"
       "                 level 6: 550 to RCPT\n"},
      {{"a@down.example"}, "3",
       "  level 0        spfwrap steps aside\n"
       "  level 1        " + by_prog + "  levels 2-6     MAIL  " + later +
       "  by spfto       level 0: RCPT goes to prog\n"
       "                 level 1: RCPT goes to prog\n"
       "                 level 6: 451 to RCPT\n"},
  };
  for (const auto& c : cases) {
    const Finished run = host.run(c.who, {{"SPFBEHAVIOR", c.level}});
    INFO(run.out << run.err);
    CHECK(part(run.out, "\nReplies\n", "no such text") == "\nReplies\n" + c.replies);
    CHECK(longest_line(run.out) <= 78);
    if (c.who.size() > 1) CHECK(contains(run.out, "  recipient      " + c.who[1] + "\n"));
  }
  // Where no line of spfto makes a difference, the MAIL of a temperror is not taken.
  host.control.write("spfto", "");
  CHECK(host.run({"a@down.example", "b@example.org"}, {{"SPFBEHAVIOR", "3"}})
            .out.ends_with("\n  level 3        MAIL  " + later));
}

TEST_CASE("forwarders and DMARC are asked where a refusal is due, and shown") {
  Host host;
  host.control.write("spfforwarders", "other.example\nforwarder.example\n");
  const Finished let_through = host.run({"a@fail.example", "b@example.org"}, {{"SPFBEHAVIOR", "3"}});
  INFO(let_through.out);
  CHECK(let_through.code == 3);
  CHECK(let_through.out.starts_with("fail\n"));
  CHECK(contains(let_through.out, "\n  policy         forwarder:forwarder.example\n"));
  CHECK(contains(let_through.out, "\n  SPFPOLICY      forwarder:forwarder.example\n"));
  CHECK(part(masked(let_through.out), "\nEvaluation\n", "\nHeader") == R"(
Evaluation
                 fail.example TXT: 1 record (n ms)
                 v=spf1 -all
  match          -all
  fail           forwarder other.example
                   other.example TXT: 1 record (n ms)
                   v=spf1 -all
  match            -all
  pass           forwarder forwarder.example
                   forwarder.example TXT: 1 record (n ms)
                   v=spf1 ip4:192.0.2.0/24 -all
  match            ip4:192.0.2.0/24
  not reached      -all
)");
  host.control.write("spfforwarders", "192.0.2.0/25\nother.example\n");
  CHECK(contains(host.run({"a@fail.example"}, {{"SPFBEHAVIOR", "3"}}).out, "\n  policy         forwarder:192.0.2.0/25\n"));

  host.control.write("spfforwarders", "other.example\n");
  const Finished dmarc = host.run({"a@soft.example", "b@example.org"}, {{"SPFBEHAVIOR", "1"}, {"SPFDMARC", "1"}});
  INFO(dmarc.out);
  CHECK(dmarc.code == 4);
  CHECK(contains(dmarc.out, "\n  policy         dmarc:soft.example:reject\n"));
  CHECK(contains(masked(dmarc.out), "                 DMARC policy of soft.example: reject at soft.example\n"
                                       "                   _dmarc.soft.example TXT: \"v=DMARC1; p=reject\" (n ms)\n"));

  // Nothing is asked where nothing is refused; who sees all levels is told so.
  for (const Arguments& who : {Arguments{"a@fail.example"}, Arguments{"a@fail.example", "postmaster@example.org"}}) {
    const Finished run = host.run(who, {{"SPFBEHAVIOR", who.size() == 1 ? "2" : "3"}});
    INFO(run.out);
    CHECK_FALSE(contains(run.out, "\n  policy "));
    CHECK_FALSE(contains(run.out, "forwarder other.example"));
    CHECK(contains(run.out, "                 before a 550, spfforwarders and SPFDMARC would be asked\n") ==
          (who.size() == 1));
  }

  const Finished refused = host.run({"a@fail.example"}, {{"SPFBEHAVIOR", "3"}});
  CHECK(contains(refused.out, "\n  policy         none: nothing lets it through\n"));
  CHECK(contains(refused.out, "RCPT  550 "));
  CHECK_FALSE(contains(refused.out, "would be asked"));

  host.control.write("spfforwarders", "down.example\n");
  const Finished unknown = host.run({"a@fail.example", "b@example.org"}, {{"SPFBEHAVIOR", "3"}});
  INFO(unknown.out);
  CHECK(unknown.code == 3);
  CHECK(contains(unknown.out, "\n  policy         unknown, so 451: no answer for forwarder:down.example\n"));
  CHECK(contains(unknown.out, "MAIL  250 ok\n                 RCPT  451 SPF lookup failure (#4.3.0)\n"));
}

TEST_CASE("with SPFHELO the HELO name has its evaluation, its field and its result") {
  Host host;
  const Finished off = host.run({"a@forwarder.example"}, {{"SPFBEHAVIOR", "3"}});
  CHECK_FALSE(contains(off.out, "HELO result"));
  CHECK_FALSE(contains(off.out, "SPFHELORESULT"));
  for (const char* helo : {"1", "2"}) {
    const Finished run = host.run({"a@forwarder.example", "b@example.org"}, {{"SPFBEHAVIOR", "3"}, {"SPFHELO", helo}});
    INFO(run.out);
    CHECK(run.code == 2);
    CHECK(run.out.starts_with("pass\n"));
    CHECK(contains(run.out, "\n  HELO result    fail: -all\n"));
    CHECK(part(masked(run.out), "\nEvaluation of the HELO name\n", "\nHeader") ==
          "\nEvaluation of the HELO name\n"
          "                 fail.example TXT: 1 record (n ms)\n"
          "                 v=spf1 -all\n"
          "  match          -all\n");
    CHECK(contains(run.out, "\nReceived-SPF: fail ("));
    CHECK(contains(run.out, " identity=helo;"));
    CHECK(contains(run.out, "\n  SPFHELORESULT  fail\n"));
    CHECK(contains(run.out, "RCPT  550 SPF fail: fail.example does not designate") == (*helo == '2'));
    // Where there is no other name, it is checked once.
    const Finished null = host.run({"<>"}, {{"SPFBEHAVIOR", "3"}, {"SPFHELO", helo}});
    CHECK(contains(null.out, "\n  SPFHELORESULT  fail\n"));
    CHECK_FALSE(contains(null.out, "Evaluation of the HELO name"));
  }
}

TEST_CASE("SPFSHADOW has its code") {
  Host host;
  CHECK_FALSE(contains(host.run({"a@fail.example"}, {{"SPFBEHAVIOR", "1"}}).out, "  shadow "));
  CHECK(contains(host.run({"a@fail.example"}, {{"SPFBEHAVIOR", "1"}, {"SPFSHADOW", "3"}}).out,
                 "\n  shadow         550 at level 3\n"));
  CHECK(contains(host.run({"a@fail.example"}, {{"SPFBEHAVIOR", "1"}, {"SPFSHADOW", "2"}}).out,
                 "\n  shadow         250 at level 2\n"));
}

TEST_CASE("a recipient that RCPT can't have is wrong usage") {
  Host host;
  const Finished run = host.run({"a@fail.example", "b c@example.org"});
  CHECK(run.code == 100);
  CHECK(run.err.starts_with("spfcheck: fatal: no recipient that RCPT can have: b c@example.org\n"));
}

TEST_CASE("replies and reason are the ones that spfwrap gives") {
  Host host;
  host.control.write("spfforwarders", "other.example\nforwarder.example\n");
  TempDir strict;
  strict.write("spfforwarders", "down.example\n");
  strict.write("spffrom", "@soft.example:4\n");
  const std::string dns = std::to_string(host.spfcheck.dns.port());
  std::set<std::string> reasons;
  struct Envelope { std::string sender, recipient; };
  std::vector<Envelope> envelopes;
  for (const char* domain : {"fail", "soft", "down", "free"})
    for (const char* local : {"b", "postmaster", "strict", "free"})
      envelopes.push_back({std::string("a@") + domain + ".example", std::string(local) + "@example.org"});
  for (const TempDir* control : {&host.control, &strict})
    for (const char* level : {"3", "6"})
      for (const char* more : {"SPFDMARC", "SPFHELO"}) {
        const Environment environment = {{"CONTROLDIR", control->path()},
                                         {"TCPLOCALHOST", "mx.local"},
                                         {"SPFBEHAVIOR", level},
                                         {more, more == std::string("SPFHELO") ? "2" : "1"},
                                         {"NAMESERVERS", host.spfcheck.dns.address()},
                                         {"RES_OPTIONS", "port:" + dns}};
        // All in one session, with a line in the log for each.
        Wrapped spfwrap(Setup{.environment = environment});
        spfwrap.hello("fail.example");
        std::vector<std::string> replies;
        for (const auto& [sender, recipient] : envelopes) {
          std::string said = spfwrap.ask("MAIL FROM:<" + sender + ">");
          if (said.starts_with("250 ")) said += "\n" + spfwrap.ask("RCPT TO:<" + recipient + ">");
          replies.push_back(said);
          spfwrap.ask("RSET");
        }
        spfwrap.finish();
        const auto log = spfwrap.log();
        REQUIRE(log.size() == envelopes.size());
        for (std::size_t i = 0; i < envelopes.size(); ++i) {
          const auto& [sender, recipient] = envelopes[i];
          INFO(control->path() << " " << level << " " << more << " " << sender << " " << recipient);
          const Finished told = host.run({sender, recipient}, environment);
          INFO(told.out << told.err << log[i]);
          CHECK(between(log[i], " mailfrom=", " ") == sender);
          const std::string reason = between(log[i], " policy=", " shadow=");
          const std::string policy = between(told.out, "\n  policy         ", "\n");
          CHECK((policy.starts_with("none:") || policy.starts_with("unknown,") ? "" : policy) == reason);
          reasons.insert(reason);
          const std::string foretold = unbroken(part(told.out, "\nReplies\n", "no such text"));
          const bool taken = replies[i].ends_with("\n250 ok");
          CHECK(contains(foretold, taken ? "prog" : replies[i].substr(replies[i].rfind('\n') + 1)));
          if (!taken) CHECK_FALSE(contains(foretold, "prog"));
        }
      }
  CHECK(reasons == std::set<std::string>{"", "dmarc:soft.example:reject", "forwarder:forwarder.example"});
}
