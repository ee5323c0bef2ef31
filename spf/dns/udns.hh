// Questions to one name server over UDP: udns behind one door.
//
// udns puts a question on the wire once, holds answers against id, question
// and server, and asks again without EDNS a server that knows none. When to ask
// again, and whom, is the resolver's business (dns_resolver.hh): udns' own clock stands
// still.
#pragma once

#include <memory>
#include <string>

#include "spf/dns/resolver.hh"
#include "spf/base/socket_address.hh"

struct dns_ctx;

namespace spf {

class DnsUdp {
 public:
  // Opens a socket on a port drawn with getrandom(2), connected to `server`; that
  // is all it ever opens. Throws std::bad_alloc only: without a socket or a
  // route questions fail.
  explicit DnsUdp(const SocketAddress& server);
  ~DnsUdp();
  DnsUdp(const DnsUdp&) = delete;
  DnsUdp& operator=(const DnsUdp&) = delete;

  // Whether there is a way to the server.
  bool usable() const;

  // For poll(2); call receive() when it is readable or has an error.
  int fd() const;

  // Takes what has come. False: nobody listens at the other end.
  bool receive();

  // A question that is out. Destroying it forgets it.
  class Query;

  // Asks for `wire_name`, under an id drawn with getrandom(2). Must not outlive
  // this object. Throws std::bad_alloc.
  std::unique_ptr<Query> ask(const std::string& wire_name, RrType type);

 private:
  struct Callbacks;
  dns_ctx* context_ = nullptr;
};

class DnsUdp::Query {
 public:
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  enum class State {
    waiting,
    response,   // with records
    no_name,    // NXDOMAIN
    no_data,
    truncated,  // or no response at all: to be asked over TCP
    refused,    // REFUSED
    failed,     // SERVFAIL, nonsense, or it could not be sent
  };
  State state() const { return state_; }

  // In state response: the message.
  const std::string& response() const { return response_; }

 private:
  friend class DnsUdp;
  explicit Query(dns_ctx* context) : context_(context) {}

  dns_ctx* const context_;
  void* query_ = nullptr;  // udns', while it is waiting
  State state_ = State::waiting;
  std::string response_;
};

}  // namespace spf
