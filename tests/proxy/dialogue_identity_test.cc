// Who is checked, and which verdict the whole machinery comes to over real DNS.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include "tests/catch.hh"
#include "tests/support/name_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// The environment of the child that saw this MAIL, at level 1.
ChildRun annotated(const Setup& setup, const std::string& mail,
                   const std::string& helo = "mail.example.org") {
  Setup first = setup;
  first.environment.emplace("SPFBEHAVIOR", "1");
  Wrapped spfwrap(first);
  spfwrap.hello(helo);
  CHECK(spfwrap.ask(mail) == "250 ok");
  return spfwrap.last_run();
}

Setup tcp6(const std::string& address) {
  return {.environment = {{"PROTO", "TCP6"}, {"TCP6REMOTEIP", address}}, .unset = {"TCPREMOTEIP"}};
}

Setup client(const std::string& address) { return {.environment = {{"TCPREMOTEIP", address}}}; }

}  // namespace

TEST_CASE("the sender's domain is checked, and the HELO name where there is none") {
  const struct { const char* mail; const char* helo; const char* result; const char* identity;
                 const char* domain; } cases[] = {
      {"MAIL FROM:<a@pass.example.org>", "fail.example.org", "pass", "mailfrom", "pass.example.org"},
      {"MAIL FROM:<a@fail.example.org>", "pass.example.org", "fail", "mailfrom", "fail.example.org"},
      {"MAIL FROM:<>", "pass.example.org", "pass", "helo", "pass.example.org"},
      {"MAIL FROM:<>", "fail.example.org", "fail", "helo", "fail.example.org"},
      {"MAIL FROM:<postmaster>", "fail.example.org", "fail", "helo", "fail.example.org"},
      {"MAIL FROM:<\"a@b\"@pass.example.org>", "x", "pass", "mailfrom", "pass.example.org"},
      {"MAIL FROM:<a@pass.example.org.>", "x", "pass", "mailfrom", "pass.example.org"},
  };
  for (const auto& c : cases) {
    INFO(c.mail << " after EHLO " << c.helo);
    const ChildRun run = annotated({}, c.mail, c.helo);
    CHECK(run.value("SPFRESULT") == c.result);
    CHECK(run.value("SPFIDENTITY") == c.identity);
    CHECK(run.value("SPFDOMAIN") == c.domain);
  }
}

TEST_CASE("every kind of term comes to its verdict") {
  const struct { const char* name; const char* result; const char* mechanism; } cases[] = {
      {"pass", "pass", "ip4:192.0.2.0/24"},
      {"fail", "fail", "-all"},
      {"softfail", "softfail", "~all"},
      {"neutral", "neutral", "?all"},
      {"default", "neutral", "default"},
      {"include", "pass", "include:pass.example.org"},
      {"redirect", "pass", "ip4:192.0.2.0/24"},
      {"redirectfail", "fail", "-all"},
      {"a", "pass", "a:mail.example.org"},
      {"exists", "pass", "exists:%{ir}.list.example.org"},
      {"long", "pass", "ip4:192.0.2.1"},  // over TCP: UDP is cut at 512
  };
  for (const auto& c : cases) {
    INFO(c.name);
    const ChildRun run = annotated({}, "MAIL FROM:<a@" + std::string(c.name) + ".example.org>");
    CHECK(run.value("SPFRESULT") == c.result);
    CHECK(run.value("SPFMECHANISM") == c.mechanism);
  }
  CHECK(annotated({}, "MAIL FROM:<a@example.org>").value("SPFMECHANISM") == "mx");
  CHECK_FALSE(annotated({}, "MAIL FROM:<a@none.example.org>").has("SPFMECHANISM"));
}

TEST_CASE("the client's address is read in every form UCSPI has") {
  const struct { Setup setup; const char* result; const char* client_ip; } cases[] = {
      {client("192.0.2.1"), "pass", "client-ip=192.0.2.1;"},
      {client("198.51.100.1"), "fail", "client-ip=198.51.100.1;"},
      {client("::ffff:192.0.2.1"), "pass", "client-ip=192.0.2.1;"},
      {tcp6("::ffff:192.0.2.1"), "pass", "client-ip=192.0.2.1;"},
      {tcp6("2001:db8::1"), "pass", "client-ip=\"2001:db8::1\";"},
      {tcp6("2001:db9::1"), "fail", "client-ip=\"2001:db9::1\";"},
  };
  for (const auto& c : cases) {
    const ChildRun run = annotated(c.setup, "MAIL FROM:<a@pass.example.org>");
    INFO(c.client_ip << " in " << run.value("SPFHEADER"));
    CHECK(run.value("SPFRESULT") == c.result);
    CHECK(run.value("SPFHEADER").find(c.client_ip) != std::string::npos);
  }
}

TEST_CASE("loopback passes without DNS") {
  const SilentNameServer silent;
  for (Setup setup : {client("127.0.0.1"), client("127.255.0.9"), client("::ffff:127.0.0.1"), tcp6("::1")}) {
    setup.environment.merge(silent.environment());
    const auto start = Clock::now();
    CHECK(annotated(setup, "MAIL FROM:<a@fail.example.org>").value("SPFRESULT") == "pass");
    CHECK(since(start) < 5s);
  }
}

