#include "tests/support/smtp_client.hh"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace test {

SmtpClient::SmtpClient(Fd socket) : socket_(std::move(socket)) {}

SmtpClient SmtpClient::connect(int port) {
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == -1)
    throw std::runtime_error("connect to port " + std::to_string(port));
  const int on = 1;  // each piece goes out by itself
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return SmtpClient(std::move(fd));
}

bool SmtpClient::send(std::string_view bytes, std::size_t piece) {
  const auto end = Clock::now() + patience;
  while (!bytes.empty()) {
    const auto size = std::min(piece, bytes.size());
    const auto sent = ::send(socket_.get(), bytes.data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(sent);
      continue;
    }
    if (errno != EAGAIN || Clock::now() > end) return false;
    // Keep reading, or two full pipes would wait for each other.
    pollfd p{socket_.get(), POLLIN | POLLOUT, 0};
    poll(&p, 1, 1000);
    if (p.revents & POLLIN && read_some(Clock::now()) == Read::end) return false;
  }
  return true;
}

SmtpClient::Read SmtpClient::read_some(Clock::time_point end) {
  pollfd p{socket_.get(), POLLIN, 0};
  const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
  if (poll(&p, 1, std::max<long>(left, 0)) <= 0) return Read::silence;
  char bytes[65536];
  const auto count = recv(socket_.get(), bytes, sizeof bytes, 0);
  if (count <= 0) return Read::end;
  ++arrivals_;
  buffer_.append(bytes, count);
  return Read::data;
}

std::string SmtpClient::reply(milliseconds limit) {
  const auto end = Clock::now() + limit;
  std::string result;
  for (;;) {
    const auto newline = buffer_.find('\n');
    if (newline == std::string::npos) {
      const Read read = read_some(end);
      if (read == Read::data) continue;
      result += buffer_;
      buffer_.clear();
      return result + (read == Read::end ? "<EOF>" : "<silence>");
    }
    std::string line = buffer_.substr(0, newline);
    buffer_.erase(0, newline + 1);
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    else
      line += "<LF>";
    result += line;
    if (line.size() < 4 || line[3] != '-') return result;
    result += '\n';
  }
}

std::string SmtpClient::talk(std::initializer_list<std::string_view> commands) {
  std::string result;
  for (auto command : commands) result += ask(command) + '\n';
  return result;
}

std::string SmtpClient::rest(milliseconds limit) {
  const auto end = Clock::now() + limit;
  Read read;
  while ((read = read_some(end)) == Read::data) continue;
  std::string result = std::move(buffer_);
  buffer_.clear();
  std::erase(result, '\r');
  return result + (read == Read::silence ? "<silence>" : "");
}

std::size_t SmtpClient::flood(std::string_view bytes, std::size_t most, milliseconds limit) {
  std::size_t taken = 0;
  while (taken < most) {
    const auto from = bytes.substr(taken % bytes.size());
    const auto sent = ::send(socket_.get(), from.data(), from.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) taken += sent;
    pollfd p{socket_.get(), POLLOUT, 0};
    if (sent < 0 && (errno != EAGAIN || poll(&p, 1, limit.count()) <= 0)) break;
  }
  return taken;
}

void SmtpClient::reset() {
  const linger at_once{1, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void SmtpClient::half_close() { shutdown(socket_.get(), SHUT_WR); }

}  // namespace test
