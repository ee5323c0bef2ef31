#include "spf/config.hh"

#include <unistd.h>

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

TEST_CASE("TLS is terminated where there is a certificate, unless SPFSTARTTLS says otherwise") {
  using spf::Starttls;
  const test::TempDir bare, files, unreadable, dangling, file;
  files.write("servercert.pem", "not looked into\n");
  const std::string loop = unreadable.file("servercert.pem");
  REQUIRE(symlink(loop.c_str(), loop.c_str()) == 0);  // ELOOP: even root can't read it
  REQUIRE(symlink("/nonexistent", dangling.file("servercert.pem").c_str()) == 0);
  const std::string no_directory = file.write("file", "");
  const struct { std::string control; Environment environment; Starttls starttls; const char* why; } cases[] = {
      {bare.path(), {}, Starttls::hide, "no certificate"},
      {files.path(), {}, Starttls::terminate, "servercert.pem"},
      {unreadable.path(), {}, Starttls::terminate, "one that can't be read is there"},
      {dangling.path(), {}, Starttls::hide, "a link to nowhere is not"},
      {no_directory, {}, Starttls::hide, "the control directory is none"},
      {bare.path(), {{"SPFCERT", "/nonexistent"}}, Starttls::terminate, "SPFCERT, whatever is there"},
      {bare.path(), {{"SPFCERT", ""}}, Starttls::hide, "an empty SPFCERT is none"},
      {bare.path(), {{"SPFKEY", "/nonexistent"}}, Starttls::hide, "a key is no certificate"},
      {files.path(), {{"SPFSTARTTLS", ""}}, Starttls::terminate, "an empty SPFSTARTTLS is none"},
      {files.path(), {{"SPFSTARTTLS", "hide"}}, Starttls::hide, "hide"},
      {files.path(), {{"SPFSTARTTLS", "pass"}}, Starttls::pass, "pass"},
      {bare.path(), {{"SPFSTARTTLS", "terminate"}}, Starttls::terminate, "terminate without a certificate"},
      {files.path(), {{"SSL_PROTOCOL", "TLSv1.3"}}, Starttls::hide, "TLS was done before us"},
      {files.path(), {{"SSL_PROTOCOL", "TLSv1.3"}, {"SPFCERT", "/c"}}, Starttls::hide, "and SPFCERT does not matter"},
      {files.path(), {{"SSL_PROTOCOL", "TLSv1.3"}, {"SPFSTARTTLS", "terminate"}}, Starttls::hide, "nor SPFSTARTTLS"},
      {files.path(), {{"SSL_PROTOCOL", "TLSv1.3"}, {"SPFSTARTTLS", "pass"}}, Starttls::hide, "to pass it on neither"},
      {files.path(), {{"SSL_PROTOCOL", ""}}, Starttls::terminate, "an empty SSL_PROTOCOL is none"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const auto config = read(with(with(client, {{"CONTROLDIR", c.control}, {"SPFBEHAVIOR", "1"}}), c.environment));
    REQUIRE(config);
    CHECK(config->starttls == c.starttls);
    CHECK(config->warnings.empty());
    CHECK_FALSE(config->smtps);
    CHECK_FALSE(config->only_tls);
    const auto outer = c.environment.find("SSL_PROTOCOL");
    CHECK(config->outer_tls == (outer == c.environment.end() ? "" : outer->second));
  }
}

TEST_CASE("an SPFSTARTTLS that is no word of ours warns and takes the default") {
  const test::TempDir bare, files;
  files.write("servercert.pem", "");
  const struct { const test::TempDir& control; Environment environment; spf::Starttls starttls; const char* using_it; } cases[] = {
      {bare, {}, spf::Starttls::hide, "hide"},
      {files, {}, spf::Starttls::terminate, "terminate"},
      {files, {{"SSL_PROTOCOL", "TLSv1.2"}}, spf::Starttls::hide, "hide"},
  };
  for (const char* value : {"yes", "Terminate", "hide ", "1"})
    for (const auto& c : cases) {
      INFO(value);
      const auto config = read(with(with(client, c.environment), {{"CONTROLDIR", c.control.path()},
                                                                  {"SPFBEHAVIOR", "1"}, {"SPFSTARTTLS", value}}));
      REQUIRE(config);
      CHECK(config->starttls == c.starttls);
      REQUIRE(config->warnings.size() == 1);
      CHECK(config->warnings[0] == "bad SPFSTARTTLS: " + std::string(value) + ": using " + c.using_it);
    }
}

TEST_CASE("certificate and key stand together in servercert.pem, or where SPFCERT and SPFKEY say") {
  const test::TempDir files;
  const std::string usual = files.write("servercert.pem", "");
  const struct { Environment environment; std::string certificate, key; } cases[] = {
      {{}, usual, usual},
      {{{"SPFCERT", "/c"}}, "/c", "/c"},
      {{{"SPFKEY", "/k"}}, usual, "/k"},
      {{{"SPFCERT", "/c"}, {"SPFKEY", "/k"}}, "/c", "/k"},
      {{{"SPFCERT", ""}, {"SPFKEY", ""}}, usual, usual},
      {{{"SPFSTARTTLS", "hide"}, {"SPFCERT", "/c"}}, "", ""},
      {{{"SPFSTARTTLS", "pass"}, {"SPFCERT", "/c"}}, "", ""},
      {{{"SPFSTARTTLS", "hide"}, {"SMTPS", "1"}, {"SPFCERT", "/c"}}, "/c", "/c"},
      {{{"SPFSTARTTLS", "pass"}, {"SMTPS", "1"}}, usual, usual},
      {{{"SSL_PROTOCOL", "TLSv1.3"}, {"SMTPS", "1"}}, "", ""},
  };
  for (const auto& c : cases) {
    const auto config = read(with(with(client, {{"CONTROLDIR", files.path()}, {"SPFBEHAVIOR", "1"}}), c.environment));
    REQUIRE(config);
    CHECK(config->certificate == c.certificate);
    CHECK(config->key == c.key);
  }
}

TEST_CASE("tlsserverciphers is read only where TLS is done here") {
  const test::TempDir good, bad;
  for (const test::TempDir* control : {&good, &bad}) control->write("servercert.pem", "");
  good.write("tlsserverciphers", "ECDHE+AESGCM:!SHA1 \nrest\n");
  bad.make_directory("tlsserverciphers");  // root reads any file, but no directory
  const struct { Environment environment; bool reads; } cases[] = {
      {{}, true},
      {{{"SPFSTARTTLS", "hide"}}, false},
      {{{"SPFSTARTTLS", "pass"}}, false},
      {{{"SPFSTARTTLS", "hide"}, {"SMTPS", "1"}}, true},
      {{{"SMTPS", "1"}, {"SPFBEHAVIOR", "0"}}, true},
      {{{"SSL_PROTOCOL", "TLSv1.3"}}, false},
  };
  for (const auto& c : cases) {
    const Environment environment = with(with(client, {{"SPFBEHAVIOR", "1"}}), c.environment);
    const auto config = read(with(environment, {{"CONTROLDIR", good.path()}}));
    REQUIRE(config);
    CHECK(config->ciphers == (c.reads ? "ECDHE+AESGCM:!SHA1" : ""));
    if (c.reads)
      CHECK_THROWS_AS(read(with(environment, {{"CONTROLDIR", bad.path()}})), spf::ControlError);
    else
      CHECK_NOTHROW(read(with(environment, {{"CONTROLDIR", bad.path()}})));
  }
}

TEST_CASE("SMTPS=1 with a certificate leaves nobody aside") {
  const test::TempDir bare, files;
  files.write("servercert.pem", "");
  enum What { aside, only_tls, checked_in_tls, checked };
  const struct { Environment environment; What with_certificate, without; const char* why; } cases[] = {
      {{{"SPFBEHAVIOR", "1"}}, checked_in_tls, checked_in_tls, "a client to check"},
      {{}, only_tls, aside, "no level"},
      {{{"SPFBEHAVIOR", "0"}}, only_tls, aside, "level 0"},
      {{{"SPFBEHAVIOR", "1"}, {"RELAYCLIENT", ""}}, only_tls, aside, "RELAYCLIENT"},
      {{{"SPFBEHAVIOR", "1"}, {"TCPREMOTEIP", ""}}, only_tls, aside, "no TCP client"},
      {{{"SPFBEHAVIOR", "1"}, {"SMTPS", "2"}}, checked, checked, "SMTPS is not 1"},
      {{{"SPFBEHAVIOR", "1"}, {"SMTPS", ""}}, checked, checked, "SMTPS is empty"},
      {{{"SPFBEHAVIOR", "1"}, {"SMTPS", "yes"}}, checked, checked, "SMTPS is a word"},
      {{{"SPFBEHAVIOR", "1"}, {"SMTPS", "11"}}, checked, checked, "SMTPS begins with 1"},
      {{{"SPFBEHAVIOR", "0"}, {"SMTPS", "0"}}, aside, aside, "SMTPS=0"},
      {{{"SPFBEHAVIOR", "1"}, {"SSL_PROTOCOL", "TLSv1.3"}}, checked, checked, "TLS was done before us"},
      {{{"SPFBEHAVIOR", "0"}, {"SSL_PROTOCOL", "TLSv1.3"}}, aside, aside, "and there is nothing to check"},
      {{{"SPFBEHAVIOR", "0"}, {"SPFCERT", "/nonexistent"}}, only_tls, only_tls, "SPFCERT, whatever is there"},
  };
  for (const auto& c : cases)
    for (const bool certificate : {true, false}) {
      INFO(c.why << (certificate ? ", with" : ", without") << " servercert.pem");
      const Environment environment = with(with(client, {{"SMTPS", "1"}}), c.environment);
      const auto config = read(with(environment, {{"CONTROLDIR", certificate ? files.path() : bare.path()}}));
      const What expected = certificate ? c.with_certificate : c.without;
      REQUIRE(config.has_value() == (expected != aside));
      if (!config) continue;
      CHECK(config->smtps == (expected != checked));
      CHECK(config->only_tls == (expected == only_tls));
      CHECK(config->level == (expected == only_tls ? 0u : 1u));
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
