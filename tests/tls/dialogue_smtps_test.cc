// SMTPS without TLS: not one octet goes out in clear, the connection is closed,
// and the log says why, whoever the client is.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.hh"
#include "tests/support/certificate.hh"
#include "tests/support/tls_client.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

struct Client {
  const char* why;
  Environment environment;
  std::set<std::string> unset = {};
  std::size_t warnings = 1;
};

// For all but the first spfwrap would step aside.
const Client clients[] = {
    {"level 3", {{"SPFBEHAVIOR", "3"}}},
    {"level 1", {{"SPFBEHAVIOR", "1"}}},
    {"level 0", {{"SPFBEHAVIOR", "0"}}},
    {"no level", {}},
    {"RELAYCLIENT", {{"SPFBEHAVIOR", "3"}, {"RELAYCLIENT", ""}}},
    {"no client address", {{"SPFBEHAVIOR", "3"}}, {"PROTO", "TCPREMOTEIP"}, 2},
    {"no client address at level 0", {{"SPFBEHAVIOR", "0"}}, {"PROTO", "TCPREMOTEIP"}},
};

Setup with(const Client& client, Environment more) {
  more.insert(client.environment.begin(), client.environment.end());
  more.emplace("SMTPS", "1");
  return {.environment = more, .unset = client.unset};
}

// Whether it is closed without a word, with `reason` in the log.
void closes_silently(const Setup& setup, std::size_t expected, const std::string& reason) {
  Wrapped spfwrap(setup);
  CHECK(spfwrap.client().rest() == "");
  CHECK(spfwrap.finish() == 111);
  CHECK(spfwrap.runs().empty());
  const auto lines = warnings(spfwrap);
  REQUIRE(lines.size() == expected);
  CHECK(lines.back().starts_with(spfwrap.warned("TLS is not offered: " + reason)));
}

}  // namespace

TEST_CASE("SMTPS without a certificate that can be used says nothing in clear, and the log why") {
  // Certificates of every other kind are dialogue_tls_faults_test.cc's.
  const TempDir files;
  const std::string loop = files.file("loop");
  REQUIRE(symlink(loop.c_str(), loop.c_str()) == 0);  // not even root can read it
  const struct { const char* why; Environment environment; std::string reason; } cases[] = {
      {"none at all", {}, ""},
      {"an unreadable file", {{"SPFCERT", loop}}, loop + ": Too many levels"},
      {"STARTTLS is hidden", {{"SPFSTARTTLS", "hide"}}, ""},
      {"STARTTLS is passed on", {{"SPFSTARTTLS", "pass"}}, ""},
  };
  for (const auto& c : cases)
    for (const Client& client : clients) {
      INFO(c.why << ", " << client.why);
      closes_silently(with(client, c.environment), client.warnings, c.reason);
    }
}

TEST_CASE("SMTPS without a spftls that can be run says nothing in clear either") {
  const TempDir files;
  REQUIRE(run({"cp", program("spfwrap"), files.file("spfwrap")}).code == 0);
  enum { missing, not_executable, dies, nonsense, count };
  for (int what = 0; what < count; ++what) {
    if (what == not_executable) files.write("spftls", "#!/bin/sh\n");
    if (what == dies) files.script("spftls", "#!/bin/sh\nexit 3\n");
    if (what == nonsense) files.script("spftls", "#!/bin/sh\necho 220 hello >&3\nread x <&3\n");
    for (const Client& client : clients) {
      INFO(what << ", " << client.why);
      Setup setup = with(client, {{"SPFCERT", certificates().server}});
      setup.before = {files.file("spfwrap"), test_program("child")};  // the rest are its arguments
      Wrapped spfwrap(setup);
      CHECK(spfwrap.client().rest() == "");
      CHECK(spfwrap.finish() == 111);
      CHECK(spfwrap.runs().empty());
      REQUIRE(warnings(spfwrap).size() == client.warnings);
      CHECK(warnings(spfwrap).back().starts_with(spfwrap.warned("TLS is not offered: ")));
    }
  }
}

TEST_CASE("any SMTPS but 0 and nothing means TLS") {
  const struct { const char* value; bool tls; } cases[] = {
      {"1", true}, {"2", true}, {"yes", true}, {"no", true}, {"00", true}, {"1 ", true},
      {" ", true}, {"0 ", true}, {"0", false}, {"", false},
  };
  for (const auto& c : cases)
    for (const char* behaviour : {"0", "1"}) {
      INFO('\'' << c.value << "' at level " << behaviour);
      Wrapped spfwrap(level(behaviour, {{"SMTPS", c.value}}));
      CHECK(spfwrap.client().reply() == (c.tls ? "<EOF>" : "220 child.example ESMTP"));
    }
  // With TLS done before us it means nothing.
  for (const char* behaviour : {"0", "1"}) {
    Wrapped spfwrap(level(behaviour, {{"SMTPS", "1"}, {"SSL_PROTOCOL", "TLSv1.3"}}));
    CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
  }
}

TEST_CASE("inside TLS of any SMTPS prog has no SMTPS") {
  for (const Client& client : clients) {
    INFO(client.why);
    const TlsClient tls({"--smtps"});
    Wrapped spfwrap(tls.before(with(client, {{"SMTPS", "yes"}})));
    CHECK(spfwrap.hello().ask("QUIT") == "221 child.example");
    CHECK(spfwrap.finish() == 0);
    CHECK_FALSE(spfwrap.last_run().has("SMTPS"));
    CHECK(spfwrap.last_run().has("SSL_PROTOCOL"));
  }
}

TEST_CASE("what goes wrong before TLS is said to the log alone") {
  for (const char* name : {"spfbehavior", "spfrules", "timeoutsmtpd", "tlsserverciphers"}) {
    INFO(name);
    const TempDir control;
    if (std::string(name) != "spfbehavior") control.write("spfbehavior", "1\n");
    control.make_directory(name);  // unreadable for root as well
    for (const char* value : {"1", "0"}) {
      Wrapped spfwrap({.environment = {{"CONTROLDIR", control.path()}, {"SMTPS", value},
                                       {"SPFCERT", certificates().server}}});
      CHECK(spfwrap.client().rest() == (*value == '1' ? "" : "421 unable to read controls (#4.3.0)\n"));
      CHECK(spfwrap.finish() == 111);
      CHECK(spfwrap.errors().starts_with("spfwrap: fatal: unable to read " + control.file(name) + ": "));
    }
  }
}

TEST_CASE("whatever runs out, nothing is said in clear") {
  if (left_out(sanitized(), "the sanitizers need more than there is")) return;
  Arguments limits;
  for (int kilobytes = 600; kilobytes <= 12000; kilobytes += kilobytes < 4000 ? 100 : 1000)
    limits.push_back("--as=" + std::to_string(kilobytes * 1024));
  for (int descriptors = 3; descriptors <= 12; ++descriptors)
    limits.push_back("--nofile=" + std::to_string(descriptors));
  bool without_memory = false;
  for (const std::string& limit : limits) {
    INFO(limit);
    Setup setup = level("3", {{"SMTPS", "1"}, {"SPFCERT", certificates().server}});
    setup.before = {"prlimit", limit, "--"};
    Wrapped spfwrap(setup);
    // It may be there and waiting for a handshake.
    const std::string heard = spfwrap.client().reply(100ms);
    CHECK((heard == "<EOF>" || heard == "<silence>"));
    CHECK(spfwrap.finish() != -1);
    without_memory |= spfwrap.errors() == "spfwrap: fatal: out of memory\n";
  }
  CHECK(without_memory);
}
