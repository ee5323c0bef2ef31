// The run scripts and units of tests/examples/files, run by those that they are for: a client
// comes through to spfwrap, one message is refused, one arrives, and the log is kept.
#include "tests/catch.hh"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>

#include <filesystem>
#include <sstream>

#include "tests/examples/example.hh"
#include "tests/examples/fail2ban.hh"
#include "tests/queue/queue.hh"
#include "tests/support/name_server.hh"
#include "tests/support/smtp_client.hh"

using namespace test;

namespace {

const std::string rules = "127.:allow,TCPREMOTEIP=\"192.0.2.1\",SPFBEHAVIOR=\"3\"\n:allow,SPFBEHAVIOR=\"3\"\n";

// Of which AddressSanitizer wants terabytes.
const std::string address_space = sanitized() ? "1000000000000000" : "20000000";

// What the scripts find on a mail host: qmail's home, programs in PATH, rules, a queue,
// DNS, and a port for SMTP.
class MailHost {
 public:
  MailHost() : port_(std::stoi(run({test_program("free_port")}).out)) {
    for (const char* name : {"bin", "log", "services", "qmail", "qmail/bin", "qmail/control", "tcp.smtp.d"})
      files_.make_directory(name);
    files_.write("qmail/control/me", "mx.local\n");
    files_.script("qmail/bin/qmail-smtpd", "#!/bin/sh\nexec " + test_program("child") + "\n");
    for (const char* name : {"softlimit", "multilog", "supervise", "svscan", "chpst", "runsv", "svlogd", "tcpsvd",
                             "s6-softlimit", "s6-log", "s6-supervise"})
      link(name, debian_program(name));
    link("spfwrap", program("spfwrap"));

    const std::string file = files_.write("tcp.smtp", rules);
    REQUIRE(run({"sh", "-c", "tcprules \"$1.cdb\" \"$1.tmp\" <\"$1\"", "sh", file}).code == 0);
    files_.write("tcp.smtp.d/0", "+SPFBEHAVIOR=3\n");
    if (const std::string compiler = debian_program("ipsvd-cdb"); !compiler.empty())
      REQUIRE(run({compiler, file + ".d.cdb", file + ".d.tmp", file + ".d"}).code == 0);
  }

  const TempDir& files() const { return files_; }
  const Queue& queue() const { return queue_; }

  void link(const std::string& name, const std::string& program) const {
    if (!program.empty())
      std::filesystem::create_symlink(std::filesystem::absolute(program), files_.file("bin/" + name));
  }

  // What an example says of the host, and what holds here.
  Replacements replacements() const {
    return {{"/var/qmail", files_.file("qmail")},
            {"/var/log/qmail-smtpd", files_.file("log")},
            {"/etc/tcp.smtp", files_.file("tcp.smtp")},
            {"/usr/local/bin/", files_.file("bin/")},
            {"`id -u qmaild`", "0"},  // tcpserver stays who it is
            {"`id -g qmaild`", "0"},
            {"-u qmaild ", ""},
            {"s6-setuidgid qmaill ", ""},
            {"setuidgid qmaill ", ""},
            {"chpst -u qmaill ", ""},
            {"rblsmtpd -r zen.example \\\n", "\\\n"},  // there is no such DNS here
            {"20000000", address_space},
            {" 0 smtp ", " 127.0.0.1 " + std::to_string(port_) + " "}};
  }

  // An example's directory of a service; `log` is its logger's.
  void install(const std::string& run, const std::string& log, Replacements more = {}) const {
    for (const auto& each : replacements()) more.push_back(each);
    const std::string service = files_.make_directory("services/qmail-smtpd");
    files_.make_directory("services/qmail-smtpd/log");
    files_.script("services/qmail-smtpd/run", example(run, more));
    files_.script("services/qmail-smtpd/log/run", example(log, more));
    // svscan runs the logger only then.
    std::filesystem::permissions(service, std::filesystem::perms::sticky_bit, std::filesystem::perm_options::add);
  }

  // What a service inherits.
  Environment environment() const {
    Environment result = queue_.environment({{"PATH", files_.file("bin") + ":" + getenv("PATH")},
                                             {"LD_LIBRARY_PATH", unpacked("/libraries")},
                                             {"CONTROLDIR", files_.file("qmail/control")},
                                             {"QMAILQUEUE", Queue::prog()},
                                             {"CHILD_QUEUE", "1"},
                                             {"CHILD_RECORD", files_.file("record")}});
    result.merge(name_server().environment());
    return result;
  }

