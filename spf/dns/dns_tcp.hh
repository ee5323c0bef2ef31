// One DNS question over TCP (RFC 7766), without blocking.
#pragma once

#include <string>
#include <string_view>

#include "spf/base/descriptor.hh"
#include "spf/base/socket_address.hh"

namespace spf {

class DnsTcp {
 public:
  // Starts to connect. `query` is a message without its length.
  DnsTcp(const SocketAddress& server, std::string_view query);

  enum class State { busy, done, failed };

  // While busy: what to poll(2) for; then call advance() when that is there.
  int fd() const { return socket_.get(); }
  short events() const;
  State advance();

  // Once done: the response, without its length.
  std::string_view response() const { return std::string_view(in_).substr(2); }

 private:
  State fail();

  Descriptor socket_;
  std::string out_, in_;
  State state_ = State::busy;
};

}  // namespace spf
