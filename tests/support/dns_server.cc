#include "tests/support/dns_server.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "spf/base/socket_address.hh"

namespace {

std::string lower(std::string_view name) {
  std::string result(name);
  if (result.ends_with('.')) result.pop_back();
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  return result;
}

std::string number16(unsigned value) { return {char(value >> 8), char(value & 0xff)}; }

unsigned get16(std::string_view message, std::size_t at) {
  if (at + 2 > message.size()) return 0;
  return unsigned(static_cast<unsigned char>(message[at])) << 8 | static_cast<unsigned char>(message[at + 1]);
}

// The uncompressed name at `at`, which then points behind it.
std::string read_name(const std::string& message, std::size_t& at) {
  std::string name;
  while (at < message.size() && message[at] != 0) {
    const std::size_t length = static_cast<unsigned char>(message[at]);
    if (!name.empty()) name += '.';
    name += message.substr(std::min(at + 1, message.size()), length);
    at += length + 1;
  }
  ++at;
  return name;
}

spf::SocketAddress make_address(const std::string& text, unsigned port) {
  const auto address = spf::SocketAddress::parse(text, std::uint16_t(port));
  if (!address) throw std::runtime_error("bad address " + text);
  return *address;
}

// A port at which nobody has a UDP socket, whatever the address: others may want
// it at theirs (see use()).
unsigned free_port(int family) {
  spf::SocketAddress any = make_address(family == AF_INET6 ? "::" : "0.0.0.0", 0);
  const int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  auto* generic = reinterpret_cast<sockaddr*>(&any.storage);
  const bool bound = bind(fd, generic, any.size) == 0 && getsockname(fd, generic, &any.size) == 0;
  close(fd);
  return bound ? ntohs(reinterpret_cast<sockaddr_in*>(&any.storage)->sin_port) : 0;
}

}  // namespace

