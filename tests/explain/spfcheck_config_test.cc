// spfcheck -C, control files, and wrong usage.
#include <unistd.h>

#include "tests/catch.hh"
#include "tests/support/certificate.hh"
#include "tests/support/spfcheck.hh"
#include "tests/support/temp_dir.hh"

using namespace test;

namespace {

// Where a line had to be broken depends on the directory.
std::string unbroken(std::string text) {
  const std::string further_in = "\n" + std::string(19, ' ');
  for (std::size_t at; (at = text.find(further_in)) != text.npos;) text.replace(at, further_in.size(), " ");
  return text;
}

}  // namespace

TEST_CASE("-C shows each setting with its source") {
  Spfcheck spfcheck;
  const TempDir files;
  files.write("spfbehavior", "3\n");
  files.write("spfrules", "include:trusted.example\n");
  files.write("me", "mx.example\n");
  const Environment control = {{"CONTROLDIR", files.path()}, {"TCPLOCALHOST", "0"}};
  Environment more = control;
  more["SPFGUESS"] = "a/24 mx/24";
  const Finished run = spfcheck.run({"-C"}, more);
  CHECK(run.code == 0);
  CHECK(run.err == "");
  std::string out = run.out;
  for (std::size_t at; (at = out.find(files.path())) != out.npos;) out.replace(at, files.path().size(), "DIR");
  const std::string expected = R"(good

Settings
  CONTROLDIR     DIR (environment)
  SPFBEHAVIOR    3 (DIR/spfbehavior)
  me             mx.example (DIR/me)
  spffrom        none (default)
  spfto          none (default)
  spfforwarders  none (default)
  SPFHELO        0 (default)
  SPFDMARC       0 (default)
  SPFSHADOW      none (default)
  SPFRULES       include:trusted.example (DIR/spfrules)
  SPFGUESS       a/24 mx/24 (environment)
  SPFEXP         none (default)
  SPFANNOTATE    data (default)
  SPFHEADERTYPE  spf (default)
  SPFSTRIP       no (default)
  SPFAUTH        none (default)
  SPFSTARTTLS    hide (default)
  SPFTIMEOUT     20 (default)
  timeoutsmtpd   1200 (default)

What they mean
  level          3: checks; 451 on temperror; 550 on fail
  this host      mx.example
  TLS            none: STARTTLS is hidden
)";
  CHECK(out.substr(0, out.find("  name servers")) == expected);
  CHECK(spfcheck.dns.seen().empty());
}

TEST_CASE("-C shows the ID of Authentication-Results where it is of use") {
  Spfcheck spfcheck;
  const TempDir files, unreadable;
  const std::string file = files.write("authservid", "example.org\n");
  unreadable.make_directory("authservid");
  const struct { const TempDir& control; Environment environment; int code; std::string settings; } cases[] = {
      {files, {{"SPFANNOTATE", "queue"}, {"SPFHEADERTYPE", "both"}}, 0,
       "  SPFANNOTATE    queue (environment)\n  SPFHEADERTYPE  both (environment)\n  SPFSTRIP       own (default)\n"
       "  authservid     example.org (" + file + ")\n"},
      {files, {{"SPFSTRIP", "all"}}, 0, "  SPFSTRIP       all (environment)\n  authservid     example.org (" + file + ")\n"},
      {files, {{"SPFHEADERTYPE", "x"}}, 1, "  warning        bad SPFHEADERTYPE: x: using spf\n"},
      {unreadable, {}, 0, "  SPFSTRIP       no (default)\n  SPFAUTH "},
      {unreadable, {{"SPFHEADERTYPE", "ar"}}, 111, "authservid: Is a directory; no mail is taken\n"},
  };
  for (const auto& c : cases) {
    Environment environment = c.environment;
    environment.insert({{"CONTROLDIR", c.control.path()}, {"SPFBEHAVIOR", "3"}});
    const Finished run = spfcheck.run({"-C"}, environment);
    INFO(run.out);
    CHECK(run.code == c.code);
    CHECK(contains(unbroken(run.out), c.settings));
  }
}