  int port() const { return port_; }
  std::string log() const { return read_file(files_.file("log/current")); }

  // One from loopback, as soon as somebody listens, with the greeting still to come.
  SmtpClient client(int family = AF_INET) const {
    Fd connected;
    REQUIRE(wait_until([&] {
      Fd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
      sockaddr_in ip4{};
      ip4.sin_family = AF_INET, ip4.sin_port = htons(port_), ip4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      sockaddr_in6 ip6{};
      ip6.sin6_family = AF_INET6, ip6.sin6_port = htons(port_), ip6.sin6_addr = in6addr_loopback;
      const bool done = (family == AF_INET ? connect(fd.get(), reinterpret_cast<sockaddr*>(&ip4), sizeof ip4)
                                           : connect(fd.get(), reinterpret_cast<sockaddr*>(&ip6), sizeof ip6)) == 0;
      if (done) connected = std::move(fd);
      return done;
    }));
    return SmtpClient(std::move(connected));
  }

 private:
  TempDir files_;
  Queue queue_;
  int port_;
};

// What a client sees: a fail refused at level 3, unless its address is the host's own,
// and a pass delivered.
void talk(SmtpClient client, bool own) {
  CHECK(client.reply() == "220 child.example ESMTP");
  CHECK(client.ask("EHLO mail.example.org").starts_with("250"));
  CHECK(client.ask("MAIL FROM:<a@fail.example.org>") == "250 ok");
  CHECK(client.ask("RCPT TO:<b@example.org>").substr(0, 3) == (own ? "250" : "550"));
  CHECK(client.ask("RSET").starts_with("250 "));
  CHECK(client.ask("MAIL FROM:<a@pass.example.org>") == "250 ok");
  CHECK(client.ask("RCPT TO:<b@example.org>") == "250 ok");
  CHECK(client.ask("DATA") == "354 go ahead");
  CHECK(client.ask("Subject: x\r\n\r\nx\r\n.").starts_with("250 "));
  CHECK(client.ask("QUIT").starts_with("221"));
}

bool contains(const std::string& text, const std::string& what) { return text.find(what) != text.npos; }

void check_arrived(const MailHost& host) {
  REQUIRE(host.queue().queued().size() == 1);
  CHECK(host.queue().queued()[0].message.starts_with("Received-SPF: pass "));
}

}  // namespace

TEST_CASE("under daemontools, runit, ipsvd and s6 the run scripts serve and log") {
  const struct { const char *run, *log, *needs, *command; bool own; } cases[] = {
      {"daemontools", "daemontools", "svscan", "exec svscan services", false},
      {"runit", "runit", "runsv", "exec runsv services/qmail-smtpd", false},
      {"ipsvd", "runit", "tcpsvd", "exec runsv services/qmail-smtpd", true},  // its rules name no other address
      // s6-svscan would do that, but wants to be installed.
      {"s6", "s6", "s6-supervise", "s6-supervise services/qmail-smtpd | s6-supervise services/qmail-smtpd/log", false},
  };
  std::string logs, refused;
  for (const auto& c : cases) {
    INFO(c.run);
    if (left_out(debian_program(c.needs).empty(), "no " + std::string(c.needs) + " here")) continue;
    const MailHost host;
    host.install(std::string(c.run) + "/qmail-smtpd/run", std::string(c.log) + "/qmail-smtpd/log/run");
    const Fd null = open_null(), errors = open_append(host.files().file("errors"));
    Process supervisor({"sh", "-c", "cd \"$0\"; " + std::string(c.command), host.files().path()}, host.environment(),
                       {null.get(), null.get(), errors.get()});
    talk(host.client(), c.own);
    INFO(read_file(host.files().file("errors")));
    check_arrived(host);
    const std::string address = c.own ? "127.0.0.1" : "192.0.2.1";
    CHECK(wait_until([&] { return contains(host.log(), " detail=pass "); }));
    INFO(host.log());
    CHECK(contains(host.log(), " remoteip=" + address + " "));
    if (!c.own) {
      logs += host.log();
      refused += "192.0.2.1\n";
    }
    // s6-supervise has it in a session of its own, and ends it.
    kill(-supervisor.pid(), SIGTERM);
    if (std::string(c.run) == "s6") CHECK(supervisor.group_gone());
  }
  if (fail2ban::there()) CHECK(fail2ban::banned(logs) == refused);
}