TEST_CASE("one of this machine's own addresses passes without DNS") {
  const SilentNameServer silent;
  ifaddrs* list = nullptr;
  REQUIRE(getifaddrs(&list) == 0);
  for (const ifaddrs* i = list; i; i = i->ifa_next) {
    if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET) continue;
    char text[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(i->ifa_addr)->sin_addr, text, sizeof text);
    INFO(text);
    Setup setup = client(text);
    setup.environment.merge(silent.environment());
    CHECK(annotated(setup, "MAIL FROM:<a@fail.example.org>").value("SPFRESULT") == "pass");
  }
  freeifaddrs(list);
}

TEST_CASE("after AUTH the client is trusted") {
  const char* const dialogues[][3] = {
      {"AUTH PLAIN AGEAYg==", nullptr, nullptr},
      {"AUTH LOGIN", "QUIT", "MAIL FROM:<x@fail.example.org>"},  // opaque, whatever they say
  };
  for (const auto& dialogue : dialogues) {
    INFO(dialogue[0]);
    Wrapped spfwrap(level("6", {{"CHILD_EHLO", "AUTH LOGIN PLAIN|8BITMIME"}}));
    spfwrap.hello();
    std::string reply;
    for (const char* line : dialogue)
      if (line) reply = spfwrap.ask(line);
    CHECK(reply == "235 ok, go ahead (#2.0.0)");
    CHECK(deliver(spfwrap, "MAIL FROM:<a@fail.example.org>", "x\r\n").ends_with("qp 4711\n"));
    CHECK(spfwrap.runs().size() == 1);
    CHECK(spfwrap.last_run().messages == std::vector<std::string>{"x\r\n"});
    CHECK(spfwrap.errors().find("AGEAYg") == std::string::npos);
  }
}

TEST_CASE("local rules and the guess decide where the record does not") {
  const struct { const char* why; Setup setup; const char* name; const char* result; bool local; } cases[] = {
      {"a rule before -all", {.environment = {{"SPFRULES", "ip4:192.0.2.1"}}}, "rules", "pass", true},
      {"a rule from the file", {.control = {{"spfrules", "ip4:192.0.2.1\n"}}}, "rules", "pass", true},
      {"the file switched off", {.environment = {{"SPFRULES", ""}},
                                 .control = {{"spfrules", "ip4:192.0.2.1\n"}}}, "rules", "fail", false},
      {"a rule that does not match", {.environment = {{"SPFRULES", "ip4:203.0.113.1"}}}, "rules", "fail", false},
      {"a guess where there is no record", {.environment = {{"SPFGUESS", "ip4:192.0.2.1 -all"}}}, "none", "pass", true},
      {"a guess that fails", {.environment = {{"SPFGUESS", "-all"}}}, "none", "fail", true},
      {"a guess from the file", {.control = {{"spfguess", "-all\n"}}}, "none", "fail", true},
      {"a guess where there is a record", {.environment = {{"SPFGUESS", "-all"}}}, "pass", "pass", false},
  };
  for (const auto& c : cases) {
    const ChildRun run = annotated(c.setup, "MAIL FROM:<a@" + std::string(c.name) + ".example.org>");
    INFO(c.why << ": " << run.value("SPFHEADER"));
    CHECK(run.value("SPFRESULT") == c.result);
    CHECK((run.value("SPFHEADER").find("local policy") != std::string::npos) == c.local);
  }
}

TEST_CASE("a rule with a syntax error is left out, with a warning") {
  Wrapped spfwrap(level("1", {{"SPFRULES", "ip4:192.0.2.999 ip4:192.0.2.1"}}));
  spfwrap.hello().ask("MAIL FROM:<a@pass.example.org>");
  CHECK(spfwrap.last_run().value("SPFRESULT") == "pass");
  CHECK(spfwrap.errors().find(spfwrap.warned("spfrules: left out: ")) != std::string::npos);
}

TEST_CASE("a silent name server is a temperror when SPFTIMEOUT is over", "[waits]") {
  const SilentNameServer silent;
  Setup setup = level("2", {{"SPFTIMEOUT", "1"}});
  setup.environment.merge(silent.environment());
  Wrapped spfwrap(setup);
  spfwrap.hello();
  const auto start = Clock::now();
  CHECK(spfwrap.ask("MAIL FROM:<a@pass.example.org>") == "451 SPF lookup failure (#4.3.0)");
  CHECK(since(start) >= 900ms);
  CHECK(since(start) < 3s);
  CHECK(spfwrap.ask("NOOP") == "250 ok");
}

TEST_CASE("a client that hangs up ends the check it waits for") {
  const SilentNameServer silent;
  Setup setup = level("2", {{"SPFTIMEOUT", "300"}});
  setup.environment.merge(silent.environment());
  Wrapped spfwrap(setup);
  spfwrap.hello().client().send("MAIL FROM:<a@pass.example.org>\r\n");
  CHECK(spfwrap.client().reply(200ms) == "<silence>");
  const auto start = Clock::now();
  CHECK(spfwrap.finish() == 0);
  CHECK(since(start) < 5s);
}
