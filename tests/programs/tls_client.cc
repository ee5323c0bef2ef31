// tls_client [OPTION...] REPORT PROG [ARG...]
//
// Runs PROG on a TCP connection, and at its other end speaks TLS for whoever is on
// descriptor 0: in clear at first, from the 220 to STARTTLS on inside TLS. REPORT
// is a file that gets a line for each thing that only TLS shows:
//
//     established PROTOCOL CIPHER     the handshake is done
//     failed REASON                   it is not
//     end close_notify                the server ended as TLS wants it
//     end cut, end reset              it did not
//
//     --smtps           TLS comes first
//     --version V       1.2 or 1.3 alone
//     --ciphers LIST    for TLS 1.2
//     --name NAME       the server's (SNI)
//     --ca FILE         the server's chain must end here
//     --piece N         TLS goes out in pieces of at most N octets
//     --end HOW         when descriptor 0 ends: notify (close_notify, then FIN),
//                       cut (FIN alone), reset, forged (a record of somebody
//                       else's, then FIN)
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

#include "tests/programs/client_tls.hh"
#include "tests/support/connection.hh"

namespace {

using Result = client::Tls::Result;

constexpr std::size_t bound = 1 << 16;  // on what waits in each direction

struct Options {
  bool smtps = false;
  client::Tls::Settings tls = {};
  std::size_t piece = bound;
  std::string end = "notify", report = {};
};

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Nothing at its end.
std::string receive(int fd) {
  std::string octets(bound, '\0');
  const ssize_t count = recv(fd, octets.data(), octets.size(), 0);
  if (count < 0) throw_errno("recv");
  octets.resize(count);
  return octets;
}

// Sends what goes at once of the first `most` octets, and takes it away.
void send_some(int fd, std::string& octets, std::size_t most = bound) {
  const ssize_t count = send(fd, octets.data(), std::min(most, octets.size()), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN) throw_errno("send");
  if (count > 0) octets.erase(0, count);
}

class Client {
 public:
  Client(const Options& options, int plain, int wire) : options_(options), plain_(plain), wire_(wire) {
    if (options.smtps) start_tls();
  }

  // Throws std::system_error where one of the two others has gone.
  void run() {
    while (!gone_ && !(wire_ended_ && to_plain_.empty())) {
      if (plain_ended_ && !told_ && to_wire_.empty()) {
        end();
        continue;
      }
      const auto [plain, wire] = wait();
      if (plain & POLLIN) {
        from_plain(receive(plain_));
      } else if (plain & POLLHUP && !(wire & POLLOUT)) {
        if (!told_) end();
        return;
      }
      if (wire & (POLLIN | POLLHUP | POLLERR) && !wire_ended_) read_wire();
      if (wire & POLLOUT) send_some(wire_, to_wire_, options_.piece);
      if (plain & POLLOUT) send_some(plain_, to_plain_);
    }
  }

 private:
  void report(const std::string& line) const { std::ofstream(options_.report, std::ios::app) << line + '\n'; }

  void start_tls() {
    tls_.emplace(options_.tls);
    handshake();
  }

  void handshake() {
    const Result result = tls_->handshake();
    if (result == Result::done) {
      established_ = true;
      report("established " + tls_->protocol() + ' ' + tls_->cipher());
    } else if (result != Result::wants_more) {
      report("failed " + tls_->reason());
      say(tls_->to_send());  // the alert
      wire_ended_ = true;
    }
    to_wire_ += tls_->to_send();
  }

  // At once, and before all that waits.
  void say(std::string octets) const {
    for (pollfd p{wire_, POLLOUT, 0}; !octets.empty(); send_some(wire_, octets)) poll(&p, 1, -1);
  }

  void from_plain(const std::string& octets) {
    if (octets.empty()) {
      plain_ended_ = true;
    } else if (tls_) {
      gone_ = !tls_->write(octets);
      to_wire_ += tls_->to_send();
    } else {
      asked_ = asked_ || strcasestr(octets.c_str(), "STARTTLS\r\n");
      to_wire_ += octets;
    }
  }

  void read_wire() {
    try {
      from_wire(receive(wire_));
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::connection_reset) throw;
      ended("reset");
    }
  }