DnsServer::DnsServer(const std::string& address, unsigned port) : address_(address) {
  // A port that is free for UDP may be taken for TCP: then try the next.
  for (int attempt = 0; attempt < 50; ++attempt) {
    spf::SocketAddress at = make_address(address, port);
    if (port == 0) at = make_address(address, free_port(at.family()));
    udp_ = socket(at.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    tcp_ = socket(at.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(udp_, at.get(), at.size) == 0) {
      getsockname(udp_, reinterpret_cast<sockaddr*>(&at.storage), &at.size);
      port_ = ntohs(reinterpret_cast<sockaddr_in*>(&at.storage)->sin_port);
      const int on = 1;
      setsockopt(tcp_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
      if (bind(tcp_, at.get(), at.size) == 0 && listen(tcp_, 64) == 0) {
        if (pipe2(stop_, O_CLOEXEC) < 0) throw std::runtime_error("no pipe");
        thread_ = std::thread([this] { run(); });
        return;
      }
    }
    close(udp_);
    close(tcp_);
  }
  throw std::runtime_error("no port at " + address);
}

DnsServer::~DnsServer() {
  close(stop_[1]);
  thread_.join();
  for (const Connection& connection : connections_) close(connection.fd);
  for (const int fd : {udp_, tcp_, stop_[0]}) close(fd);
}

void DnsServer::use(const std::vector<const DnsServer*>& others) const {
  std::string list = address_;
  for (const DnsServer* other : others) list += " " + other->address();
  unsetenv("NSCACHEIP");
  setenv("NAMESERVERS", list.c_str(), 1);
  setenv("RES_OPTIONS", ("port:" + std::to_string(port_)).c_str(), 1);
}

void DnsServer::clear() {
  const std::lock_guard lock(mutex_);
  zone_.clear();
  faults_.clear();
  script_ = nullptr;
  delay_ = {};
  udp_limit_ = 65535;
  tcp_on_ = true;
  cname_alone_ = false;
  seen_.clear();
  packets_.clear();
}

void DnsServer::add(std::string_view name, std::uint16_t type, const std::string& rdata) {
  const std::lock_guard lock(mutex_);
  zone_[{lower(name), type}].push_back(rdata);
}

void DnsServer::a(std::string_view name, const std::string& address) {
  char octets[4];
  if (inet_pton(AF_INET, address.c_str(), octets) != 1) throw std::runtime_error("bad A " + address);
  add(name, A, std::string(octets, sizeof octets));
}

void DnsServer::aaaa(std::string_view name, const std::string& address) {
  char octets[16];
  if (inet_pton(AF_INET6, address.c_str(), octets) != 1) throw std::runtime_error("bad AAAA " + address);
  add(name, AAAA, std::string(octets, sizeof octets));
}

void DnsServer::mx(std::string_view name, unsigned preference, std::string_view exchange) {
  add(name, MX, number16(preference) + wire(exchange));
}
void DnsServer::ptr(std::string_view name, std::string_view target) { add(name, PTR, wire(target)); }
void DnsServer::cname(std::string_view name, std::string_view target) { add(name, CNAME, wire(target)); }

void DnsServer::txt(std::string_view name, std::string_view text) {
  std::vector<std::string> strings;
  for (std::size_t i = 0; i == 0 || i < text.size(); i += 255) strings.emplace_back(text.substr(i, 255));
  txt_strings(name, strings);
}

void DnsServer::txt_strings(std::string_view name, const std::vector<std::string>& strings) {
  std::string rdata;
  for (const std::string& text : strings) rdata += char(text.size()) + text;
  if (strings.empty()) rdata = std::string(1, '\0');
  add(name, TXT, rdata);
}

std::string DnsServer::wire(std::string_view name) {
  std::string result;
  if (name.ends_with('.')) name.remove_suffix(1);
  while (!name.empty()) {
    const auto dot = std::min(name.find('.'), name.size());
    result += char(dot);
    result += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return result + '\0';
}

void DnsServer::fault(std::string_view name, Fault fault, std::uint16_t type, unsigned times) {
  const std::lock_guard lock(mutex_);
  faults_.insert({lower(name), {fault, type, times}});
}
void DnsServer::delay(std::chrono::milliseconds pause) {
  const std::lock_guard lock(mutex_);
  delay_ = pause;
}
void DnsServer::udp_limit(std::size_t octets) {
  const std::lock_guard lock(mutex_);
  udp_limit_ = octets;
}
void DnsServer::tcp(bool on) {
  const std::lock_guard lock(mutex_);
  tcp_on_ = on;
}
void DnsServer::cname_alone(bool on) {
  const std::lock_guard lock(mutex_);
  cname_alone_ = on;
}
void DnsServer::script(Script script) {
  const std::lock_guard lock(mutex_);
  script_ = std::move(script);
}

std::vector<DnsServer::Packet> DnsServer::packets() {
  const std::lock_guard lock(mutex_);
  return std::exchange(packets_, {});
}

std::vector<DnsServer::Question> DnsServer::seen() {
  const std::lock_guard lock(mutex_);
  return std::exchange(seen_, {});
}

std::string DnsServer::answer(const std::string& query, bool tcp) {
  const std::lock_guard lock(mutex_);
  bool silent = false;
  return answer_unlocked(query, tcp, silent);
}

std::string DnsServer::answer_unlocked(const std::string& query, bool tcp, bool& silent) {
  std::size_t at = 12;
  const std::string name = read_name(query, at);
  const unsigned type = get16(query, at);
  const std::string question = query.substr(12, at + 4 - 12);
  // An OPT record stands alone in the additional section: root, type, size.
  std::size_t limit = 512;
  if (get16(query, 10) == 1 && get16(query, at + 5) == 41) limit = std::max(512u, get16(query, at + 7));
  limit = tcp ? 65535 : std::min(limit, udp_limit_);

  std::string owner = lower(name), records;
  unsigned code = 0, count = 0;
  bool truncated = false;
  const auto put = [&](const std::string& rr_owner, unsigned rr_type, const std::string& rdata) {
    records += wire(rr_owner) + number16(rr_type) + number16(1) + std::string("\0\0\0\x3c", 4) +
               number16(unsigned(rdata.size())) + rdata;
    ++count;
  };
  for (unsigned links = 0;; ++links) {
    const auto set = zone_.find({owner, std::uint16_t(type)});
    const bool has_records = set != zone_.end();
    const auto faulty = faults_.equal_range(owner);
    for (auto f = faulty.first; f != faulty.second; ++f) {
      Faulty& fault = f->second;
      const bool holds = fault.type == type || (fault.type == 0 && !has_records);
      if (!holds || fault.times == 0) continue;
      if (fault.times != ~0u) --fault.times;
      switch (fault.fault) {
        case Fault::silence: silent = true; return {};
        case Fault::servfail: code = 2; break;
        case Fault::refused: code = 5; break;
        case Fault::truncated: truncated = !tcp; break;
      }
    }
    if (code != 0) break;
    if (has_records) {
      for (const std::string& rdata : set->second) put(owner, type, rdata);
      break;
    }
    const auto alias = zone_.find({owner, CNAME});
    if (alias == zone_.end()) {
      const auto any = zone_.lower_bound({owner, std::uint16_t(0)});
      if (!truncated && (any == zone_.end() || any->first.first != owner)) code = 3;
      break;
    }
    put(owner, CNAME, alias->second.front());
    if (links == 8) {
      code = 2;
      break;
    }
    if (cname_alone_) break;
    std::size_t at_target = 0;
    owner = lower(read_name(alias->second.front(), at_target));
  }
  if (code != 0 && code != 3) records.clear(), count = 0;
  const auto message = [&](bool tc) {
    return query.substr(0, 2) + char(0x81 | (tc ? 2 : 0)) + char(0x80 | code) + number16(1) +
           number16(tc ? 0 : count) + number16(0) + number16(0) + question + (tc ? "" : records);
  };
  std::string whole = message(truncated);
  return whole.size() > limit ? message(true) : whole;
}

void DnsServer::handle(const std::string& query, int fd, const std::string& from) {
  if (query.size() < 17) return;
  const bool tcp = from.empty();
  std::vector<std::string> messages;
  Script script;
  std::chrono::milliseconds pause;
  {
    const std::lock_guard lock(mutex_);
    std::size_t at = 12;
    const std::string name = read_name(query, at);
    seen_.push_back({lower(name), std::uint16_t(get16(query, at)), tcp});
    packets_.push_back({query, tcp ? 0 : get16(from, offsetof(sockaddr_in, sin_port))});
    script = script_;
    pause = delay_;
  }
  std::optional<std::vector<std::string>> scripted;
  if (script) scripted = script(query, tcp);
  if (scripted) {
    messages = *scripted;
  } else {
    const std::lock_guard lock(mutex_);
    bool silent = false;
    messages.push_back(answer_unlocked(query, tcp, silent));
    if (silent) return;
  }
  for (const std::string& message : messages)
    replies_.push_back({std::chrono::steady_clock::now() + pause, fd, from, message});
}

void DnsServer::send_due() {
  const auto now = std::chrono::steady_clock::now();
  for (auto reply = replies_.begin(); reply != replies_.end();) {
    if (reply->due > now) {
      ++reply;
      continue;
    }
    if (reply->to.empty()) {
      const std::string whole = number16(unsigned(reply->message.size())) + reply->message;
      send(reply->fd, whole.data(), whole.size(), MSG_NOSIGNAL);
    } else {
      sendto(reply->fd, reply->message.data(), reply->message.size(), 0,
             reinterpret_cast<const sockaddr*>(reply->to.data()), socklen_t(reply->to.size()));
    }
    reply = replies_.erase(reply);
  }
}

void DnsServer::run() {
  for (;;) {
    std::vector<pollfd> fds = {{stop_[0], POLLIN, 0}, {udp_, POLLIN, 0}, {tcp_, POLLIN, 0}};
    for (const Connection& connection : connections_) fds.push_back({connection.fd, POLLIN, 0});
    int pause = -1;
    for (const Reply& reply : replies_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(
          reply.due - std::chrono::steady_clock::now()).count();
      const int wanted = int(std::max<long long>(left, 0));
      pause = pause < 0 ? wanted : std::min(pause, wanted);
    }
    poll(fds.data(), fds.size(), pause);
    if (fds[0].revents) return;
    if (fds[1].revents) {
      char buffer[65536];
      sockaddr_storage from;
      socklen_t from_size = sizeof from;
      const ssize_t size = recvfrom(udp_, buffer, sizeof buffer, MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
      if (size > 0)
        handle(std::string(buffer, std::size_t(size)), udp_,
               std::string(reinterpret_cast<char*>(&from), from_size));
    }
    for (std::size_t i = fds.size(); i-- > 3;) {
      if (!fds[i].revents) continue;
      Connection& connection = connections_[i - 3];
      char buffer[4096];
      const ssize_t size = recv(connection.fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (size <= 0) {
        std::erase_if(replies_, [&](const Reply& reply) { return reply.fd == connection.fd && reply.to.empty(); });
        close(connection.fd);
        connections_.erase(connections_.begin() + std::ptrdiff_t(i - 3));
        continue;
      }
      connection.in.append(buffer, std::size_t(size));
      while (connection.in.size() >= 2 && connection.in.size() >= 2u + get16(connection.in, 0)) {
        const std::size_t length = get16(connection.in, 0);
        handle(connection.in.substr(2, length), connection.fd, "");
        connection.in.erase(0, 2 + length);
      }
    }
    if (fds[2].revents) {
      const int fd = accept4(tcp_, nullptr, nullptr, SOCK_CLOEXEC);
      const std::lock_guard lock(mutex_);
      if (fd >= 0 && tcp_on_) connections_.push_back({fd, {}});
      else if (fd >= 0) close(fd);
    }
    send_due();
  }
}
