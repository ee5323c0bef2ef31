// spfwrap as tcpserver would start it, mostly on a socket pair, with the child of
// tests/programs behind it and the shared name server for DNS, unless the
// environment says NAMESERVERS.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/child_record.hh"
#include "tests/support/connection.hh"
#include "tests/support/smtp_client.hh"
#include "tests/support/temp_dir.hh"

namespace test {

struct Setup {
  // Added to, or put over, a TCP connection from 192.0.2.1 (client.example).
  Environment environment = {};
  std::set<std::string> unset = {};  // names that environment shall not have
  Environment control = {};          // control files, name and contents
  Arguments prog = {};               // {} is the child of tests/programs
  Arguments before = {};             // what execs spfwrap: prlimit, sh, ...
  Over over = Over::pair;            // with packets the client can count spfwrap's writes
};

// A Setup for a behaviour level and more variables beside it.
Setup level(const std::string& spfbehavior, Environment more = {});

// "spfwrap: warning: pid P: what".
std::string warning_of(pid_t pid, const std::string& what);

class Wrapped {
 public:
  explicit Wrapped(const Setup& setup);

  SmtpClient& client() { return *client_; }
  Process& process() { return *process_; }
  const TempDir& files() const { return files_; }

  // Reads the greeting and says EHLO.
  Wrapped& hello(std::string_view name = "mail.example.org");

  std::string ask(std::string_view command) { return client_->ask(command); }
  std::string talk(std::initializer_list<std::string_view> c) { return client_->talk(c); }

  // Hangs up, waits until spfwrap and everything it started are gone, and
  // returns its exit code; -1 if something stays or a sanitizer complains.
  int finish();

  // What it wrote on descriptor 2, and the qlogenvelope lines of that.
  std::string errors() const { return read_file(files_.file("errors")); }
  std::vector<std::string> log() const;
  // Its own warning of that, as it stands there without line end.
  std::string warned(const std::string& what = "") const { return warning_of(process_->pid(), what); }

  std::vector<ChildRun> runs() const { return read_record(files_.file("record")); }
  ChildRun last_run() const;  // an empty one where none was started

 private:
  TempDir files_;
  std::unique_ptr<SmtpClient> client_;
  std::unique_ptr<Process> process_;
};

// One message to b@example.org in a session that said hello: the replies to
// MAIL, RCPT, DATA and the dot, each followed by \n; what is refused ends it.
std::string deliver(Wrapped& wrapped, const std::string& mail,
                    std::string_view body = "Subject: x\r\n\r\nx\r\n");

}  // namespace test