TEST_CASE("tcpserver of ucspi-tcp-ipv6 serves IPv4 and IPv6 by the same run script") {
  if (left_out(access(unpacked("/usr/bin/tcpserver").c_str(), X_OK) != 0, "no tcpserver of ucspi-tcp-ipv6 here")) return;
  // The script's 0 is both of these to it.
  const struct { const char* listens; int family; const char* address; } cases[] = {
      {"::1", AF_INET6, "::1"},
      {"::ffff:127.0.0.1", AF_INET, "192.0.2.1"},
  };
  for (const auto& c : cases) {
    INFO(c.listens);
    const MailHost host;
    host.link("tcpserver", unpacked("/usr/bin/tcpserver"));
    host.install("daemontools/qmail-smtpd/run", "daemontools/qmail-smtpd/log/run",
                 {{" 0 smtp ", " " + std::string(c.listens) + " " + std::to_string(host.port()) + " "}});
    const Fd null = open_null(), log = open_append(host.files().file("log/current"));
    const Process service({host.files().file("services/qmail-smtpd/run")}, host.environment(),
                          {null.get(), log.get(), log.get()});
    talk(host.client(c.family), c.family == AF_INET6);
    INFO(host.log());
    check_arrived(host);
    CHECK(contains(host.log(), " remoteip=" + std::string(c.address) + " "));
  }
}

TEST_CASE("systemd's socket and service serve") {
  const std::string activate = debian_program("systemd-socket-activate");
  if (left_out(activate.empty(), "no systemd here")) return;
  const MailHost host;
  Replacements replacements = host.replacements();
  // By systemd from PID 1 alone; without it the peer of the socket counts.
  replacements.insert(replacements.begin(), {"PROTO=TCP TCPREMOTEIP=${REMOTE_ADDR} TCPREMOTEPORT=${REMOTE_PORT} ", ""});
  const std::string unit = example("systemd/qmail-smtpd@.service", replacements), key = "\nExecStart=-";
  REQUIRE(contains(unit, key));
  const auto start = unit.find(key) + key.size();
  const std::string command = unit.substr(start, unit.find('\n', start) - start);

  const Fd null = open_null(), log = open_append(host.files().file("log/current"));
  Environment environment = host.environment();
  environment.emplace("SPFBEHAVIOR", "3");
  // It gives its services nothing but what it is told to.
  std::string pass;
  for (const auto& [name, value] : environment) pass += " -E " + name;
  const Process service({"sh", "-c",
                         "exec \"$0\" --accept --inetd -l 127.0.0.1:" + std::to_string(host.port()) + pass + " " + command,
                         activate},
                        environment, {null.get(), log.get(), log.get()});
  talk(host.client(), true);
  INFO(host.log());
  check_arrived(host);
  CHECK(contains(host.log(), " remoteip=127.0.0.1 "));
}

TEST_CASE("systemd takes the units") {
  const std::string analyze = debian_program("systemd-analyze");
  if (left_out(analyze.empty(), "no systemd here")) return;
  const TempDir files;
  for (const char* name : {"qmail-smtpd.socket", "qmail-smtpd@.service"})
    files.write(name, example(std::string("systemd/") + name, {{"/usr/local/bin/spfwrap", program("spfwrap")},
                                                               {"/var/qmail/bin/qmail-smtpd", "/bin/true"}}));
  // An unpacked one looks for its own units where it is not installed; the empty
  // path at the end stands for the usual ones.
  const std::string units = unpacked("/usr/lib/systemd/system") + ":" + unpacked("/lib/systemd/system") + ":";
  const Finished verified = run({analyze, "verify", "--man=no", files.file("qmail-smtpd.socket"), files.file("qmail-smtpd@x.service")},
                                {{"LD_LIBRARY_PATH", unpacked("/libraries")}, {"SYSTEMD_UNIT_PATH", units}});
  CHECK(verified.err == "");
  CHECK(verified.code == 0);
}
