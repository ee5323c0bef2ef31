#include "spf/queue/handover.hh"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "spf/base/descriptor.hh"
#include "spf/base/header_field.hh"
#include "spf/base/log.hh"
#include "spf/base/process.hh"
#include "spf/base/read_write.hh"

namespace spf {
namespace {

constexpr int large_pipe = 1 << 20;
constexpr int message_in = 0, envelope_in = 1;

enum class Copied {
  whole,
  unread,   // an error on our side
  untaken,  // the program's side is closed: its exit code says why
};

// One read's octets; nothing at the end of file, with `error` set to 0, or where
// they can't be read.
std::string_view read_some(int from, int& error) {
  static char octets[65536];
  for (;;) {
    const ssize_t count = read(from, octets, sizeof octets);
    if (count < 0 && errno == EINTR) continue;
    error = count < 0 ? errno : 0;
    return {octets, count < 0 ? 0 : std::size_t(count)};
  }
}

// After a read that gave nothing.
Copied end_of_input(int error) {
  if (error == 0) return Copied::whole;
  write_fatal(std::string("unable to read: ") + std::strerror(error));
  return Copied::unread;
}

Copied copy_by_hand(int from, int to) {
  for (;;) {
    int error;
    const std::string_view octets = read_some(from, error);
    if (octets.empty()) return end_of_input(error);
    if (!write_all(to, octets)) return Copied::untaken;
  }
}

// Its end is a NUL where one more recipient would begin (qmail-queue(8)): then
// the program is content, and may have gone before the server closes.
Copied copy_envelope(int to) {
  for (bool begins = true;;) {
    int error;
    const std::string_view octets = read_some(envelope_in, error);
    if (octets.empty()) return end_of_input(error);
    bool over = false;
    std::size_t size = 0;
    while (size < octets.size() && !over) {
      const bool nul = octets[size++] == '\0';
      over = nul && begins;
      begins = nul;
    }
    if (!write_all(to, octets.substr(0, size))) return Copied::untaken;
    if (over) return Copied::whole;
  }
}

// What stands in a pipe or a file need not come through our memory.
Copied copy(int from, int to) {
  constexpr std::size_t much = 1 << 20;
  for (;;) {
    const ssize_t count = splice(from, nullptr, to, nullptr, much, SPLICE_F_MOVE);
    if (count == 0) return Copied::whole;
    if (count > 0 || errno == EINTR) continue;
    // What else there is to say against it, read() and write() say better.
    return errno == EPIPE ? Copied::untaken : copy_by_hand(from, to);
  }
}

// Reads the message's beginning, whatever there is of it, and puts it behind `text`,
// and goes on until that is more than `most` octets. Nothing where there may be more.
std::optional<Copied> read_message(std::string& text, std::size_t most) {
  bool first = true;
  do {
    int error;
    const std::string_view octets = read_some(message_in, error);
    if (octets.empty()) return end_of_input(error);
    if (std::exchange(first, false)) text += without_cr(std::string(guard_before(octets.front())));
    text += octets;
  } while (text.size() <= most);
  return {};
}

InheritedSignals ignore_pipe() {
  InheritedSignals signals;
  sigprocmask(SIG_BLOCK, nullptr, &signals.mask);
  signals.ignore_pipe = signal(SIGPIPE, SIG_IGN) == SIG_IGN;
  signal(SIGCHLD, SIG_DFL);  // ignored, it would hide how the program ends
  return signals;
}

bool is_open(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0;
}

// The program in our place, with all of the message in its pipe: it and the server
// are alone then, and each hears from the other how it ends.
[[noreturn]] void become(char* const* argv, std::vector<char*> environment, Pipe message,
                         std::string_view text) {
  if (!write_all(message.write_end.get(), text) || dup2(message.read_end.get(), message_in) < 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  environment.push_back(nullptr);
  execvpe(argv[0], argv, environment.data());
  throw std::system_error(errno, std::generic_category(), argv[0]);
}

// The program beside us, with what begins the message, and all that is still to come.
int feed(char* const* argv, std::vector<char*> environment, Pipe message, std::string_view text) {
  Pipe envelope = make_pipe();
  const InheritedSignals signals = ignore_pipe();
  Process program =
      Process::spawn(argv, std::move(environment),
                     {.input = message.read_end.get(), .output = envelope.read_end.get()}, signals);
  message.read_end.reset();
  envelope.read_end.reset();

  // Two who wait for each other at each full pipe do so less often. Where it
  // stays small, it is as good.
  fcntl(message.write_end.get(), F_SETPIPE_SZ, large_pipe);

  Copied copied = write_all(message.write_end.get(), text) ? copy(message_in, message.write_end.get())
                                                           : Copied::untaken;
  if (copied == Copied::whole) {
    message.write_end.reset();
    copied = copy_envelope(envelope.write_end.get());
  }
  envelope.write_end.reset();
  message.write_end.reset();

  const int status = program.wait();
  if (!WIFEXITED(status)) {
    write_fatal(std::string(argv[0]) + ": ended" + end_text(status));
    return queue_bug;
  }
  if (WEXITSTATUS(status) != 0) return WEXITSTATUS(status);
  // It may be content with less than there is; who waits for us may not be.
  if (copied == Copied::untaken) return queue_write_error;
  return copied == Copied::unread ? queue_read_error : 0;
}

}  // namespace

int hand_over(char* const* argv, std::vector<char*> environment, std::string_view header) {
  if (!is_open(message_in) || !is_open(envelope_in)) {
    write_fatal("no message on descriptor 0, or no envelope on 1");
    return queue_read_error;
  }
  // The one of its ends that 2 could become is never written to.
  Pipe message = make_pipe();
  const int room = fcntl(message.write_end.get(), F_GETPIPE_SZ);
  std::string text(header);
  const std::optional<Copied> read = read_message(text, room > 0 ? room : 0);
  if (read == Copied::unread) return queue_read_error;
  if (read) become(argv, std::move(environment), std::move(message), text);
  return feed(argv, std::move(environment), std::move(message), text);
}

}  // namespace spf
