// A queue program, as strict as qmail-queue: the message from descriptor 0, the
// envelope from 1, and nothing is queued but a message with a whole envelope.
//
// Environment:
//   QUEUE        a directory with tmp/ and new/; without it all is read, and
//                nothing kept. A queued message is new/PID,
//                put there in one step: envelope, LF, environment in lines of
//                SPF*, SSL_*, QMAILQUEUE and QUEUE_KEEP, LF, and the message.
//   QUEUE_FAULT  point=action,action;... Points: early (nothing was read), body
//                (some of the message was), message (all of it), envelope (that
//                too, and nothing is queued yet), queued; one that begins with
//                pass/, say, holds only for this SPFRESULT. Actions: exit:N,
//                orphan (kills the spfqueue that has started it),
//                signal:N, hang, closed (closes 0), say4:TEXT, say6:TEXT (on
//                that descriptor), signals (on 2: whether SIGPIPE is ignored,
//                and whether SIGUSR1 is blocked).
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "tests/programs/child_io.hh"

namespace {

using child::setting;
using child::take;

// Not who has inherited this program from it, or from whom it never came.
void kill_spfqueue() {
  const pid_t parent = getppid();
  char name[16] = {};
  const int comm = open(("/proc/" + std::to_string(parent) + "/comm").c_str(), O_RDONLY);
  if (read(comm, name, sizeof name - 1) > 0 && std::string_view(name) == "spfqueue\n") kill(parent, SIGKILL);
  close(comm);
}

void act(std::string_view action) {
  const std::string text(action.substr(action.find(':') + 1));
  if (action.starts_with("exit:")) _exit(atoi(text.c_str()));
  if (action.starts_with("signal:")) raise(atoi(text.c_str()));
  if (action == "hang") pause();
  if (action == "orphan") kill_spfqueue();
  if (action == "closed") close(0);
  if (action.starts_with("say") && write(action[3] - '0', text.data(), text.size()) < 0) _exit(99);
  if (action == "signals") {
    struct sigaction pipe;
    sigset_t mask;
    sigaction(SIGPIPE, nullptr, &pipe);
    sigprocmask(SIG_BLOCK, nullptr, &mask);
    dprintf(2, "%s %s\n", pipe.sa_handler == SIG_IGN ? "ignored" : "default",
            sigismember(&mask, SIGUSR1) ? "blocked" : "open");
  }
}

void fault(std::string_view point) {
  for (std::string_view rest = setting("QUEUE_FAULT"); !rest.empty();) {
    std::string_view actions = take(rest, ';');
    std::string_view where = take(actions, '=');
    if (where.find('/') != where.npos && take(where, '/') != setting("SPFRESULT")) continue;
    if (where != point) continue;
    while (!actions.empty()) act(take(actions, ','));
  }
}

std::string environment() {
  std::string text;
  for (char** entry = environ; *entry; ++entry)
    for (const std::string_view start : {"SPF", "SSL_", "QMAILQUEUE=", "QUEUE_KEEP="})
      if (std::string_view(*entry).starts_with(start)) text += std::string(*entry) + '\n';
  return text;
}

void put(int fd, const char* octets, size_t size) {
  if (write(fd, octets, size) != ssize_t(size)) _exit(53);
}

// F sender NUL, T recipient NUL as often as there are any, NUL.
bool is_whole(std::string_view envelope) {
  for (char kind = 'F'; !envelope.empty(); kind = 'T') {
    if (kind == 'T' && envelope == std::string_view("\0", 1)) return true;
    if (envelope.front() != kind || envelope.find('\0') == envelope.npos) return false;
    take(envelope, '\0');
  }
  return false;
}

}  // namespace

int main() {
  static char octets[65536];
  const std::string directory(setting("QUEUE")), number = std::to_string(getpid());
  const std::string body = directory + "/tmp/body" + number, whole = directory + "/tmp/" + number;
  fault("early");

  const bool keeps = !directory.empty();
  const int to = keeps ? open(body.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600) : open("/dev/null", O_WRONLY);
  if (to < 0) _exit(53);
  ssize_t count;
  while ((count = read(0, octets, sizeof octets)) > 0) {
    put(to, octets, count);
    fault("body");
  }
  if (count < 0) _exit(54);
  fault("message");

  std::string envelope;
  while (!is_whole(envelope) && (count = read(1, octets, sizeof octets)) > 0) envelope.append(octets, count);
  if (count < 0) _exit(54);
  if (!is_whole(envelope)) _exit(envelope.empty() ? 54 : 91);
  fault("envelope");
  if (!keeps) return 0;

  const int queued = open(whole.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  const std::string above = envelope + '\n' + environment() + '\n';
  put(queued, above.data(), above.size());
  lseek(to, 0, SEEK_SET);
  while ((count = read(to, octets, sizeof octets)) > 0) put(queued, octets, count);
  if (count < 0 || rename(whole.c_str(), (directory + "/new/" + number).c_str()) != 0) _exit(53);
  fault("queued");
  return 0;
}
