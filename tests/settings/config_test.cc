#include "spf/settings/config.hh"

#include <unistd.h>

#include <map>

#include "tests/catch.hh"
#include "tests/support/temp_dir.hh"

namespace {

using Environment = std::map<std::string, std::string>;

std::optional<spf::Address> no_peer() { return {}; }

spf::Config decide(const Environment& environment, const spf::Peer& peer = no_peer) {
  return spf::read_config(
      [&](const char* name) -> const char* {
        const auto found = environment.find(name);
        return found == environment.end() ? nullptr : found->second.c_str();
      },
      peer);
}

// Nothing where it is to step aside.
std::optional<spf::Config> read(const Environment& environment) {
  spf::Config config = decide(environment);
  if (config.aside) return {};
  return config;
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
      {{{"PROTO", "SSL"}, {"SSLREMOTEIP", "192.0.2.3"}}, "192.0.2.3"},
      {{{"SSLREMOTEIP", "192.0.2.3"}, {"TCPREMOTEIP", "192.0.2.1"}}, "192.0.2.1"},
      {{{"SSLREMOTEIP", "192.0.2.3"}, {"TCP6REMOTEIP", "2001:db8::1"}}, "2001:db8::1"},
      {{{"SSLREMOTEIP", "192.0.2.3"}, {"TCPREMOTEIP", "local"}}, "192.0.2.3"},
      {{{"TCPREMOTEIP", "192.0.2.1 \t"}}, "192.0.2.1"},
      {{{"PROTO", "TCP6 "}, {"TCP6REMOTEIP", "2001:db8::1"}, {"TCPREMOTEIP", "192.0.2.9"}},
       "2001:db8::1"},
  };
  for (const auto& c : cases) {
    const auto asks_nobody = []() -> std::optional<spf::Address> {
      FAIL("a variable has it");
      return {};
    };
    const spf::Config config = decide(with(c.environment, {{"SPFBEHAVIOR", "1"}}), asks_nobody);
    REQUIRE_FALSE(config.aside);
    CHECK(config.client.text() == c.address);
    CHECK(config.warnings.empty());
  }
}