TEST_CASE("-C tells what of the name servers can't be used") {
  Spfcheck spfcheck;
  const TempDir files;
  const Finished run = spfcheck.run({"-C"}, {{"CONTROLDIR", files.path()},
                                             {"SPFBEHAVIOR", "3"},
                                             {"NSCACHEIP", "dns.example 192.0.2.53"},
                                             {"RES_OPTIONS", "port:x port:5353"}});
  CHECK(run.code == 1);
  CHECK(run.out.starts_with("warnings\n"));
  for (const char* line : {"  warning        bad NSCACHEIP: no address of a name server: dns.example\n",
                           "  warning        bad RES_OPTIONS: no option: port:x\n",
                           "  name servers   192.0.2.53 port 5353\n"})
    CHECK(run.out.find(line) != run.out.npos);
}

TEST_CASE("-C shows what is done of TLS, and the certificate, which spftls tries") {
  Spfcheck spfcheck;
  const TempDir files, bare;
  const Certificates& good = certificates();
  const std::string cert = files.write("servercert.pem", read_file(good.server));
  const std::string ciphers = files.write("tlsserverciphers", "HIGH:!SHA1\n");
  const std::string terminated = "  SPFSTARTTLS    terminate (default)\n"
                                 "  SPFCERT        " + cert + " (default)\n"
                                 "  SPFKEY         " + cert + " (default)\n"
                                 "  tlsserverciphers HIGH:!SHA1 (" + ciphers + ")\n"
                                 "  SPFTIMEOUT ";
  const std::string tried = std::string("  tried by       ") +
                            (geteuid() == 0 ? "root, who can read what spfwrap's user may not"
                                            : "user " + std::to_string(geteuid())) +
                            "\n  name servers ";
  const struct {
    Environment environment;
    const TempDir& control;
    std::string settings, tls, after;
  } cases[] = {
      {{}, files, terminated, "after STARTTLS", "  certificate    mx.local\n"},
      {{{"SMTPS", "1"}}, files, terminated, "before the greeting (SMTPS)", "  certificate    mx.local\n"},
      {{{"SPFCERT", good.chain}, {"SPFKEY", good.key}}, bare,
       "  SPFSTARTTLS    terminate (default)\n"
       "  SPFCERT        " + good.chain + " (environment)\n"
       "  SPFKEY         " + good.key + " (environment)\n"
       "  tlsserverciphers none (default)\n",
       "after STARTTLS", "  certificate    mx.local\n"},
      {{{"SPFSTARTTLS", "hide"}, {"SMTPS", "1"}, {"SPFCERT", good.rsa}}, bare,
       "  SPFSTARTTLS    hide (environment)\n"
       "  SPFCERT        " + good.rsa + " (environment)\n"
       "  SPFKEY         " + good.rsa + " (default)\n",
       "before the greeting (SMTPS)", "  certificate    mx.local\n"},
      {{{"SPFCERT", "/c"}, {"SPFKEY", "/k"}}, bare,
       "  SPFCERT        /c (environment)\n"
       "  SPFKEY         /k (environment)\n",
       "not offered; STARTTLS is answered 454", "  name servers "},
      {{{"SPFCERT", "/c"}, {"SMTPS", "1"}}, bare, "  SPFCERT        /c (environment)\n",
       "before the greeting (SMTPS)", tried},
      {{{"SPFKEY", "/k"}}, files, "  SPFKEY         /k (environment)\n", "after STARTTLS", tried},
      {{{"SPFSTARTTLS", "hide"}}, files, "  SPFSTARTTLS    hide (environment)\n  SPFTIMEOUT ",
       "none: STARTTLS is hidden", "  name servers "},
      {{{"SPFSTARTTLS", "pass"}}, files, "  SPFSTARTTLS    pass (environment)\n  SPFTIMEOUT ",
       "left to prog: what follows STARTTLS is not seen", "  name servers "},
      {{{"SSL_PROTOCOL", "TLSv1.3"}, {"SMTPS", "1"}}, files,
       "  SPFSTARTTLS    hide (default)\n  SPFTIMEOUT ", "done before spfwrap; STARTTLS is hidden",
       "  name servers "},
  };
  for (const auto& c : cases) {
    Environment environment = c.environment;
    environment.insert({{"CONTROLDIR", c.control.path()}, {"SPFBEHAVIOR", "3"}});
    const Finished run = spfcheck.run({"-C"}, environment);
    INFO(run.out);
    CHECK(run.err == "");
    CHECK(contains(unbroken(run.out), c.settings));
    CHECK(contains(unbroken(run.out), "  TLS            " + c.tls + "\n" + c.after));
    if (c.after.starts_with("  certificate ")) {
      CHECK(run.out.starts_with("good\n"));
      CHECK(contains(run.out, " days left\n" + tried));
      CHECK(contains(run.out, "\n  valid until    20"));
    }
  }
}

