// Bounds that a server needs: nobody waits for DNS who need not, nobody makes
// us ask, start or hold more than so much, or stay for longer.
#include <signal.h>

#include <map>
#include <memory>

#include "tests/catch.hh"
#include "tests/support/dns_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

constexpr const char* mail = "MAIL FROM:<a@pass.example.org>";
constexpr const char* rcpt = "RCPT TO:<b@example.org>";

std::string in_proc(Wrapped& spfwrap, const std::string& file) {
  return read_file("/proc/" + std::to_string(spfwrap.process().pid()) + "/" + file);
}

// Memory of its own that spfwrap has changed, in kB, from smaps_rollup.
// (Private_Dirty would also count pages of a program that was linked a moment ago
// and isn't on disk yet.)
long changed_memory(const std::string& rollup) {
  const auto at = rollup.find("Anonymous:");
  return at == rollup.npos ? -1 : std::stol(rollup.substr(at + 10));
}

// A name server with a record that takes ten lookups, one after the other, and
// `pause` for each.
struct SlowDns {
  DnsServer server;
  explicit SlowDns(milliseconds pause) {
    for (int i = 0; i < 10; ++i)
      server.txt("r" + std::to_string(i) + ".slow.example",
                 "v=spf1 redirect=r" + std::to_string(i + 1) + ".slow.example");
    server.txt("r10.slow.example", "v=spf1 -all");
    server.delay(pause);
  }
  Environment environment() const {
    return {{"NAMESERVERS", server.address()}, {"RES_OPTIONS", "port:" + std::to_string(server.port())}};
  }
};

constexpr const char* slow_mail = "MAIL FROM:<a@r0.slow.example>";

// Until the first question has come; the questions so far.
std::size_t questions(SlowDns& dns) {
  std::size_t count = 0;
  wait_until([&] { return (count += dns.server.seen().size()) > 0; });
  return count;
}

}  // namespace

TEST_CASE("a client that hangs up ends its check: DNS is asked no more") {
  const struct { const char* why; const char* behind; bool half; } cases[] = {
      {"after MAIL", "", false},
      {"after MAIL, only half-closed, with no command waiting", "", true},
      {"with commands behind MAIL", "RCPT TO:<b@example.org>\r\nDATA\r\n", false},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    SlowDns dns(300ms);  // three seconds for all of it
    Wrapped spfwrap(level("3", dns.environment()));
    spfwrap.hello().client().send(std::string(slow_mail) + "\r\n" + c.behind);
    const std::size_t before = questions(dns);
    if (c.half)
      spfwrap.client().half_close();
    else
      spfwrap.client().close();
    CHECK(spfwrap.process().wait(c.half ? patience : 2100ms));
    CHECK(spfwrap.process().group_gone());
    // Whoever could have asked has ended.
    CHECK(before + dns.server.seen().size() < 6);
    CHECK(spfwrap.finish() == 0);
  }
}

