#include "spf/dns/dns_tcp.hh"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

namespace spf {

DnsTcp::DnsTcp(const SocketAddress& server, std::string_view query) {
  // The length goes out with the message (RFC 7766 section 8).
  out_ = {char(query.size() >> 8), char(query.size() & 0xff)};
  out_ += query;
  socket_ = Descriptor(socket(server.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_ || (connect(fd(), server.get(), server.size) < 0 && errno != EINPROGRESS))
    state_ = State::failed;
}

short DnsTcp::events() const { return out_.empty() ? POLLIN : POLLOUT; }

DnsTcp::State DnsTcp::fail() { return state_ = State::failed; }

DnsTcp::State DnsTcp::advance() {
  if (state_ != State::busy) return state_;
  while (!out_.empty()) {  // the first send reports a connection that failed
    const ssize_t size = send(fd(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (size < 0) return errno == EAGAIN || errno == EINTR ? state_ : fail();
    out_.erase(0, std::size_t(size));
  }
  for (;;) {
    std::size_t wanted = 2;
    if (in_.size() >= 2)
      wanted += std::size_t(static_cast<unsigned char>(in_[0])) << 8 | static_cast<unsigned char>(in_[1]);
    if (in_.size() >= 2 && in_.size() == wanted) return state_ = State::done;
    char buffer[4096];
    const ssize_t size = recv(fd(), buffer, std::min(sizeof buffer, wanted - in_.size()), 0);
    if (size == 0) return fail();
    if (size < 0) return errno == EAGAIN || errno == EINTR ? state_ : fail();
    in_.append(buffer, std::size_t(size));
  }
}

}  // namespace spf
