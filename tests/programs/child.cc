// A small SMTP server on descriptors 0 and 1, as strict as qmail-smtpd, that
// records what happened to it and misbehaves where a test wants it to.
//
// Environment, all optional:
//   CHILD_RECORD  file to append to (tests/support/child_record.hh reads it).
//                 Without it, or with /dev/null, nothing is recorded, and
//                 this is a fast server whose queue only counts.
//   CHILD_EHLO    EHLO keywords, separated by |
//   CHILD_FAULT   point=action|action...;point=... where to misbehave, and how.
//                 Points: connect (before the greeting), greeting, body (the
//                 first octets after 354), queue (the end of the message,
//                 before it is recorded), dot (after that), eof, and each
//                 command in lower case. A point that begins with 2/ holds
//                 only in a process that was given an SPF result, one with
//                 fail/, say, only where it is this one.
//                 Actions, in place of the reply: say:TEXT (\r \n \xHH), die,
//                 exit:N, hang (for good), stall (until end of file), endless
//                 (continuation lines), quiet (nothing), normal (as usual).
//   CHILD_SPLIT   set: every reply is written octet by octet
//   CHILD_LAX     lf: LF alone ends a line of a message too, as in some real
//                 servers; cr: CR alone as well, as in none we know
//   CHILD_GREET   milliseconds to look out for early input before the greeting
//   CHILD_QUEUE   set: it honours QMAILQUEUE, as netqmail does: what that exits
//                 with but 0 is 451, and 554 for 31
//   CHILD_EXIT    exit code after QUIT or end of file
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "tests/programs/child_io.hh"

namespace {

using child::escape;
using child::input;
using child::record;
using child::reply;
using child::setting;

[[noreturn]] void end(const char* how, int code) {
  record("end", how);
  _exit(code);
}

[[noreturn]] void end_of_file(const char* how);

[[noreturn]] void stall() {
  while (input.fill()) input.clear();
  end_of_file("eof");
}

// Does what CHILD_FAULT wants at `point`; true if that was all.
bool fault(std::string_view point) {
  static const std::string_view faults = setting("CHILD_FAULT");
  if (faults.empty()) return false;
  for (std::string_view rest = faults; !rest.empty();) {
    std::string_view actions = child::take(rest, ';');
    std::string_view where = child::take(actions, '=');
    if (where.find('/') != where.npos) {
      const std::string_view result = child::take(where, '/');
      if (!getenv("SPFRESULT") || (result != "2" && result != getenv("SPFRESULT"))) continue;
    }
    if (where != point) continue;
    bool normal = false;
    while (!actions.empty()) {
      const std::string_view action = child::take(actions, '|');
      if (action.starts_with("say:")) reply(escape(action.substr(4)));
      if (action == "die") end("fault", 1);
      if (action.starts_with("exit:")) end("fault", atoi(action.data() + 5));
      if (action == "hang") for (;;) pause();
      if (action == "stall") stall();
      if (action == "endless") for (;;) reply("250-and so on\r\n");
      if (action == "normal") normal = true;
    }
    return !normal;
  }
  return false;
}

[[noreturn]] void end_of_file(const char* how) {
  fault("eof");
  end(how, atoi(setting("CHILD_EXIT", "0").data()));
}

// Dialogue

bool saw_mail = false, saw_rcpt = false;
std::string sender;

void greet() {
  fault("connect");
  if (const int patience = atoi(setting("CHILD_GREET", "0").data())) {
    pollfd p{0, POLLIN, 0};
    if (poll(&p, 1, patience) == 1) record("early-input", "");
  }
  if (!fault("greeting")) reply("220 child.example ESMTP\r\n");
}

void ehlo() {
  saw_mail = saw_rcpt = false;
  std::string text = "250-child.example\r\n";
  std::string_view keywords = setting("CHILD_EHLO", "PIPELINING|8BITMIME");
  while (!keywords.empty()) {
    const std::string_view keyword = child::take(keywords, '|');
    text.append(keywords.empty() ? "250 " : "250-").append(keyword).append("\r\n");
  }
  reply(text);
}

void auth(std::string_view argument) {
  const bool login = strncasecmp(argument.data(), "LOGIN", 5) == 0;
  const bool initial = argument.find(' ') != argument.npos;
  std::string_view last = argument;
  for (int prompts = login ? 2 : initial ? 0 : 1; prompts > 0; --prompts) {
    reply(!login ? "334 \r\n" : prompts == 2 ? "334 VXNlcm5hbWU6\r\n" : "334 UGFzc3dvcmQ6\r\n");
    if (!input.line(last)) end_of_file("eof");
    record("command", last);
    if (last == "*") return reply("501 auth exchange cancelled (#5.0.0)\r\n");
  }
  reply(last.ends_with("bad") ? "535 authentication failed (#5.7.1)\r\n"
                              : "235 ok, go ahead (#2.0.0)\r\n");
}

bool queues() { return !setting("CHILD_QUEUE").empty() && getenv("QMAILQUEUE"); }

void write_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = write(fd, octets.data(), octets.size());
    if (count < 0) break;
    octets.remove_prefix(count);
  }
  close(fd);
}

