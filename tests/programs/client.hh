// A plain blocking SMTP client for the programs that measure.
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

namespace client {

[[noreturn]] inline void die(const char* what, std::string_view why) {
  fprintf(stderr, "fatal: %s: %.*s\n", what, static_cast<int>(why.size()), why.data());
  exit(111);
}

class Session {
 public:
  explicit Session(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == -1)
      die("connect", std::to_string(port));
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const timeval patience{30, 0};  // a stall is a failure, not a slow result
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  Session(const Session&) = delete;
  virtual ~Session() { close(fd_); }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = write(bytes);
      if (sent <= 0) die("send", "connection lost");
      bytes.remove_prefix(sent);
    }
  }

  // Reads one whole reply and insists that it begins with `code`.
  void expect(std::string_view code) {
    buffer_.clear();
    do {
      char bytes[4096];
      const auto count = read(bytes);
      if (count <= 0) die("connection lost, expected", code);
      buffer_.append(bytes, count);
    } while (!complete());
    if (!buffer_.starts_with(code)) die("not expected", buffer_);
  }

  void ask(std::string_view line, std::string_view code) {
    send(line);
    expect(code);
  }

  // From the greeting up to the MAIL.
  virtual void open() {
    expect("220");
    hello();
  }
  void hello() { ask("EHLO mail.example.org\r\n", "250"); }

  // From MAIL up to the 354.
  void next_message(const char* sender) {
    ask("MAIL FROM:<" + std::string(sender) + ">\r\n", "250");
    ask("RCPT TO:<b@example.org>\r\n", "250");
    ask("DATA\r\n", "354");
  }

  virtual void quit() {
    ask("QUIT\r\n", "221");
    drain();
  }

 protected:
  virtual ssize_t read(std::span<char> space) { return recv(fd_, space.data(), space.size(), 0); }
  virtual ssize_t write(std::string_view bytes) {
    return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  void drain() {
    char bytes[256];
    while (read(bytes) > 0) continue;
  }

  const int fd_;

 private:
  bool complete() const {
    if (!buffer_.ends_with('\n')) return false;
    const auto before = buffer_.rfind('\n', buffer_.size() - 2);
    const auto line = before == buffer_.npos ? 0 : before + 1;
    return buffer_.size() > line + 3 && buffer_[line + 3] != '-';
  }

  std::string buffer_;
};

// About so many octets of a message, header first, in lines of 64.
inline std::string message(std::size_t size) {
  std::string text = "From: a@pass.example.org\r\nSubject: benchmark\r\n\r\n";
  while (text.size() < size) text += "All work and no play makes Jack a dull boy; such is his work.\r\n";
  return text;
}

}  // namespace client
