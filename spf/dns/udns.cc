#include "spf/dns/udns.hh"

#include <stdlib.h>
#include <sys/socket.h>
#include <udns.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <new>
#include <string_view>

#include "spf/dns/dns_message.hh"
#include "spf/dns/random.hh"

namespace spf {

namespace {

constexpr time_t frozen = 1;        // what udns takes for the time
constexpr int longest_timeout = 300;  // the most it accepts; never reached

// Ports of which servers that start later want none.
constexpr unsigned lowest_port = 16384;
constexpr int port_attempts = 8;  // one may be taken; then the kernel picks

void bind_random_port(int fd, int family) {
  SocketAddress any;
  any.storage.ss_family = sa_family_t(family);
  any.size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  auto& port = family == AF_INET ? reinterpret_cast<sockaddr_in&>(any.storage).sin_port
                                 : reinterpret_cast<sockaddr_in6&>(any.storage).sin6_port;
  for (int attempt = 0; attempt < port_attempts; ++attempt) {
    port = htons(std::uint16_t(lowest_port + random_number<std::uint16_t>() % (65536 - lowest_port)));
    if (bind(fd, any.get(), any.size) == 0) return;
  }
}

}  // namespace

// udns draws its ids from these two, which the linker finds before its own:
// those are seeded from the microseconds of the clock.
extern "C" void udns_jraninit(udns_jranctx*, unsigned) {}
extern "C" unsigned udns_jranval(udns_jranctx*) { return random_number<unsigned>(); }

// And its sendto(2) is this (Makefile): the socket is connected, and behind the
// wall (wall.hh) no address may be named.
extern "C" ssize_t spf_udns_sendto(int fd, const void* packet, std::size_t size, int flags,
                                   const sockaddr*, socklen_t) {
  return send(fd, packet, size, flags);
}

// What udns calls back must not throw through it.
struct DnsUdp::Callbacks {
  static void ended(dns_ctx* context, void* result, void* data) {
    auto& query = *static_cast<Query*>(data);
    query.query_ = nullptr;
    const int status = dns_status(context);
    if (query.state_ == Query::State::waiting) {
      query.state_ = status == DNS_E_NXDOMAIN ? Query::State::no_name
                     : status == DNS_E_NODATA ? Query::State::no_data
                                              : Query::State::failed;
      try {
        if (result) {
          query.response_.assign(static_cast<const char*>(result), std::size_t(status));
          query.state_ = Query::State::response;
        }
      } catch (const std::exception&) {
        query.state_ = Query::State::failed;
      }
    }
    free(result);
  }

  // udns takes a truncated answer for a failure of the server, shows it to
  // nobody else, and does not look at the QR bit.
  static void packet(int code, const sockaddr*, unsigned, dnscc_t* packet, int size,
                     const dns_query*, void* data) {
    if (code != 0 || !data) return;  // 0: received, and it is for this question
    auto& query = *static_cast<Query*>(data);
    const std::string_view message(reinterpret_cast<const char*>(packet), std::size_t(size));
    if (!is_response(message) || (dns_rcode(packet) == DNS_R_NOERROR && is_truncated(message)))
      query.state_ = Query::State::truncated;
    else if (dns_rcode(packet) == DNS_R_REFUSED)
      query.state_ = Query::State::refused;
  }
};

DnsUdp::DnsUdp(const SocketAddress& server) {
  dns_reset(nullptr);  // the default context, of which new ones are copies
  context_ = dns_new(nullptr);
  if (!context_) throw std::bad_alloc();
  dns_add_serv_s(context_, server.get());
  dns_set_opt(context_, DNS_OPT_TIMEOUT, longest_timeout);
  dns_set_opt(context_, DNS_OPT_NTRIES, 1);
  dns_set_opt(context_, DNS_OPT_UDPSIZE, edns_payload);
  dns_set_dbgfn(context_, Callbacks::packet);
  if (dns_open(context_) < 0) return;
  bind_random_port(fd(), server.family());
  if (connect(fd(), server.get(), server.size) != 0) dns_close(context_);
}

DnsUdp::~DnsUdp() { dns_free(context_); }

bool DnsUdp::usable() const { return fd() >= 0; }

int DnsUdp::fd() const { return dns_sock(context_); }

bool DnsUdp::receive() {
  char octet;
  // An error of the socket is told once, and udns would pass over it.
  if (recv(fd(), &octet, sizeof octet, MSG_PEEK | MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != EINTR)
    return false;
  dns_ioevent(context_, frozen);
  return true;
}

std::unique_ptr<DnsUdp::Query> DnsUdp::ask(const std::string& wire_name, RrType type) {
  std::unique_ptr<Query> query(new Query(context_));
  if (!usable()) {
    query->state_ = Query::State::failed;
    return query;
  }
  query->query_ = dns_submit_dn(context_, reinterpret_cast<dnscc_t*>(wire_name.c_str()), DNS_C_IN,
                                int(type), DNS_NOSRCH, nullptr, Callbacks::ended, query.get());
  if (!query->query_) throw std::bad_alloc();
  dns_timeouts(context_, -1, frozen);  // sends it
  return query;
}

DnsUdp::Query::~Query() {
  if (!query_) return;
  dns_cancel(context_, static_cast<dns_query*>(query_));  // which leaves it to the caller
  free(query_);
}

}  // namespace spf