TEST_CASE("-C warns of a certificate whose time is over or has not come") {
  Spfcheck spfcheck;
  const struct { std::string file; const char *warning, *until; } cases[] = {
      {certificates().old, "the certificate has expired: 2025-01-31", "  valid until    2025-01-31, "},
      {certificates().young, "the certificate is not valid before 2099-01-01T00:00:00Z", "  valid until    2099-12-31, "},
  };
  for (const auto& c : cases)
    for (const char* smtps : {"0", "1"}) {
      const Finished run = spfcheck.run({"-C"}, {{"SPFBEHAVIOR", "3"}, {"SPFCERT", c.file}, {"SMTPS", smtps}});
      INFO(run.out);
      CHECK(run.code == 1);
      CHECK(run.err == "");
      CHECK(run.out.starts_with("warnings\n  warning        " + std::string(c.warning) + "\n\n"));
      CHECK(contains(run.out, "  certificate    mx.example\n" + std::string(c.until)));
    }
}

TEST_CASE("-C tries the certificate with the rights that it has itself") {
  Spfcheck spfcheck;
  const TempDir files;
  for (const char* name : {"spfcheck", "spftls"}) REQUIRE(run({"cp", program(name), files.file(name)}).code == 0);
  const std::string secret = files.write("secret.pem", read_file(certificates().server));
  REQUIRE(run({"chmod", "0", secret}).code == 0);
  const std::string user = geteuid() == 0 ? "54321" : std::to_string(geteuid());
  Arguments somebody;
  if (geteuid() == 0) somebody = {"setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"};
  somebody.insert(somebody.end(), {files.file("spfcheck"), "-C"});
  const Environment environment{{"CONTROLDIR", "/nonexistent"}, {"SPFBEHAVIOR", "3"}, {"SPFCERT", secret},
                                {"NAMESERVERS", "192.0.2.53"}};
  const Finished done = run(somebody, environment);
  INFO(done.out);
  CHECK(done.code == 1);
  CHECK(contains(unbroken(done.out),
                 "  warning        " + secret + ": Permission denied; STARTTLS is offered, but answered 454\n"));
  CHECK(contains(done.out, "  tried by       user " + user + "\n"));
  REQUIRE(run({"rm", files.file("spftls")}).code == 0);
  CHECK(contains(unbroken(run(somebody, environment).out),
                 "  warning        unable to run spftls: No such file or directory; STARTTLS is offered, but answered 454\n"));
}

TEST_CASE("-C tells why a certificate can't be used, and that SMTPS then takes no mail") {
  Spfcheck spfcheck;
  const TempDir files, bare;
  const Certificates& good = certificates();
  const std::string cert = files.write("servercert.pem", read_file(good.server));
  const std::string none = bare.file("servercert.pem") + ": No such file or directory";
  const struct { const char* why; const TempDir& control; Environment environment; std::string missing; bool there = true; } cases[] = {
      {"there is one", files, {}, ""},
      {"where SPFCERT says", bare, {{"SPFCERT", cert}}, ""},
      {"the key is not", files, {{"SPFKEY", "/nonexistent/key"}}, "/nonexistent/key: No such file or directory"},
      {"it does not fit", files, {{"SPFKEY", good.other_key}}, good.other_key + ": key values mismatch"},
      {"no key is there", files, {{"SPFCERT", good.chain}}, good.chain + ": "},
      {"RSA of 1024 bits", files, {{"SPFCERT", good.weak}}, good.weak + ": ee key too small"},
      {"the file of SPFCERT is not", files, {{"SPFCERT", "/nonexistent/c"}}, "/nonexistent/c: No such file or directory", false},
      {"its directory is none", files, {{"SPFCERT", cert + "/c"}}, cert + "/c: Not a directory", false},
      {"nor is servercert.pem", bare, {{"SPFSTARTTLS", "terminate"}}, none, false},
  };
  for (const auto& c : cases)
    for (const char* behaviour : {"0", "3"}) {
      INFO(c.why << ", level " << behaviour);
      Environment environment = c.environment;
      environment.insert({{"CONTROLDIR", c.control.path()}, {"SPFBEHAVIOR", behaviour}});
      const bool warned = !c.missing.empty() || *behaviour == '0';
      const Finished clear = spfcheck.run({"-C"}, environment);
      INFO(clear.out);
      CHECK(clear.code == (warned ? 1 : 0));
      const std::string warning = c.there ? "  warning        " + c.missing : "  warning        TLS is not offered: " + c.missing + "\n";
      if (!c.missing.empty()) {
        CHECK(contains(unbroken(clear.out), warning));
        CHECK(contains(unbroken(clear.out), "; STARTTLS is offered, but answered 454\n") == c.there);
      }
      CHECK(contains(clear.out, "  certificate    mx.local\n") == c.missing.empty());

      for (const char* value : {"1", "yes"}) {
        environment["SMTPS"] = value;
        const Finished tls = spfcheck.run({"-C"}, environment);
        INFO(tls.out);
        CHECK(tls.code == (!c.missing.empty() ? 111 : *behaviour == '0' ? 1 : 0));
        CHECK(tls.out.starts_with("unreadable\n") == !c.missing.empty());
        if (!c.missing.empty())
          CHECK(contains(unbroken(tls.out), "  error          " + c.missing));
        CHECK(contains(unbroken(tls.out), "; with SMTPS no mail is taken\n") == !c.missing.empty());
        CHECK_FALSE(contains(tls.out, "TLS is not offered"));
        CHECK(contains(tls.out, "  TLS            before the greeting (SMTPS)\n"));
      }
    }
  // Without a certificate that anybody asked for there is nothing to warn of.
  CHECK(spfcheck.run({"-C"}, {{"CONTROLDIR", bare.path()}, {"SPFBEHAVIOR", "3"}}).code == 0);
  CHECK(spfcheck.run({"-q", "-C"}, {{"CONTROLDIR", bare.path()}, {"SPFBEHAVIOR", "3"}, {"SMTPS", "1"}}).out ==
        "unreadable\n");
  CHECK(spfcheck.run({"-q", "-C"}, {{"CONTROLDIR", bare.path()}, {"SPFBEHAVIOR", "3"}, {"SMTPS", "0"}}).out ==
        "good\n");
}

