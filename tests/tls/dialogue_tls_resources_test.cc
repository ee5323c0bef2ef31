// What TLS costs and who has what: memory, descriptors, bounds where somebody
// does not read, and 50 MB octet by octet.
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <thread>

#include "tests/catch.hh"
#include "tests/support/mail_server.hh"
#include "tests/support/name_server.hh"
#include "tests/support/tls_client.hh"

using namespace test;

namespace {

constexpr const char* mail = "MAIL FROM:<a@pass.example.org>";
constexpr const char* rcpt = "RCPT TO:<b@example.org>";

std::string proc(pid_t pid, const std::string& name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

// Memory that belongs to this process alone, in kB; -1 where it can't be seen.
long private_memory(pid_t pid) {
  std::istringstream rollup(read_file(proc(pid, "smaps_rollup")));
  long sum = -1, size;
  for (std::string line; std::getline(rollup, line);)
    if (sscanf(line.c_str(), "Private_%*[^:]: %ld", &size) == 1) sum = std::max(sum, 0L) + size;
  return sum;
}

// How many of them are TCP connections.
int connections(pid_t pid) {
  std::set<std::string> all;
  std::istringstream table(read_file("/proc/net/tcp"));
  for (std::string line; std::getline(table, line);) {
    char inode[32];
    if (sscanf(line.c_str(), "%*s %*s %*s %*s %*s %*s %*s %*s %*s %31s", inode) == 1)
      all.insert("socket:[" + std::string(inode) + "]");
  }
  int count = 0;
  for (const auto& [fd, what] : descriptors(pid)) count += all.count(what);
  return count;
}

// spfwrap's children that are no child of tests/programs and no spftls.
pid_t evaluator_of(Wrapped& spfwrap) {
  pid_t found = 0;
  wait_until([&] {
    std::istringstream children(read_file(
        proc(spfwrap.process().pid(), "task/" + std::to_string(spfwrap.process().pid()) + "/children")));
    for (pid_t pid; children >> pid;)
      if (read_file(proc(pid, "comm")) == "spfwrap\n") found = pid;
    return found != 0;
  });
  return found;
}

}  // namespace

TEST_CASE("a TLS session that idles costs little memory") {
  if (left_out(sanitized(), "sanitizers need memory of their own")) return;
  for (const char* version : {"1.2", "1.3"}) {
    const TlsClient tls({"--version", version});
    Wrapped spfwrap(tls.before(level("3")));
    start_tls(spfwrap);
    CHECK(deliver(spfwrap, mail).ends_with("250 ok 1095 qp 4711\n"));
    const long wrap = private_memory(spfwrap.process().pid()),
               helper = private_memory(process_of(spfwrap, "spftls"));
    if (left_out(wrap < 0 || helper < 0, "the memory of spftls is for root to see")) return;
    INFO("spfwrap " << wrap << " kB, spftls " << helper << " kB");
    CHECK(helper > 0);
    CHECK(wrap + helper < 4000);
    printf("# TLS %s: spfwrap %ld kB, spftls %ld kB\n", version, wrap, helper);
  }
}

TEST_CASE("20 MB of address space, which qmail-smtpd is usually given, are enough") {
  if (left_out(sanitized(), "sanitizers need all address space there is")) return;
  const TlsClient tls;
  Setup setup = tls.before(level("3"));
  setup.before.insert(setup.before.end(), {"prlimit", "--as=20000000", "--"});
  Wrapped spfwrap(setup);
  CHECK(start_tls(spfwrap).starts_with("250"));
  CHECK(deliver(spfwrap, mail).ends_with("250 ok 1095 qp 4711\n"));
  CHECK(spfwrap.ask("QUIT") == "221 child.example");
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("the client's connection is spftls's alone") {
  SilentNameServer silence;
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3", silence.environment())));
  spfwrap.hello();
  const pid_t wrap = spfwrap.process().pid();
  CHECK(connections(wrap) == 2);  // descriptors 0 and 1
  CHECK(spfwrap.ask("STARTTLS") == "220 ready for tls");
  const pid_t helper = process_of(spfwrap, "spftls");
  CHECK(spfwrap.ask("EHLO x").starts_with("250"));
  spfwrap.client().send(std::string(mail) + "\r\n");
  const pid_t evaluator = evaluator_of(spfwrap), child = process_of(spfwrap, "child");
  REQUIRE(evaluator != 0);
  CHECK(connections(wrap) == 0);
  CHECK(connections(child) == 0);
  CHECK(connections(evaluator) == 0);  // it was forked after the handshake
  for (const auto& [fd, what] : descriptors(evaluator))
    CHECK(what.find(certificates().directory) == what.npos);

  // What all of them have was ours already.
  auto theirs = descriptors(helper);
  if (left_out(theirs.empty(), "the descriptors of spftls are for root to see")) return;
  CHECK(connections(helper) == 2);
  for (const auto& [fd, what] : descriptors(child)) CHECK(theirs.count(fd) == 1);
  for (const auto& [fd, what] : descriptors(child)) theirs.erase(fd);
  CHECK(theirs.size() == 1);
  CHECK(theirs.count(3) == 1);
}

TEST_CASE("nobody can look into spftls, and it leaves no core") {
  if (left_out(sanitized(), "a sanitizer's search for leaks has to look into it")) return;
  const TempDir files;
  for (const char* name : {"spfwrap", "spftls"})
    REQUIRE(run({"cp", program(name), files.file(name)}).code == 0);
  REQUIRE(run({"cp", test_program("child"), files.file("child")}).code == 0);
  const std::string certificate = files.write("server.pem", read_file(certificates().server));
  REQUIRE(chmod(certificate.c_str(), 0644) == 0);
  Setup setup = level("3", {{"SPFCERT", certificate}, {"CHILD_RECORD", "/dev/null"}});
  // Files in /proc of a process that may be looked into are its user's.
  const uid_t user = geteuid() == 0 ? 54321 : geteuid();
  if (geteuid() == 0) setup.before = {"setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"};
  setup.before.insert(setup.before.end(), {files.file("spfwrap"), files.file("child")});
  Wrapped spfwrap(setup);
  CHECK(spfwrap.hello().ask("STARTTLS") == "220 ready for tls");
  const pid_t helper = process_of(spfwrap, "spftls");
  struct stat wrap_status, helper_status;
  REQUIRE(stat(proc(spfwrap.process().pid(), "environ").c_str(), &wrap_status) == 0);
  REQUIRE(stat(proc(helper, "environ").c_str(), &helper_status) == 0);
  CHECK(wrap_status.st_uid == user);
  CHECK(helper_status.st_uid == 0);
  const std::string limits = read_file(proc(helper, "limits"));
  CHECK(limits.find("Max core file size        0                    0 ") != std::string::npos);
  CHECK(read_file(proc(helper, "status")).find("\nNoNewPrivs:\t1\n") != std::string::npos);
}

TEST_CASE("TLS costs no process to a client that sends in clear, whatever it is offered") {
  Wrapped spfwrap(level("3", {{"SPFCERT", certificates().server}}));
  CHECK(spfwrap.client().reply() == "220 child.example ESMTP");
  for (const char* hello : {"HELO mail.example.org", "EHLO mail.example.org"}) {
    CHECK(spfwrap.ask(hello).starts_with("250"));
    CHECK(spfwrap.process().group_size() == 2);  // spfwrap and the child
    CHECK(deliver(spfwrap, mail).ends_with("250 ok 1095 qp 4711\n"));
    // The process that has checked and the child of before are on their way.
    CHECK(wait_until([&] { return spfwrap.process().group_size() == 2; }));
  }
}

TEST_CASE("spftls is started by STARTTLS and SMTPS alone, and once a session") {
  const TempDir files;
  const std::string starts = files.file("starts");
  const OwnSpftls spftls("echo >>" + starts + "\nexec " + std::filesystem::absolute(program("spftls")).string() + " \"$@\"");
  const std::string good = certificates().server, bad = certificates().weak;
  const struct {
    const char* why;
    Environment environment;
    std::vector<std::string> said;
    std::string last;  // reply
    unsigned starts;
  } cases[] = {
      {"EHLO", {{"SPFCERT", good}}, {"EHLO x", "EHLO y", "HELO z", "EHLO x"}, "250 STARTTLS", 0},
      {"and mail", {{"SPFCERT", good}},
       {"EHLO x", mail, rcpt, "RSET", "EHLO x", mail, "MAIL FROM:<a@fail.example.org>", rcpt, "NOOP"}, "250 ok", 0},
      {"STARTTLS that is wrong", {{"SPFCERT", good}}, {"EHLO x", "STARTTLS x"}, "501 syntax error in parameters (#5.5.4)", 0},
      {"STARTTLS", {{"SPFCERT", good}}, {"EHLO x", "STARTTLS"}, "220 ready for tls", 1},
      {"STARTTLS after mail", {{"SPFCERT", good}}, {"EHLO x", mail, rcpt, "STARTTLS"}, "220 ready for tls", 1},
      {"STARTTLS hidden", {{"SPFCERT", good}, {"SPFSTARTTLS", "hide"}}, {"EHLO x", "STARTTLS"},
       "502 command not implemented (#5.5.1)", 0},
      {"a bad certificate", {{"SPFCERT", bad}}, {"STARTTLS", "EHLO x", "STARTTLS", mail, "STARTTLS"},
       "454 TLS not available (#4.3.0)", 1},
      {"none", {{"SPFCERT", "/nonexistent"}}, {"EHLO x", "STARTTLS", "STARTTLS"}, "454 TLS not available (#4.3.0)", 0},
  };
  unsigned expected = 0;
  for (const auto& c : cases) {
    INFO(c.why);
    Wrapped spfwrap(spftls.beside(level("3", c.environment)));
    spfwrap.client().reply();
    std::string reply;
    for (const std::string& line : c.said) reply = spfwrap.ask(line);
    CHECK(reply.ends_with(c.last));
    CHECK(spfwrap.finish() != -1);
    expected += c.starts;
    CHECK(read_file(starts).size() == expected);
  }
  Wrapped smtps(spftls.beside(level("3", {{"SPFCERT", bad}, {"SMTPS", "1"}})));
  CHECK(smtps.client().rest() == "");
  CHECK(smtps.finish() == 111);
  CHECK(read_file(starts).size() == expected + 1);
}

TEST_CASE("memory is bounded inside TLS whatever either side sends, and whatever it does not read", "[waits]") {
  const std::string long_help = "help=say:214-" + std::string(1500, 'x') + "\\r\\n214 x\\r\\n";
  const std::string open = std::string(mail) + "\r\n" + rcpt + "\r\nDATA\r\n";
  enum Takes { all, not_all };
  const struct {
    const char* why;
    const char* fault;
    std::string first, flood;
    Takes takes;
  } cases[] = {
      {"commands, replies never read", "", "", "NOOP\r\n", not_all},
      {"long replies, never read", long_help.c_str(), "", "HELP\r\n", not_all},
      {"one endless line", "", "", "xxxxxxxx", all},
      {"an endless message", "", open, "0123456789\r\n", all},
      {"an endless message that the child does not read", "data=say:354 go\\r\\n|hang", open, "0123456789\r\n", not_all},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    const TlsClient tls;
    Wrapped spfwrap(tls.before(level("3", {{"CHILD_FAULT", c.fault}, {"CHILD_RECORD", "/dev/null"}})));
    start_tls(spfwrap);
    spfwrap.client().send(c.first);
    std::string much;
    while (much.size() < 60000) much += c.flood;
    const std::size_t taken = spfwrap.client().flood(much, 20'000'000, c.takes == all ? patience : 300ms);
    CHECK((taken >= 20'000'000) == (c.takes == all));
    const pid_t helper = process_of(spfwrap, "spftls");
    const long memory = private_memory(helper);
    INFO(memory << " kB");
    CHECK(memory < (sanitized() ? 60000 : 4000));
    CHECK(private_memory(spfwrap.process().pid()) < (sanitized() ? 60000 : 2000));
    spfwrap.process().signal(SIGKILL);
    CHECK(spfwrap.process().wait());
  }
}

TEST_CASE("a client that resets while everybody's buffers are full of its message keeps nobody", "[waits]") {
  for (const char* how : {"reset", "cut", "notify"}) {
    INFO(how);
    Setup setup = level("3", {{"CHILD_FAULT", "data=say:354 go\\r\\n|hang"}});
    if (how != std::string("reset")) setup.control = {{"timeoutsmtpd", "1\n"}};
    const TlsClient tls({"--end", how});
    Wrapped spfwrap(tls.before(setup));
    start_tls(spfwrap);
    spfwrap.talk({mail, rcpt, "DATA"});
    CHECK(spfwrap.client().flood(std::string(4096, 'x'), 64 << 20) < (32 << 20));
    const pid_t helper = process_of(spfwrap, "spftls"), child = process_of(spfwrap, "child");
    spfwrap.client().close();
    CHECK(wait_until([&] { return kill(helper, 0) == -1; }));
    kill(child, SIGKILL);  // it would have 10 seconds
    CHECK(spfwrap.process().wait());
    CHECK(spfwrap.process().group_gone());
  }
}

TEST_CASE("a client that goes without having read its replies keeps nobody") {
  const std::string line = "214-" + std::string(1500, 'x') + "\\r\\n";
  std::string help = "help=say:";
  for (int i = 0; i < 8; ++i) help += line;
  // Some of the buffers on the way are full then, and one of them half.
  for (std::size_t size = 260'000; size <= 380'000; size += 30'000) {
    INFO(size);
    const TlsClient tls({"--end", "reset"});
    Wrapped spfwrap(tls.before(level("3", {{"CHILD_FAULT", help + "214 x\\r\\n"}})));
    start_tls(spfwrap);
    std::string commands;
    while (commands.size() < size) commands += "HELP\r\n";
    spfwrap.client().flood(commands, commands.size());
    const auto answered = [&] { return std::filesystem::file_size(spfwrap.files().file("record")); };
    for (std::size_t before = 0; wait_until([&] { return answered() > before; }, 100ms);) before = answered();
    spfwrap.client().close();
    CHECK(spfwrap.process().wait());
    CHECK(spfwrap.process().group_gone());
  }
}

TEST_CASE("a child that stops reading for a while loses nothing, nor does a client") {
  const std::string line = "214-" + std::string(1500, 'x') + "\\r\\n";
  std::string help = "help=say:";
  for (int i = 0; i < 8; ++i) help += line;
  const TlsClient tls;
  Wrapped spfwrap(tls.before(level("3", {{"CHILD_FAULT", help + "214 x\\r\\n"}})));
  start_tls(spfwrap);
  spfwrap.talk({mail, rcpt, "DATA"});
  std::string body;
  for (int i = 0; body.size() < 4 << 20; ++i) body += "line " + std::to_string(i) + " of a message\r\n";
  const pid_t child = spfwrap.last_run().pid;
  kill(child, SIGSTOP);
  const std::size_t taken = spfwrap.client().flood(body, body.size());
  kill(child, SIGCONT);
  CHECK(taken < body.size());
  CHECK(spfwrap.client().send(std::string_view(body).substr(taken)));

  constexpr int questions = 400;  // 5 MB of answers
  std::string commands = ".\r\n";
  for (int i = 0; i < questions; ++i) commands += "HELP\r\n";
  CHECK(spfwrap.client().send(commands));
  std::this_thread::sleep_for(500ms);
  CHECK(spfwrap.last_run().commands.size() <= questions);  // nobody has heard the answers
  spfwrap.client().half_close();
  const std::string replies = spfwrap.client().rest();
  CHECK(replies.starts_with("250 ok 1095 qp 4711\n214-xxx"));
  CHECK(replies.ends_with("\n214 x\n"));
  CHECK(std::count(replies.begin(), replies.end(), '\n') == 1 + questions * 9);
  CHECK(tls.end() == "end close_notify");
  CHECK(spfwrap.finish() == 0);
  const ChildRun run = spfwrap.last_run();
  REQUIRE(run.messages.size() == 1);
  CHECK(run.messages[0].ends_with("\r\n" + body));
}

namespace {

// Lines of all lengths with octets of all kinds, the same for each of them.
class Lines {
 public:
  Lines() {
    for (int i = 0; i < 100000; ++i) some_ += char(1 + random() % 255);
    for (char& c : some_)
      if (c == '\r' || c == '\n') c = '.';
  }
  std::string_view next() {
    const unsigned start = random() % 90000;
    return std::string_view(some_).substr(start, random() % 900);
  }

 private:
  unsigned random() { return (random_ = random_ * 1103515245 + 12345) >> 16; }

  unsigned random_ = 1;
  std::string some_ = {};
};

}  // namespace

TEST_CASE("50 MB come through octet by octet") {
  const TempDir files;
  const MailServer mail_host = mailfront_or_postfix(files);
  Setup setup = level("3", mail_host.environment);
  setup.prog = mail_host.prog;
  const TlsClient tls;
  Wrapped spfwrap(tls.before(setup));
  start_tls(spfwrap);
  CHECK(spfwrap.ask(mail).starts_with("250 "));
  CHECK(spfwrap.ask(rcpt).starts_with("250 "));
  CHECK(spfwrap.ask("DATA").starts_with("354 "));
  // It is made as it is sent, and again when it is compared: memory for all of it would
  // cost more than all else here.
  std::string part = "Subject: much\r\n\r\n";
  std::size_t size = part.size(), count = 0;
  bool all = true;
  for (Lines lines; size < 50'000'000; ++count) {
    const std::string_view line = lines.next();
    size += line.starts_with('.') + line.size() + 2;
    if (line.starts_with('.')) part += '.';
    part.append(line).append("\r\n");
    if (part.size() < 100'000 && size < 50'000'000) continue;
    all = all && spfwrap.client().send(part);
    part.clear();
  }
  CHECK(all);
  CHECK(spfwrap.client().ask(".").starts_with("250 "));
  CHECK(spfwrap.ask("QUIT").starts_with("221 "));
  CHECK(spfwrap.finish() == 0);
  const std::vector<Queued> queue = mail_host.queue();
  REQUIRE(queue.size() == 1);
  std::string_view queued = queue[0].content;
  CHECK(without_received(queued.substr(0, 10'000)).starts_with("Received-SPF: pass "));
  const std::string subject = "\nSubject: much\n\n";
  REQUIRE(queued.find(subject) != queued.npos);
  queued.remove_prefix(queued.find(subject) + subject.size());
  Lines lines;
  for (std::size_t same = 0; same < count; ++same) {
    const std::string_view line = lines.next();
    if (!queued.starts_with(line) || !queued.substr(line.size()).starts_with('\n')) FAIL("line " << same);
    queued.remove_prefix(line.size() + 1);
  }
  CHECK(queued.empty());
}