TEST_CASE("a half-closed client with commands waiting gets its verdict") {
  SlowDns dns(20ms);
  Wrapped spfwrap(level("3", dns.environment()));
  spfwrap.hello().client().send(std::string(slow_mail) + "\r\nRCPT TO:<b@example.org>\r\nQUIT\r\n");
  spfwrap.client().half_close();
  CHECK(spfwrap.client().rest().starts_with("250 ok\n550"));
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("a check has its own time limit, and the dialogue's runs after it", "[waits]") {
  DnsServer dns;
  dns.fault("silent.example", DnsServer::Fault::silence);
  Setup setup = level("2", {{"NAMESERVERS", dns.address()},
                            {"RES_OPTIONS", "port:" + std::to_string(dns.port())},
                            {"SPFTIMEOUT", "2"}});
  setup.control = {{"timeoutsmtpd", "1\n"}};
  Wrapped spfwrap(setup);
  const auto start = Clock::now();
  CHECK(spfwrap.hello().ask("MAIL FROM:<a@silent.example>") == "451 SPF lookup failure (#4.3.0)");
  CHECK(since(start) > 1500ms);  // longer than timeoutsmtpd: that is not for us
  CHECK(since(start) < 4s);
  CHECK(spfwrap.client().reply() == "421 timeout (#4.4.2)");
  CHECK(since(start) < 6s);
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("a child that goes while DNS is asked is noticed at once") {
  SlowDns dns(500ms);
  Wrapped spfwrap(level("3", dns.environment()));
  spfwrap.hello().client().send(std::string(slow_mail) + "\r\n");
  questions(dns);
  const auto start = Clock::now();
  kill(spfwrap.runs().at(0).pid, SIGKILL);
  CHECK(spfwrap.client().rest() == "421 SMTP server trouble, closing (#4.3.0)\n");
  CHECK(since(start) < 2s);
  CHECK(spfwrap.finish() != -1);
}

TEST_CASE("1,000 MAILs are all that a session gets, a new sender starts prog each time, and nothing stays open") {
  if (left_out(sanitized(), "so many checks take more of the processor there than a session may have")) return;
  Wrapped spfwrap(level("1"));
  spfwrap.hello();
  // 0, 1, 2, two pipes to the child, and what the tests were given themselves.
  const std::size_t at_first = descriptors(spfwrap.process().pid()).size();
  std::map<int, std::string> most;
  for (int i = 0; i < 1000; ++i) {
    const std::string sender = i < 100 && i % 2 ? "softfail" : "pass";
    REQUIRE(spfwrap.ask("MAIL FROM:<a@" + sender + ".example.org>") == "250 ok");
    if (auto open = descriptors(spfwrap.process().pid()); open.size() > most.size()) most = std::move(open);
  }
  CHECK(spfwrap.ask("MAIL FROM:<a@softfail.example.org>") == "421 too many messages in one session (#4.7.0)");
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.finish() == 0);
  for (const auto& [fd, what] : most) UNSCOPED_INFO(fd << ' ' << what);
  CHECK(most.size() <= at_first + 1);  // a pipe from the old child
  CHECK(spfwrap.runs().size() == 102);  // at first, for each of a hundred, and for the sender of all others
}

TEST_CASE("a record that is made to cost much costs little, and its result stands") {
  DnsServer dns;
  std::string labels = "v=spf1 exists:", names;
  for (int i = 0; i < 284; ++i) labels += "%{l}";
  for (int i = 0; i < 12000; ++i) names += "%{p}";
  dns.txt("labels.example", labels + "x.org -all");
  dns.txt("names.example", "v=spf1 -all exp=exp.names.example");
  dns.txt("exp.names.example", names);
  dns.txt("text.example", "v=spf1 -all exp=exp.text.example");
  dns.txt("exp.text.example", std::string(64000, 'x'));
  for (int i = 0; i < 10; ++i) {
    const std::string name = "p" + std::to_string(i) + ".names.example";
    dns.ptr("1.2.0.192.in-addr.arpa", name);
    for (int j = 1; j < 200; ++j) dns.a(name, "10.0.0." + std::to_string(j));
  }
  Wrapped spfwrap(level("3", {{"NAMESERVERS", dns.address()},
                              {"RES_OPTIONS", "port:" + std::to_string(dns.port())}}));
  spfwrap.hello();
  for (const std::string& sender : {std::string(1900, '.') + "@labels.example", std::string("a@names.example"),
                                    std::string("a@text.example")}) {
    INFO(sender);
    CHECK(spfwrap.ask("MAIL FROM:<" + sender + ">") == "250 ok");
    const std::string refusal = spfwrap.ask("RCPT TO:<b@example.org>");
    CHECK(refusal.starts_with("550"));
    CHECK(refusal.size() < 2100);
    spfwrap.ask("RSET");
  }
  CHECK(spfwrap.finish() == 0);
  CHECK(spfwrap.errors().find("warning") == std::string::npos);
  for (const std::string& line : spfwrap.log()) {
    const auto at = line.find(" ms=");
    REQUIRE(at != line.npos);
    CHECK(std::stoi(line.substr(at + 4)) < (sanitized() ? 3000 : 700));
  }
}

TEST_CASE("nobody who has stopped reading keeps a session for long", "[waits]") {
  // Its client sends and never reads.
  Setup setup = level("1", {{"CHILD_RECORD", "/dev/null"}});
  setup.control = {{"timeoutsmtpd", "1\n"}};
  Wrapped unread(setup);
  unread.hello();
  std::string commands;
  while (commands.size() < 60000) commands += "NOOP\r\n";
  CHECK(unread.client().flood(commands, 16 << 20) < (2 << 20));
  // Its client closes while all buffers are full of its message: nothing more
  // is read then, only the hang-up itself can show.
  Wrapped full(level("1", {{"CHILD_FAULT", "data=say:354 go\\r\\n|hang"}}));
  full.hello().talk({mail, rcpt, "DATA"});
  CHECK(full.client().flood(std::string(4096, 'x'), 16 << 20) < (2 << 20));

  full.client().close();
  CHECK(full.process().wait(60s));  // both have 10 seconds at the end, and much to read before
  CHECK(unread.process().wait(60s));
  CHECK(full.process().group_gone());
  CHECK(unread.process().group_gone());
}

TEST_CASE("a child that never ends is killed in the end", "[waits]") {
  const struct { const char* why; const char* fault; const char* last; } cases[] = {
      {"its replies do not end", "noop=endless", "421"},
      {"it hangs in a command", "noop=hang", "421"},
      {"it hangs at its end, the first one at QUIT", "quit=hang;eof=hang", "250 ok"},
  };
  std::vector<std::unique_ptr<Wrapped>> all;  // side by side
  for (const auto& c : cases) {
    INFO(c.why);
    Setup setup = level("1", {{"CHILD_FAULT", c.fault}});
    setup.control = {{"timeoutsmtpd", "1\n"}};
    all.push_back(std::make_unique<Wrapped>(setup));
    all.back()->hello().ask(mail);
    CHECK(all.back()->ask("NOOP").starts_with(c.last));
    all.back()->client().close();
  }
  for (auto& spfwrap : all) {
    CHECK(spfwrap->process().wait());
    CHECK(spfwrap->process().group_gone());
  }
}

TEST_CASE("memory is bounded whatever either side sends, and whatever it does not read", "[waits]") {
  const std::string long_help = "help=say:214-" + std::string(1500, 'x') + "\\r\\n214 x\\r\\n";
  const std::string open = "MAIL FROM:<a@pass.example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n";
  enum Takes { all, not_all, either };
  const struct {
    const char* why;
    const char* fault;
    std::string first;   // said first; its replies are not read
    std::string flood;   // said over and over
    Takes takes;         // of the flood
  } cases[] = {
      {"commands, replies never read", "", "", "NOOP\r\n", not_all},
      {"unknown commands, replies never read", "", "", "WHAT\r\n", not_all},
      {"recipients that are refused, replies never read", "", "MAIL FROM:<a@longexp.example.org>\r\n",
       "RCPT TO:<b@example.org>\r\n", not_all},
      {"one endless line", "", "", "xxxxxxxx", all},
      {"one endless line in MAIL", "", "MAIL FROM:<", "xxxxxxxx", all},
      {"NUL", "", "", std::string(8, '\0'), all},
      {"an endless message", "", open, "0123456789\r\n", all},
      {"an endless line of a message", "", open, "0123456789", all},
      {"an endless message that the child does not read", "data=say:354 go\\r\\n|hang", open, "0123456789\r\n", not_all},
      {"a child whose reply does not end", "noop=endless", "NOOP\r\n", "NOOP\r\n", either},
      {"long replies, never read", long_help.c_str(), "", "HELP\r\n", not_all},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(level("3", {{"CHILD_FAULT", c.fault}, {"CHILD_RECORD", "/dev/null"}}));
    spfwrap.hello().client().send(c.first);
    std::string much;
    while (much.size() < 60000) much += c.flood;
    // Of what is taken whole a pause means that the machine has much to do.
    const std::size_t taken = spfwrap.client().flood(much, 20'000'000, c.takes == all ? patience : 500ms);
    if (c.takes != either) CHECK((taken >= 20'000'000) == (c.takes == all));
    const std::string rollup = in_proc(spfwrap, "smaps_rollup");
    const long memory = changed_memory(rollup);
    INFO(memory << " kB: " << rollup);
    INFO("it is " << in_proc(spfwrap, "status").substr(0, 200) << spfwrap.process().wait(0ms).value_or(-1)
                  << ", and said " << spfwrap.errors());
    CHECK(memory > 0);
    CHECK(memory < (sanitized() ? 30000 : 500));
    spfwrap.process().signal(SIGKILL);
  }
}