TEST_CASE("-C knows that SMTPS leaves something to do at level 0") {
  Spfcheck spfcheck;
  CHECK(contains(spfcheck.run({"-C"}).out, "  level          0: spfwrap steps aside\n"));
  CHECK(contains(spfcheck.run({"-C"}, {{"SMTPS", "1"}, {"SPFCERT", "/c"}}).out,
                 "  level          0: checks nothing\n"));
}

TEST_CASE("-C shows that AUTH waits for TLS, and is content where there is some") {
  Spfcheck spfcheck;
  const Environment ways[] = {{{"SPFBEHAVIOR", "1"}, {"SPFCERT", certificates().server}},
                              {{"SPFBEHAVIOR", "0"}, {"SPFCERT", certificates().server}, {"SMTPS", "1"}},
                              {{"SPFBEHAVIOR", "1"}, {"SPFSTARTTLS", "pass"}},
                              {{"SPFBEHAVIOR", "1"}, {"SSL_PROTOCOL", "TLSv1.3"}}};
  for (Environment environment : ways) {
    CHECK_FALSE(contains(spfcheck.run({"-C"}, environment).out, "\n  AUTH  "));
    environment["SPFAUTH"] = "tls";
    const Finished run = spfcheck.run({"-C"}, environment);
    INFO(run.out);
    CHECK(contains(run.out, "\n  SPFAUTH        tls (environment)\n"));
    CHECK(contains(run.out, "\n  AUTH           only in TLS (SPFAUTH)\n"));
    CHECK_FALSE(contains(run.out, "SPFAUTH=tls: "));
  }
}