  void from_wire(const std::string& octets) {
    if (!tls_) {
      to_plain_ += octets;
      wire_ended_ = octets.empty();
      if (asked_ && octets.find("220 ready for tls\r\n") != octets.npos) start_tls();
      return;
    }
    tls_->received(octets);
    if (!established_) handshake();
    if (established_ && !wire_ended_) decrypt();
  }

  void decrypt() {
    Result result;
    do result = tls_->read(to_plain_);
    while (result == Result::done);
    if (result == Result::wants_more)
      to_wire_ += tls_->to_send();
    else
      ended(result == Result::ended ? "close_notify" : "cut");
  }

  void ended(const std::string& how) {
    report("end " + how);
    wire_ended_ = true;
  }

  void end() {
    told_ = true;
    if (options_.end == "reset") {
      const linger at_once{1, 0};
      setsockopt(wire_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      gone_ = true;
      return;
    }
    if (established_ && options_.end == "notify") {
      tls_->close_notify();
      say(tls_->to_send());
    }
    if (options_.end == "forged") say(std::string("\x17\x03\x03\0\x20", 5) + std::string(32, '\0'));
    shutdown(wire_, SHUT_WR);
  }

  // What has happened to descriptor 0 and to the wire.
  std::pair<short, short> wait() const {
    const auto events = [](bool in, bool out) { return short((in ? POLLIN : 0) | (out ? POLLOUT : 0)); };
    const bool more = !plain_ended_ && (!tls_ || established_) && to_wire_.size() < bound;
    pollfd fds[] = {{plain_, events(more, !to_plain_.empty()), 0},
                    {wire_, events(!wire_ended_ && to_plain_.size() < bound, !to_wire_.empty()), 0}};
    if (fds[1].events == 0 && wire_ended_) fds[1].fd = -1;  // it would tell that again and again
    if (poll(fds, 2, -1) < 0) throw_errno("poll");
    return {fds[0].revents, fds[1].revents};
  }

  const Options& options_;
  const int plain_, wire_;
  std::string to_plain_ = {}, to_wire_ = {};
  bool plain_ended_ = false, wire_ended_ = false, told_ = false, gone_ = false;
  bool asked_ = false, established_ = false;
  std::optional<client::Tls> tls_ = {};
};

[[noreturn]] void usage() {
  fputs("tls_client: usage: tls_client [OPTION...] REPORT PROG [ARG...]\n", stderr);
  exit(100);
}

// What they are up to PROG, which is at optind then.
Options parsed(int argc, char** argv) {
  const option known[] = {{"smtps", no_argument, nullptr, 's'},         {"version", required_argument, nullptr, 'v'},
                          {"ciphers", required_argument, nullptr, 'l'}, {"name", required_argument, nullptr, 'n'},
                          {"ca", required_argument, nullptr, 'a'},      {"piece", required_argument, nullptr, 'p'},
                          {"end", required_argument, nullptr, 'e'},     {}};
  Options options;
  for (int which; (which = getopt_long(argc, argv, "+", known, nullptr)) != -1;) switch (which) {
      case 's': options.smtps = true; break;
      case 'v': options.tls.version = optarg; break;
      case 'l': options.tls.ciphers = optarg; break;
      case 'n': options.tls.name = optarg; break;
      case 'a': options.tls.ca = optarg; break;
      case 'p': options.piece = std::stoul(optarg); break;
      case 'e': options.end = optarg; break;
      default: usage();
    }
  if (argc - optind < 2) usage();
  options.report = argv[optind++];
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parsed(argc, argv);
  const int plain = fcntl(0, F_DUPFD_CLOEXEC, 3);
  test::Connection ends = test::connection(test::Over::ip4);
  const int size = 2 * bound;
  for (const int end : {ends.client.get(), ends.server.get()})  // who does not read shall be felt soon
    for (const int buffer : {SO_RCVBUF, SO_SNDBUF}) setsockopt(end, SOL_SOCKET, buffer, &size, sizeof size);

  const pid_t between = fork();
  if (between == 0) {
    if (fork() == 0) {  // no child of PROG
      ends.server.reset();
      close(0);
      close(1);
      try {
        Client(options, plain, ends.client.get()).run();
      } catch (const std::system_error&) {  // somebody has gone
      }
    }
    _exit(0);
  }
  waitpid(between, nullptr, 0);
  for (const int fd : {0, 1}) dup2(ends.server.get(), fd);
  signal(SIGPIPE, SIG_DFL);
  execvp(argv[optind], argv + optind);
  _exit(127);
}
