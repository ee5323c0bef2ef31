// A client that no variable names: the peer of the socket, as under inetd or
// systemd, or nobody to check.
#include "tests/catch.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// Nothing of what tcpserver sets.
Setup inetd(Over over, Environment more = {}) {
  more.emplace("SPFBEHAVIOR", "1");
  more.emplace("SPFRESULT", "inherited");
  Setup setup{.environment = more, .over = over};
  for (const char* name : {"PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPREMOTEHOST", "TCPLOCALIP",
                           "TCPLOCALPORT", "TCPLOCALHOST"})
    if (!more.count(name)) setup.unset.insert(name);
  return setup;
}

const std::string nobody = "no client address, and no IP socket: nothing is checked\n";

bool steps_aside(Wrapped& spfwrap) {
  CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
  const ChildRun run = spfwrap.last_run();
  CHECK(run.has("SPFRESULT") == (run.pid == spfwrap.process().pid()));
  return run.pid == spfwrap.process().pid();
}

}  // namespace

TEST_CASE("without UCSPI variables the peer of the socket is the client") {
  const struct { Over over; const char* address; } cases[] = {
      {Over::ip4, "127.0.0.2"},
      {Over::ip6, "::1"},
      {Over::mapped, "127.0.0.2"},
  };
  for (const auto& c : cases)
    for (const Environment& more : {Environment{}, Environment{{"TCPREMOTEIP", ""}}, Environment{{"PROTO", "TCP"}}}) {
      INFO(c.address);
      Wrapped spfwrap(inetd(c.over, more));
      CHECK_FALSE(steps_aside(spfwrap));
      spfwrap.talk({"EHLO mail.example.org", "MAIL FROM:<a@fail.example.org>", "QUIT"});
      CHECK(spfwrap.finish() == 0);
      REQUIRE(spfwrap.log().size() == 1);
      CHECK(spfwrap.errors() == spfwrap.log()[0] + "\n");
      CHECK(spfwrap.log()[0].find(" remoteip=" + std::string(c.address) + " remotehost=unknown ") != std::string::npos);
      CHECK(spfwrap.last_run().value("SPFRESULT") == "pass");  // it is this host
    }
}

TEST_CASE("a variable that is no address is warned of, and the peer is the client") {
  Wrapped spfwrap(inetd(Over::ip4, {{"TCPREMOTEIP", "client.example"}}));
  CHECK_FALSE(steps_aside(spfwrap));
  CHECK(spfwrap.errors() == spfwrap.warned("bad TCPREMOTEIP: client.example: using 127.0.0.2\n"));
}

TEST_CASE("a variable that names the client counts, whatever the socket is") {
  for (const char* name : {"TCPREMOTEIP", "TCP6REMOTEIP", "SSLREMOTEIP"})
    for (const Over over : {Over::pair, Over::ip4}) {
      INFO(name);
      Wrapped spfwrap(inetd(over, {{name, "192.0.2.1"}, {"SPFBEHAVIOR", "3"}}));
      spfwrap.hello();
      CHECK(spfwrap.talk({"MAIL FROM:<a@fail.example.org>", "RCPT TO:<b@example.org>"}).find("\n550 ") !=
            std::string::npos);
      CHECK(spfwrap.errors().find(" remoteip=192.0.2.1 ") != std::string::npos);
    }
}

TEST_CASE("where there is no IP socket either, spfwrap steps aside with a warning") {
  Wrapped pair(inetd(Over::pair));
  CHECK(steps_aside(pair));
  CHECK(pair.errors() == pair.warned(nobody));

  Wrapped bad(inetd(Over::pair, {{"TCPREMOTEIP", "192.0.2"}}));
  CHECK(steps_aside(bad));
  CHECK(bad.errors() == bad.warned("bad TCPREMOTEIP: 192.0.2: using none\n") + bad.warned(nobody));

  // Its descriptors are pipes.
  Setup setup = inetd(Over::pair);
  setup.before = {"sh", "-c", "cat | \"$0\" \"$@\" | cat"};
  Wrapped pipes(setup);
  CHECK(pipes.client().reply() == "220 child.example ESMTP");
  CHECK(pipes.last_run().has("SPFRESULT"));
  CHECK(pipes.errors() == warning_of(pipes.last_run().pid, nobody));

  Setup by_file = inetd(Over::pair, {{"SPFBEHAVIOR", "3"}});
  by_file.environment.erase("SPFBEHAVIOR");
  by_file.control = {{"spfbehavior", "1\n"}};
  Wrapped file(by_file);
  CHECK(steps_aside(file));
  CHECK(file.errors() == file.warned(nobody));
}

TEST_CASE("who is not checked anyway is stepped aside for without a word, and without a look at the socket") {
  for (const Environment& more : {Environment{{"SPFBEHAVIOR", "0"}}, Environment{{"RELAYCLIENT", ""}},
                                  Environment{{"RELAYCLIENT", ""}, {"TCPREMOTEIP", "local"}}})
    for (const Over over : {Over::pair, Over::ip4}) {
      Wrapped spfwrap(inetd(over, more));
      CHECK(steps_aside(spfwrap));
      CHECK(spfwrap.errors() == "");
    }
}