TEST_CASE("-C warns of what will not be done") {
  Spfcheck spfcheck;
  const struct { Environment environment; const char* warning; } cases[] = {
      {{{"SPFBEHAVIOR", "0"}}, "the level is 0: spfwrap checks nothing"},
      {{{"SPFBEHAVIOR", "9"}}, "bad SPFBEHAVIOR: 9: using 1"},
      {{{"SPFBEHAVIOR", "3"}, {"RELAYCLIENT", ""}}, "RELAYCLIENT is set here: with it spfwrap checks nothing"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFRULES", "a moo"}}, "spfrules: left out: moo: unknown mechanism"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFGUESS", "redirect=a.example"}}, "spfguess: left out: redirect=a.example"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFEXP", "%{z}"}}, "spfexp: not used: bad macro"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFTIMEOUT", "1s"}}, "bad SPFTIMEOUT: 1s: using 20"},
      {{{"SPFBEHAVIOR", "3"}, {"SPFSTARTTLS", "pass"}}, "SPFSTARTTLS=pass"},
      {{{"SPFBEHAVIOR", "1"}, {"SPFAUTH", "no"}, {"SSL_PROTOCOL", "TLSv1.3"}}, "bad SPFAUTH: no: using tls"},
      {{{"SPFBEHAVIOR", "1"}, {"SPFAUTH", "tls"}}, "SPFAUTH=tls: there is no TLS, so nobody can authenticate\n"},
      {{{"SPFBEHAVIOR", "1"}, {"SPFAUTH", "tls"}, {"SPFCERT", "/c"}}, "SPFAUTH=tls: there is no TLS"},
      {{{"SPFBEHAVIOR", "0"}, {"SPFAUTH", "tls"}}, "SPFAUTH=tls: at level 0 spfwrap steps aside"},
  };
  for (const auto& c : cases) {
    const Finished run = spfcheck.run({"-C"}, c.environment);
    INFO(run.out);
    CHECK(run.code == 1);
    CHECK(run.out.starts_with("warnings\n"));
    CHECK(contains(run.out, "  warning        " + std::string(c.warning)));
    CHECK(spfcheck.run({"-q", "-C"}, c.environment).out == "warnings\n");
  }
}

TEST_CASE("-C knows no level where its file can't be read") {
  Spfcheck spfcheck;
  const TempDir files;
  files.make_directory("spfbehavior");
  const Environment control = {{"CONTROLDIR", files.path()}};
  const Finished run = spfcheck.run({"-C"}, control);
  INFO(run.out);
  CHECK(run.code == 111);
  CHECK(run.out.starts_with("unreadable\n"));
  CHECK(contains(unbroken(run.out), "  error          unable to read " + files.path() +
                                        "/spfbehavior: Is a directory; no mail is taken\n"));
  CHECK(contains(run.out, "\n  SPFBEHAVIOR    can't be read\n"));
  CHECK(contains(run.out, "\n  level          unknown: no mail is taken\n"));
  CHECK_FALSE(contains(run.out, "level is 0"));
  CHECK(contains(spfcheck.run({"-C", "--json"}, control).out, "\n  \"level\": null,\n"));
  // The variable is stronger, and the file not read.
  CHECK(spfcheck.run({"-C"}, {{"CONTROLDIR", files.path()}, {"SPFBEHAVIOR", "3"}}).code == 0);
}

TEST_CASE("-C shows the beginning of what is long, and how long it is") {
  Spfcheck spfcheck;
  const TempDir files;
  const std::string exp = files.write("spfexp", std::string(3000000, 'x') + "\n");
  const std::string rules = files.write("spfrules", "all" + std::string(2000000, 'y') + "\n");
  const Environment control = {{"CONTROLDIR", files.path()}, {"SPFBEHAVIOR", "3"}};
  const Finished run = spfcheck.run({"-C"}, control);
  CHECK(run.code == 1);
  CHECK(run.out.size() < 5000);
  INFO(run.out);
  CHECK(contains(unbroken(run.out), "  SPFEXP         " + std::string(500, 'x') + "... (3000000 octets) (" + exp + ")\n"));
  CHECK(contains(unbroken(run.out), "yyy... (2000003 octets) (" + rules + ")\n"));
  CHECK(contains(unbroken(run.out), "  warning        spfrules: left out: allyyy"));
  CHECK(spfcheck.run({"-C", "--json"}, control).out.size() < 5000);
  CHECK(spfcheck.run({"192.0.2.1", "h", "a@b.example"}, control).out.size() < 5000);

  // Over what a list may have it is not read at all.
  files.write("spfexp", std::string(5000000, 'x'));
  const Finished too_long = spfcheck.run({"-C"}, control);
  CHECK(too_long.code == 111);
  CHECK(too_long.out.size() < 5000);
  CHECK(contains(too_long.out, "\n  SPFEXP         can't be read\n"));
}

TEST_CASE("-C names each line of a list that can't be used by its number") {
  Spfcheck spfcheck;
  const TempDir files;
  files.write("spffrom", "# ours\n@a.example:9\na.example:1\n\n@.:1\n@b.example\n@c.example:1\n");
  files.write("spfto", "postmaster@:1\njoe:1\n");
  files.write("spfforwarders", "f.example\n192.0.2.0/33\n");
  const Finished run = spfcheck.run({"-C"}, {{"CONTROLDIR", files.path()}, {"SPFBEHAVIOR", "3"}});
  INFO(run.out);
  CHECK(run.code == 1);
  for (const char* start : {"spffrom: left out: line 2: ", "spffrom: left out: line 3: ", "spffrom: left out: line 5: ",
                            "spffrom: left out: line 6: ", "spfto: left out: line 2: ", "spfforwarders: line 2: "})
    CHECK(contains(run.out, "  warning        " + std::string(start)));
  CHECK_FALSE(contains(run.out, "line 7"));
  CHECK_FALSE(contains(run.out, "line 1:"));
}

