#include "spf/config.hh"

#include <map>

#include "tests/catch.hh"
#include "tests/support/temp_dir.hh"

namespace {

using Environment = std::map<std::string, std::string>;

std::optional<spf::Config> read(const Environment& environment) {
  return spf::read_config([&](const char* name) -> const char* {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

const Environment client = {{"PROTO", "TCP"}, {"TCPREMOTEIP", "192.0.2.1"},
                            {"TCPLOCALHOST", "mx.local"}, {"CONTROLDIR", "/nonexistent"}};

Environment with(Environment environment, const Environment& more) {
  for (const auto& [name, value] : more) environment[name] = value;
  return environment;
}

}  // namespace

TEST_CASE("who is not to be checked is stepped aside for") {
  const struct { Environment environment; const char* why; } cases[] = {
      {client, "no level anywhere"},
      {with(client, {{"SPFBEHAVIOR", "0"}}), "level 0"},
      {with(client, {{"SPFBEHAVIOR", ""}}), "an empty level is 0"},
      {with(client, {{"SPFBEHAVIOR", "3"}, {"RELAYCLIENT", ""}}), "RELAYCLIENT, even empty"},
      {{{"SPFBEHAVIOR", "3"}}, "no TCP client"},
      {{{"SPFBEHAVIOR", "3"}, {"TCPREMOTEIP", "local"}}, "no address"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    CHECK_FALSE(read(c.environment));
  }
}

TEST_CASE("a level that is none warns and annotates") {
  for (const char* value : {"7", "-1", "x", "3x", "1.5", " 3", "99999999999999999999"}) {
    INFO(value);
    const auto config = read(with(client, {{"SPFBEHAVIOR", value}}));
    REQUIRE(config);
    CHECK(config->level == 1);
    REQUIRE(config->warnings.size() == 1);
    CHECK(config->warnings[0] == "bad SPFBEHAVIOR: " + std::string(value) + ": using 1");
  }
}

TEST_CASE("the client's address is found where relatives of tcpserver put it") {
  const struct { Environment environment; const char* address; } cases[] = {
      {{{"PROTO", "TCP"}, {"TCPREMOTEIP", "192.0.2.1"}}, "192.0.2.1"},
      {{{"TCPREMOTEIP", "::ffff:192.0.2.1"}}, "192.0.2.1"},
      {{{"PROTO", "TCP6"}, {"TCP6REMOTEIP", "2001:db8::1"}}, "2001:db8::1"},
      {{{"PROTO", "TCP6"}, {"TCP6REMOTEIP", "2001:db8::1"}, {"TCPREMOTEIP", "192.0.2.9"}},
       "2001:db8::1"},
      {{{"PROTO", "TCP"}, {"TCP6REMOTEIP", "2001:db8::1"}, {"TCPREMOTEIP", "192.0.2.9"}},
       "192.0.2.9"},
      {{{"PROTO", "TCP6"}, {"TCPREMOTEIP", "2001:db8::2"}}, "2001:db8::2"},
  };
  for (const auto& c : cases) {
    const auto config = read(with(c.environment, {{"SPFBEHAVIOR", "1"}}));
    REQUIRE(config);
    CHECK(config->client.text() == c.address);
  }
}

TEST_CASE("control files are overridden by the environment, and an empty value switches off") {
  test::TempDir directory;
  directory.write("spfbehavior", "4  \nrest\n");
  directory.write("spfrules", "include:trusted.example \t\n");
  directory.write("spfguess", "a mx");
  directory.write("spfexp", "see us\n");
  directory.write("me", "control.me\n");
  directory.write("timeoutsmtpd", "30\n");
  const Environment base = with(client, {{"CONTROLDIR", directory.path()}});

  auto config = read(base);
  REQUIRE(config);
  CHECK(config->level == 4);
  CHECK(config->rules == "include:trusted.example");
  CHECK(config->guess == "a mx");
  CHECK(config->explanation == "see us");
  CHECK(config->receiver == "mx.local");
  CHECK(config->smtp_timeout.count() == 30);
  CHECK(config->warnings.empty());

  config = read(with(base, {{"SPFBEHAVIOR", "2"}, {"SPFRULES", ""}, {"SPFGUESS", "ptr"},
                            {"SPFEXP", ""}, {"TCPLOCALHOST", "0"}}));
  REQUIRE(config);
  CHECK(config->level == 2);
  CHECK(config->rules == "");
  CHECK(config->guess == "ptr");
  CHECK(config->explanation == "");
  CHECK(config->receiver == "control.me");
}

TEST_CASE("this host's name is TCPLOCALHOST, control/me, TCPLOCALIP, or unknown") {
  const Environment nameless = {{"SPFBEHAVIOR", "1"}, {"TCPREMOTEIP", "192.0.2.1"},
                                {"CONTROLDIR", "/nonexistent"}};
  CHECK(read(nameless)->receiver == "unknown");
  CHECK(read(with(nameless, {{"TCPLOCALIP", "192.0.2.25"}}))->receiver == "192.0.2.25");
  CHECK(read(with(nameless, {{"TCPLOCALIP", "192.0.2.25"}, {"TCPLOCALHOST", "0"}}))->receiver ==
        "192.0.2.25");
  CHECK(read(with(nameless, {{"TCPLOCALHOST", "mx"}}))->receiver == "mx");
}

TEST_CASE("other settings have defaults, and bad values warn") {
  const Environment base = with(client, {{"SPFBEHAVIOR", "1"}});
  auto config = read(base);
  CHECK(config->check_timeout.count() == 20);
  CHECK(config->smtp_timeout.count() == 1200);
  CHECK(config->insert_header);
  CHECK(config->starttls == spf::Starttls::hide);
  CHECK(config->remote_host == "unknown");

  config = read(with(base, {{"SPFTIMEOUT", "300"}, {"SPFANNOTATE", "env"}, {"SPFSTARTTLS", "pass"},
                            {"TCPREMOTEHOST", "client.example"}}));
  CHECK(config->check_timeout.count() == 300);
  CHECK_FALSE(config->insert_header);
  CHECK(config->starttls == spf::Starttls::pass);
  CHECK(config->remote_host == "client.example");
  CHECK(config->warnings.empty());

  for (const Environment& bad : {Environment{{"SPFTIMEOUT", "0"}}, Environment{{"SPFTIMEOUT", "301"}},
                                 Environment{{"SPFTIMEOUT", "1s"}}, Environment{{"SPFANNOTATE", "no"}},
                                 Environment{{"SPFSTARTTLS", "x\x1b"}}}) {
    config = read(with(base, bad));
    CHECK(config->warnings.size() == 1);
    CHECK(config->warnings[0].find('\x1b') == std::string::npos);
    CHECK(config->check_timeout.count() == 20);
    CHECK(config->insert_header);
    CHECK(config->starttls == spf::Starttls::hide);
  }
}

TEST_CASE("a control file that can't be read is an error") {
  for (const char* name : {"spfbehavior", "spfrules", "spfguess", "spfexp", "timeoutsmtpd"}) {
    test::TempDir directory;
    if (std::string_view(name) != "spfbehavior") directory.write("spfbehavior", "1\n");
    directory.make_directory(name);  // root reads any file, but no directory
    CHECK_THROWS_AS(read(with(client, {{"CONTROLDIR", directory.path()}})), spf::ControlError);
  }
}

TEST_CASE("no file is opened when the environment says to step aside") {
  test::TempDir directory;
  directory.make_directory("spfbehavior");
  const Environment base = with(client, {{"CONTROLDIR", directory.path()}});
  CHECK_NOTHROW(read(with(base, {{"SPFBEHAVIOR", "0"}})));
  CHECK_NOTHROW(read(with(base, {{"RELAYCLIENT", ""}})));
}