// The exit code of the queue program, or of a shell for one that a signal killed.
int run_queue(std::string_view content) {
  std::string message = "Received: from unknown (HELO client) (" + std::string(setting("TCPREMOTEIP")) +
                        ")\n  by child.example with SMTP; 1 Jan 2027 00:00:00 -0000\n";
  for (const char c : content) {
    if (c == '\n' && message.back() == '\r') message.pop_back();
    message += c;
  }
  int to_message[2], to_envelope[2];
  if (pipe2(to_message, O_CLOEXEC) != 0 || pipe2(to_envelope, O_CLOEXEC) != 0) return 51;
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(to_message[0], 0);
    dup2(to_envelope[0], 1);
    execl(getenv("QMAILQUEUE"), getenv("QMAILQUEUE"), nullptr);
    _exit(120);
  }
  close(to_message[0]);
  close(to_envelope[0]);
  signal(SIGPIPE, SIG_IGN);
  write_all(to_message[1], message);
  write_all(to_envelope[1], 'F' + sender + '\0' + "Tb@mx.local" + '\0' + '\0');
  int status = 0;
  waitpid(pid, &status, 0);
  signal(SIGPIPE, SIG_DFL);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void data() {
  if (!saw_mail) return reply("503 MAIL first (#5.5.1)\r\n");
  if (!saw_rcpt) return reply("503 RCPT first (#5.5.1)\r\n");
  saw_mail = saw_rcpt = false;
  reply("354 go ahead\r\n");
  if (!input.ready() && !input.fill()) end_of_file("eof-in-data");
  if (!fault("body")) {
    child::Message message(child::recording() || queues());
    const std::string_view lax = setting("CHILD_LAX");
    switch (lax.empty() ? message.read(input) : message.read_lax(input, lax == "cr")) {
      case child::Message::complete: break;
      case child::Message::cut: end_of_file("eof-in-data");
      case child::Message::bare_lf:
        reply("451 See https://cr.yp.to/docs/smtplf.html.\r\n");
        end("bare-lf", 1);
    }
    if (fault("queue")) return;
    record("message", message.text());
    if (queues())
      if (const int code = run_queue(message.text()))
        return reply((code == 31 ? "554 qq " : "451 qq ") + std::to_string(code) + "\r\n");
  }
  if (!fault("dot")) reply("250 ok 1095 qp 4711\r\n");
}

// Everything after STARTTLS comes back as it is.
[[noreturn]] void echo() {
  while (input.ready() || input.fill()) {
    reply(input.bytes());
    input.clear();
  }
  end_of_file("eof");
}

void obey(std::string_view line) {
  std::string verb(line.substr(0, line.find(' ')));
  for (char& c : verb) c |= 32;
  const std::string_view argument = line.substr(verb.size() + (verb.size() < line.size()));
  if (fault(verb)) return;
  if (verb == "ehlo") return ehlo();
  if (verb == "mail") {
    const std::size_t open = argument.find('<');
    sender = argument.substr(open + 1, argument.find('>') - open - 1);
    saw_mail = true, saw_rcpt = false;
    return reply("250 ok\r\n");
  }
  if (verb == "rcpt") {
    saw_rcpt = saw_mail;
    return reply(saw_mail ? "250 ok\r\n" : "503 MAIL first (#5.5.1)\r\n");
  }
  if (verb == "data") return data();
  if (verb == "auth") return auth(argument);
  if (verb == "helo" || verb == "rset") {
    saw_mail = saw_rcpt = false;
    return reply(verb == "helo" ? "250 child.example\r\n" : "250 flushed\r\n");
  }
  if (verb == "noop") return reply("250 ok\r\n");
  if (verb == "help") return reply("214 https://example.org/help\r\n");
  if (verb == "vrfy" || verb == "expn") return reply("252 send some mail\r\n");
  if (verb == "quit") {
    reply("221 child.example\r\n");
    end("quit", atoi(setting("CHILD_EXIT", "0").data()));
  }
  if (verb == "starttls") {
    reply("220 ready for tls\r\n");
    echo();
  }
  reply("502 unimplemented (#5.5.1)\r\n");
}

}  // namespace

int main(int argc, char** argv) {
  child::record_start(argc, argv);
  greet();
  for (std::string_view line; input.line(line);) {
    record("command", line);
    const std::string command(line);
    if (child::recording() && input.more_now()) record("ahead", command);
    obey(command);
  }
  end_of_file("eof");
}