TEST_CASE("-C names ciphers that are none, without which there is no TLS") {
  Spfcheck spfcheck;
  const TempDir files;
  files.write("servercert.pem", read_file(certificates().server));
  files.write("tlsserverciphers", "HIHG\n");
  const Environment control = {{"CONTROLDIR", files.path()}, {"SPFBEHAVIOR", "3"}};
  const Finished clear = spfcheck.run({"-C"}, control);
  INFO(clear.out);
  CHECK(clear.code == 1);
  CHECK(clear.out.starts_with("warnings\n"));
  CHECK(contains(unbroken(clear.out),
                 "  warning        ciphers HIHG: no cipher match; STARTTLS is offered, but answered 454\n"));
  CHECK_FALSE(contains(clear.out, "  certificate "));
  Environment smtps = control;
  smtps["SMTPS"] = "1";
  const Finished tls = spfcheck.run({"-C"}, smtps);
  INFO(tls.out);
  CHECK(tls.code == 111);
  CHECK(contains(unbroken(tls.out), "  error          ciphers HIHG: no cipher match; with SMTPS no mail is taken\n"));
  files.write("tlsserverciphers", "HIGH\n");
  CHECK(spfcheck.run({"-C"}, control).code == 0);
}

TEST_CASE("control files that can't be read are trouble") {
  Spfcheck spfcheck;
  const TempDir files;
  files.make_directory("spfrules");  // root reads any file, but no directory
  files.make_directory("spfexp");
  const Environment control = {{"CONTROLDIR", files.path()}};
  const Finished all = spfcheck.run({"-C"}, control);
  CHECK(all.code == 111);
  CHECK(all.out.starts_with("unreadable\n"));
  CHECK(contains(all.out, files.path() + "/spfrules"));
  CHECK(contains(all.out, files.path() + "/spfexp"));
  for (const Arguments& arguments : {Arguments{"192.0.2.1", "h", "a@b.example"}, Arguments{"b.example"}}) {
    const Finished run = spfcheck.run(arguments, control);
    CHECK(run.code == 111);
    CHECK(run.out == "");
    CHECK(run.err == "spfcheck: fatal: unable to read " + files.path() + "/spfrules: Is a directory\n");
  }
}

TEST_CASE("wrong usage is explained") {
  Spfcheck spfcheck;
  const struct { Arguments arguments; const char* why; } cases[] = {
      {{}, "usage: "},
      {{"192.0.2.1", "h"}, "usage: "},
      {{"192.0.2.1", "h", "a@b", "c", "d"}, "usage: "},
      {{"-C", "example.org"}, "usage: "},
      {{"-x"}, "fatal: unknown option: -x"},
      {{"--xml"}, "fatal: unknown option: --xml"},
      {{"--json=x", "-C"}, "fatal: unknown option: --json=x"},
      {{"-q", "--json", "-C"}, "usage: "},
      {{"--json"}, "usage: "},
      {{"192.0.2", "h", "a@b.example"}, "fatal: no IP address: 192.0.2"},
      {{"192.0.2.1", "h", "a b@c.example"}, "fatal: no sender that MAIL can have: a b@c.example"},
      {{"192.0.2.1", "h", "<a@c.example> SIZE=1"}, "fatal: no sender that MAIL can have: "},
      {{"192.0.2.1"}, "fatal: HELO and sender are missing after 192.0.2.1"},
      {{"a@example.org"}, "fatal: no domain name: a@example.org"},
      {{"localhost"}, "fatal: no domain name: localhost"},
      {{""}, "fatal: no domain name: "},
      {{"a..example"}, "fatal: no domain name: a..example"},
  };
  for (const auto& c : cases) {
    const Finished run = spfcheck.run(c.arguments);
    INFO(run.err);
    CHECK(run.code == 100);
    CHECK(run.out == "");
    CHECK(run.err.starts_with("spfcheck: " + std::string(c.why)));
    CHECK(contains(run.err, "spfcheck [ -q | --json ] ip helo sender [ recipient ]\n"));
  }
}