TEST_CASE("a client that no variable names is the peer of the socket, or is not checked, with a warning") {
  const auto bad = [](const char* name, const char* value, const char* used) {
    return "bad " + std::string(name) + ": " + value + ": using " + used;
  };
  const std::string nobody = "no client address, and no IP socket: nothing is checked";
  const struct { Environment environment; std::vector<std::string> bad; const char* why; } cases[] = {
      {{}, {}, "no variable at all"},
      {{{"TCPREMOTEIP", ""}, {"SSLREMOTEIP", " "}}, {}, "empty ones"},
      {{{"TCPREMOTEIP", "local"}}, {"TCPREMOTEIP", "local"}, "a word"},
      {{{"PROTO", "TCP6"}, {"TCP6REMOTEIP", "fe80::1%eth0"}}, {"TCP6REMOTEIP", "fe80::1%eth0"}, "an address with its interface"},
      {{{"SSLREMOTEIP", "192.0.2"}}, {"SSLREMOTEIP", "192.0.2"}, "half an address"},
      {{{"TCPREMOTEIP", "192.0.2.1 192.0.2.2"}}, {"TCPREMOTEIP", "192.0.2.1 192.0.2.2"}, "two of them"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const Environment environment = with(c.environment, {{"SPFBEHAVIOR", "3"}, {"CONTROLDIR", "/nonexistent"}});
    const auto peer = [] { return spf::Address::parse("::ffff:192.0.2.7"); };
    const spf::Config found = decide(environment, peer);
    CHECK_FALSE(found.aside);
    CHECK(found.client.text() == "192.0.2.7");
    CHECK(found.level == 3);
    std::vector<std::string> expected;
    if (!c.bad.empty()) expected = {bad(c.bad[0].c_str(), c.bad[1].c_str(), "192.0.2.7")};
    CHECK(found.warnings == expected);

    expected.clear();
    if (!c.bad.empty()) expected = {bad(c.bad[0].c_str(), c.bad[1].c_str(), "none")};
    expected.push_back(nobody);
    const spf::Config unknown = decide(environment);
    CHECK(unknown.aside);
    CHECK(unknown.warnings == expected);

    const spf::Config in_tls = decide(with(environment, {{"SMTPS", "1"}}));
    CHECK_FALSE(in_tls.aside);
    CHECK(in_tls.only_tls);
    CHECK(in_tls.warnings == expected);
  }
}

TEST_CASE("who is not checked anyway is not looked for, and not warned of") {
  const auto asks_nobody = []() -> std::optional<spf::Address> {
    FAIL("nobody needs to know");
    return {};
  };
  for (const Environment& environment : {Environment{}, {{"SPFBEHAVIOR", "0"}}, {{"SPFBEHAVIOR", " "}},
                                         {{"SPFBEHAVIOR", "3"}, {"RELAYCLIENT", ""}},
                                         {{"SPFBEHAVIOR", "0"}, {"TCPREMOTEIP", "local"}},
                                         {{"SPFBEHAVIOR", "x"}, {"RELAYCLIENT", "@x"}}})
    for (const Environment& tls : {Environment{}, {{"SMTPS", "1"}}}) {
      const spf::Config config =
          decide(with(with(environment, tls), {{"CONTROLDIR", "/nonexistent"}}), asks_nobody);
      CHECK(config.aside == tls.empty());
      CHECK(config.warnings.empty());
    }
}

TEST_CASE("blanks behind a single value mean nothing, in the environment as in files") {
  const test::TempDir files;
  files.write("servercert.pem", "");
  for (const std::string blanks : {" ", "\t", " \r", "  \t "}) {
    Environment padded;
    for (const auto& [name, value] : Environment{{"SPFBEHAVIOR", "3"}, {"SPFTIMEOUT", "7"}, {"SPFANNOTATE", "env"},
                                                 {"SPFSTARTTLS", "terminate"}, {"SPFCERT", "/dev/null"}, {"SPFKEY", "/k"},
                                                 {"CONTROLDIR", files.path()}, {"TCPLOCALHOST", "0"},
                                                 {"TCPLOCALIP", "192.0.2.25"}, {"SSL_PROTOCOL", ""}})
      padded[name] = value + blanks;
    const auto config = read(with(client, padded));
    REQUIRE(config);
    CHECK(config->warnings.empty());
    CHECK(config->level == 3);
    CHECK(config->check_timeout.count() == 7);
    CHECK(config->annotate == spf::Annotate::env);
    CHECK(config->starttls == spf::Starttls::terminate);
    CHECK(config->certificate == "/dev/null");
    CHECK(config->key == "/k");
    CHECK(config->receiver == "192.0.2.25");
    CHECK_FALSE(config->smtps);
    CHECK(config->outer_tls == "");
  }
  // A text is taken as it is.
  CHECK(read(with(client, {{"SPFBEHAVIOR", "3"}, {"SPFEXP", "see us: \n"}}))->explanation == "see us: \n");
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

TEST_CASE("a list has all its lines but blank ones and those that begin with #") {
  test::TempDir directory;
  directory.write("spfbehavior", "1\n");
  directory.write("spfrules", "# ours\n\nip4:192.0.2.1 \t\n  \na:b.example\r\n #c");
  directory.write("spfguess", "#\na\nmx\n\n");
  directory.write("spfexp", "# the reply\nsee us\n\n  or #2 \n");
  directory.write("spfforwarders", "forwarder.example\n\n#no.example\n192.0.2.0/24 \n");
  const auto config = read(with(client, {{"CONTROLDIR", directory.path()}}));
  REQUIRE(config);
  CHECK(config->rules == "ip4:192.0.2.1 a:b.example #c");
  CHECK(config->guess == "a mx");
  CHECK(config->explanation == "see us\nor #2");
  CHECK(config->forwarders == "forwarder.example\n\n#no.example\n192.0.2.0/24 \n");
  CHECK(config->warnings.empty());
}

TEST_CASE("levels by address come from their files, and what can't be used there is warned of") {
  test::TempDir directory;
  const Environment base = with(client, {{"SPFBEHAVIOR", "1"}, {"CONTROLDIR", directory.path()}});
  CHECK_FALSE(read(base)->sender_levels.find("a@example.org"));
  directory.write("spffrom", "# who\n@example.org:5\n");
  directory.write("spfto", "postmaster@:1\n\nmoo\n1:\nx@:7\nx\ny@@:\n");
  const auto config = read(base);
  REQUIRE(config);
  CHECK(config->sender_levels.find("a@example.org")->level == 5);
  CHECK(config->recipient_levels.find("postmaster@example.org")->level == 1);
  CHECK(config->warnings ==
        std::vector<std::string>{
            "spfto: left out: line 3: no level from 0 to 6 after a colon: moo",
            "spfto: left out: line 4: no level from 0 to 6 after a colon: 1:",
            "spfto: left out: line 5: no level from 0 to 6 after a colon: x@:7",
            "spfto: left out: 2 more; spfcheck -C names them all"});
}

TEST_CASE("a file of 20,000 rules is read whole, and one that is too big is none") {
  test::TempDir directory;
  const Environment base = with(client, {{"SPFBEHAVIOR", "1"}, {"CONTROLDIR", directory.path()}});
  std::string rules;
  for (int i = 0; i < 20000; ++i) rules += "someone@domain" + std::to_string(i) + ".example:3\n";
  directory.write("spfto", rules);
  CHECK(read(base)->recipient_levels.find("someone@domain19999.example")->line == 20000);
  directory.write("spfto", std::string((4 << 20) + 1, '\n'));
  CHECK_THROWS_WITH(read(base), "unable to read " + directory.path() + "/spfto: File too large");
  directory.write("spfto", "");
  directory.write("me", std::string(65537, 'x'));
  CHECK_THROWS_WITH(read(with(base, {{"TCPLOCALHOST", ""}})),
                    "unable to read " + directory.path() + "/me: File too large");
}

TEST_CASE("SPFHELO, SPFSHADOW and SPFDMARC are what they may be, or warn and are off") {
  const struct { const char *name, *value; unsigned helo; int shadow; bool dmarc; const char* bad; } cases[] = {
      {"SPFHELO", "0", 0, -1, false, ""},    {"SPFHELO", "1", 1, -1, false, ""},
      {"SPFHELO", "2 ", 2, -1, false, ""},   {"SPFHELO", "", 0, -1, false, ""},
      {"SPFHELO", "3", 0, -1, false, "0"},   {"SPFSHADOW", "0", 0, 0, false, ""},
      {"SPFSHADOW", "6", 0, 6, false, ""},   {"SPFSHADOW", "", 0, -1, false, ""},
      {"SPFSHADOW", "7", 0, -1, false, "none"}, {"SPFSHADOW", "no", 0, -1, false, "none"},
      {"SPFDMARC", "1", 0, -1, true, ""},    {"SPFDMARC", "0", 0, -1, false, ""},
      {"SPFDMARC", "", 0, -1, false, ""},    {"SPFDMARC", "yes", 0, -1, false, "0"},
  };
  for (const auto& c : cases) {
    INFO(c.name << '=' << c.value);
    const auto config = read(with(client, {{"SPFBEHAVIOR", "1"}, {c.name, c.value}}));
    REQUIRE(config);
    CHECK(unsigned(config->helo_check) == c.helo);
    CHECK((config->shadow_level ? int(*config->shadow_level) : -1) == c.shadow);
    CHECK(config->dmarc == c.dmarc);
    std::vector<std::string> warnings;
    if (*c.bad) warnings.push_back("bad " + std::string(c.name) + ": " + c.value + ": using " + c.bad);
    CHECK(config->warnings == warnings);
  }
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
  CHECK(config->annotate == spf::Annotate::data);
  CHECK(config->starttls == spf::Starttls::hide);
  CHECK(config->remote_host == "unknown");

  config = read(with(base, {{"SPFTIMEOUT", "300"}, {"SPFANNOTATE", "env"}, {"SPFSTARTTLS", "pass"},
                            {"TCPREMOTEHOST", "client.example"}}));
  CHECK(config->check_timeout.count() == 300);
  CHECK(config->annotate == spf::Annotate::env);
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
    CHECK(config->annotate == spf::Annotate::data);
    CHECK(config->starttls == spf::Starttls::hide);
  }
}

TEST_CASE("the header's settings have their words; anything else warns and is the default") {
  using spf::Annotate, spf::HeaderType, spf::Strip;
  const struct { Environment environment; Annotate annotate; HeaderType type; Strip strip; unsigned warnings; const char* why; } cases[] = {
      {{}, Annotate::data, HeaderType::spf, Strip::no, 0, "nothing"},
      {{{"SPFANNOTATE", ""}, {"SPFHEADERTYPE", ""}, {"SPFSTRIP", ""}}, Annotate::data, HeaderType::spf, Strip::no, 0, "empty ones"},
      {{{"SPFANNOTATE", "queue"}}, Annotate::queue, HeaderType::spf, Strip::no, 0, "queue"},
      {{{"SPFANNOTATE", "header"}}, Annotate::header, HeaderType::spf, Strip::no, 0, "header"},
      {{{"SPFANNOTATE", "env"}}, Annotate::env, HeaderType::spf, Strip::no, 0, "env"},
      {{{"SPFANNOTATE", "Queue"}}, Annotate::data, HeaderType::spf, Strip::no, 1, "in other letters"},
      {{{"SPFHEADERTYPE", "ar"}}, Annotate::data, HeaderType::ar, Strip::own, 0, "with ar own fields go"},
      {{{"SPFHEADERTYPE", "both "}}, Annotate::data, HeaderType::both, Strip::own, 0, "with both too"},
      {{{"SPFHEADERTYPE", "dkim"}}, Annotate::data, HeaderType::spf, Strip::no, 1, "no type"},
      {{{"SPFHEADERTYPE", "ar"}, {"SPFSTRIP", "no"}}, Annotate::data, HeaderType::ar, Strip::no, 0, "or not"},
      {{{"SPFHEADERTYPE", "both"}, {"SPFSTRIP", "all"}}, Annotate::data, HeaderType::both, Strip::all, 0, "or all"},
      {{{"SPFSTRIP", "own"}}, Annotate::data, HeaderType::spf, Strip::own, 0, "own without fields of our own"},
      {{{"SPFSTRIP", "1"}}, Annotate::data, HeaderType::spf, Strip::no, 1, "none of the words"},
      {{{"SPFHEADERTYPE", "ar"}, {"SPFSTRIP", "yes"}}, Annotate::data, HeaderType::ar, Strip::own, 1, "the default is the type's"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const auto config = read(with(with(client, {{"SPFBEHAVIOR", "1"}}), c.environment));
    CHECK(config->annotate == c.annotate);
    CHECK(config->header_type == c.type);
    CHECK(config->strip == c.strip);
    CHECK(config->warnings.size() == c.warnings);
  }
}

TEST_CASE("the ID in Authentication-Results is control/authservid, else this host's name") {
  const struct { const char* file; std::string id; unsigned warnings; const char* why; } cases[] = {
      {nullptr, "mx.local", 0, "no file"},
      {"", "mx.local", 0, "an empty one"},
      {"example.org \nmore\n", "example.org", 0, "its first line"},
      {"our mx", "our mx", 0, "one that will have to be quoted"},
      {"\xc3\xa9.example\n", "mx.local", 1, "one that is not ASCII"},
      {"a\tb\n", "mx.local", 1, "one with TAB"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const test::TempDir files;
    if (c.file) files.write("authservid", c.file);
    const Environment base = with(client, {{"SPFBEHAVIOR", "1"}, {"CONTROLDIR", files.path()}, {"SPFHEADERTYPE", "ar"}});
    const auto config = read(base);
    CHECK(config->authserv_id == c.id);
    CHECK(config->warnings.size() == c.warnings);
    CHECK(read(with(base, {{"SPFHEADERTYPE", "spf"}, {"SPFSTRIP", "all"}}))->authserv_id == c.id);
    CHECK(read(with(base, {{"SPFHEADERTYPE", "spf"}}))->authserv_id == "");  // not even read
  }
  const test::TempDir files, long_one;
  long_one.write("authservid", std::string(256, 'x'));
  CHECK(read(with(client, {{"SPFBEHAVIOR", "1"}, {"CONTROLDIR", long_one.path()}, {"SPFHEADERTYPE", "ar"}}))->authserv_id == "mx.local");
  files.make_directory("authservid");
  CHECK_THROWS_AS(read(with(client, {{"SPFBEHAVIOR", "1"}, {"CONTROLDIR", files.path()}, {"SPFHEADERTYPE", "ar"}})),
                  spf::ControlError);
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
      {bare.path(), {{"SPFCERT", "/nonexistent"}}, Starttls::unavailable, "SPFCERT, where nothing is"},
      {bare.path(), {{"SPFCERT", ""}}, Starttls::hide, "an empty SPFCERT is none"},
      {bare.path(), {{"SPFKEY", "/nonexistent"}}, Starttls::hide, "a key is no certificate"},
      {files.path(), {{"SPFSTARTTLS", ""}}, Starttls::terminate, "an empty SPFSTARTTLS is none"},
      {files.path(), {{"SPFSTARTTLS", "hide"}}, Starttls::hide, "hide"},
      {files.path(), {{"SPFSTARTTLS", "pass"}}, Starttls::pass, "pass"},
      {bare.path(), {{"SPFSTARTTLS", "terminate"}}, Starttls::unavailable, "terminate without a certificate"},
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
    CHECK(config->warnings.empty() == (c.starttls != Starttls::unavailable));
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
  for (const char* value : {"yes", "Terminate", " hide", "1"})
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

TEST_CASE("AUTH waits for TLS with SPFAUTH=tls, and with what is no word of ours") {
  const struct { const char* value; bool waits, bad; } cases[] = {
      {"", false, false}, {" ", false, false}, {"tls", true, false}, {"tls ", true, false},
      {"TLS", true, true}, {"no", true, true}, {"0", true, true},
  };
  for (const auto& c : cases) {
    INFO(c.value);
    const auto config = read(with(client, {{"SPFBEHAVIOR", "1"}, {"SPFAUTH", c.value}}));
    REQUIRE(config);
    CHECK(config->auth_needs_tls == c.waits);
    REQUIRE(config->warnings.size() == c.bad);
    if (c.bad) CHECK(config->warnings[0] == "bad SPFAUTH: " + std::string(c.value) + ": using tls");
  }
  CHECK_FALSE(read(with(client, {{"SPFBEHAVIOR", "1"}}))->auth_needs_tls);
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

TEST_CASE("SMTPS leaves nobody aside, whether there is a certificate or not") {
  const test::TempDir bare, files;
  files.write("servercert.pem", "");
  enum What { aside, only_tls, checked_in_tls, checked };
  const struct { Environment environment; What expected; const char* why; } cases[] = {
      {{{"SPFBEHAVIOR", "1"}}, checked_in_tls, "a client to check"},
      {{}, only_tls, "no level"},
      {{{"SPFBEHAVIOR", "0"}}, only_tls, "level 0"},
      {{{"SPFBEHAVIOR", "1"}, {"RELAYCLIENT", ""}}, only_tls, "RELAYCLIENT"},
      {{{"SPFBEHAVIOR", "1"}, {"TCPREMOTEIP", ""}}, only_tls, "no TCP client"},
      {{{"SPFBEHAVIOR", "1"}, {"SMTPS", "2"}}, checked_in_tls, "another number"},
      {{{"SPFBEHAVIOR", "1"}, {"SMTPS", "yes"}}, checked_in_tls, "a word"},
      {{{"SPFBEHAVIOR", "0"}, {"SMTPS", "no"}}, only_tls, "any word"},
      {{{"SPFBEHAVIOR", "0"}, {"SMTPS", "00"}}, only_tls, "more than 0"},
      {{{"SPFBEHAVIOR", "0"}, {"SMTPS", "1 "}}, only_tls, "with a blank"},
      {{{"SPFBEHAVIOR", "1"}, {"SMTPS", ""}}, checked, "SMTPS is empty"},
      {{{"SPFBEHAVIOR", "0"}, {"SMTPS", " "}}, only_tls, "SMTPS is blank, which is not empty"},
      {{{"SPFBEHAVIOR", "0"}, {"SMTPS", "0"}}, aside, "SMTPS=0"},
      {{{"SPFBEHAVIOR", "0"}, {"SMTPS", "0 "}}, only_tls, "and a blank is not 0"},
      {{{"SPFBEHAVIOR", "1"}, {"SSL_PROTOCOL", "TLSv1.3"}}, checked, "TLS was done before us"},
      {{{"SPFBEHAVIOR", "0"}, {"SSL_PROTOCOL", "TLSv1.3"}}, aside, "and there is nothing to check"},
      {{{"SPFBEHAVIOR", "0"}, {"SPFCERT", "/nonexistent"}}, only_tls, "SPFCERT, whatever is there"},
  };
  for (const auto& c : cases)
    for (const bool certificate : {true, false}) {
      INFO(c.why << (certificate ? ", with" : ", without") << " servercert.pem");
      const Environment environment = with(with(client, {{"SMTPS", "1"}}), c.environment);
      const auto config = read(with(environment, {{"CONTROLDIR", certificate ? files.path() : bare.path()}}));
      REQUIRE(config.has_value() == (c.expected != aside));
      if (!config) continue;
      CHECK(config->smtps == (c.expected != checked));
      CHECK(config->only_tls == (c.expected == only_tls));
      CHECK(config->level == (c.expected == only_tls ? 0u : 1u));
    }
}

TEST_CASE("a control file that can't be read is an error") {
  for (const char* name : {"spfbehavior", "spfrules", "spfguess", "spfexp", "spffrom", "spfto",
                           "spfforwarders", "timeoutsmtpd"}) {
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
