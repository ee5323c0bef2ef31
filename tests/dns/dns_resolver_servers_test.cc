// Servers that are slow, silent, dead, several or far, and TCP.
#include "spf/dns/dns_resolver.hh"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <thread>

#include "tests/catch.hh"
#include "tests/support/ask.hh"

using namespace spf;
using namespace std::chrono_literals;
using Status = Answer::Status;
using Fault = DnsServer::Fault;

TEST_CASE("SERVFAIL, REFUSED and silence are trouble, in time", "[waits]") {
  DnsServer server;
  server.use();
  server.fault("servfail.example", Fault::servfail);
  server.fault("refused.example", Fault::refused);
  server.fault("silent.example", Fault::silence);
  CHECK(ask("servfail.example", RrType::a).status == Status::trouble);
  CHECK(ask("refused.example", RrType::txt).status == Status::trouble);
  const auto start = Clock::now();
  LocalResolver resolver(Clock::now() + 300ms);
  CHECK(resolver.lookup("silent.example", RrType::a).status == Status::trouble);
  CHECK(since(start) >= 300ms);
  CHECK(since(start) < 600ms);
  server.seen();
  CHECK(resolver.lookup("servfail.example", RrType::a).status == Status::trouble);
  CHECK(since(start) < 700ms);
  CHECK(server.seen().empty());  // after the deadline nothing is asked
}

TEST_CASE("nobody listening is trouble, and says so by the deadline", "[waits]") {
  {
    DnsServer server;
    server.use();
  }
  const auto start = Clock::now();
  CHECK(ask("example.org", RrType::a, 300ms).status == Status::trouble);
  CHECK(since(start) < 800ms);
  CHECK(ask("example.org", RrType::a, 20s).status == Status::trouble);
  CHECK(since(start) < 5s);  // long before that deadline
}

TEST_CASE("a server that is just being started again is waited for", "[waits]") {
  for (const char* address : {"127.0.0.1", "::1"}) {
    auto server = std::make_unique<DnsServer>(address);
    server->use();
    const unsigned port = server->port();
    server.reset();
    std::thread late([&] {
      std::this_thread::sleep_for(300ms);
      server = std::make_unique<DnsServer>(address, port);
      server->a("example.org", "192.0.2.1");
      server->a("h.example.org", "192.0.2.1");
    });
    LocalResolver resolver(Clock::now() + 20s);
    resolver.prefetch("h.example.org", RrType::a);
    INFO(address);
    CHECK(resolver.lookup("example.org", RrType::a).status == Status::ok);
    CHECK(resolver.lookup("h.example.org", RrType::a).status == Status::ok);
    late.join();
  }
}

TEST_CASE("a lost packet costs at most two seconds", "[waits]") {
  DnsServer server;
  server.use();
  server.a("example.org", "192.0.2.1");
  server.fault("example.org", Fault::silence, DnsServer::A, 1);
  const auto start = Clock::now();
  CHECK(ask("example.org", RrType::a, 20s).status == Status::ok);
  CHECK(since(start) < 2s);
}

TEST_CASE("retries go on until the deadline", "[waits]") {
  DnsServer server;
  server.use();
  server.fault("example.org", Fault::silence);
  CHECK(ask("example.org", RrType::a, 3700ms).status == Status::trouble);
  CHECK(server.seen().size() == 3);  // at once, after 1 and after 3 seconds
}

TEST_CASE("a second server answers for a silent, failing or missing one", "[waits]") {
  DnsServer second("127.0.0.2");
  second.a("example.org", "192.0.2.1");
  second.txt("big.example", std::string(9000, 'x'));
  {
    DnsServer first("127.0.0.1", second.port());
    first.use({&second});
    first.fault("example.org", Fault::silence);
    auto start = Clock::now();
    CHECK(ask("example.org", RrType::a).status == Status::ok);
    CHECK(since(start) < 1500ms);
    first.clear();
    first.fault("example.org", Fault::servfail);
    start = Clock::now();
    CHECK(ask("example.org", RrType::a).status == Status::ok);
    CHECK(since(start) < 500ms);
    first.clear();
    first.txt("big.example", std::string(9000, 'x'));  // truncates, and takes no TCP
    first.tcp(false);
    start = Clock::now();
    CHECK(ask("big.example", RrType::txt).texts.at(0).size() == 9000);
    CHECK(since(start) < 1500ms);
    CHECK(over_tcp(second) == 1);
    first.tcp(true);
    first.script([](const std::string& query, bool tcp) -> std::optional<std::vector<std::string>> {
      if (!tcp) return std::nullopt;
      std::string refused = query;
      refused[2] = char(0x81);
      refused[3] = char(0x85);
      return std::vector<std::string>{refused};
    });
    CHECK(ask("big.example", RrType::txt).texts.at(0).size() == 9000);
  }
  const auto start = Clock::now();  // the first is gone
  CHECK(ask("example.org", RrType::a).status == Status::ok);
  CHECK(since(start) < 1500ms);
}

TEST_CASE("an IPv6 server is asked over UDP and TCP, alone and beside an IPv4 one", "[waits]") {
  std::optional<DnsServer> six;
  try {
    six.emplace("::1");
  } catch (const std::exception&) {
    WARN("no IPv6 here");
    return;
  }
  six->use();
  six->txt("big.example", std::string(9000, 'x'));
  CHECK(ask("big.example", RrType::txt).texts.at(0).size() == 9000);
  DnsServer four("127.0.0.1", six->port());
  four.txt("big.example", std::string(9000, 'y'));
  four.use({&*six});
  CHECK(ask("big.example", RrType::txt).texts.at(0).front() == 'y');
  six->use({&four});
  CHECK(ask("big.example", RrType::txt).texts.at(0).front() == 'x');
  four.script([](const std::string&, bool) { return std::vector<std::string>{}; });  // silent
  four.use({&*six});
  CHECK(ask("big.example", RrType::txt).texts.at(0).front() == 'x');
}

// Such an address of this machine with its interface, or "".
std::string link_local_address() {
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(all, freeifaddrs);
  for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET6) continue;
    const auto& address = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr;
    char text[INET6_ADDRSTRLEN];
    if (!IN6_IS_ADDR_LINKLOCAL(&address) || !inet_ntop(AF_INET6, &address, text, sizeof text)) continue;
    return std::string(text) + '%' + one->ifa_name;
  }
  return {};
}

TEST_CASE("a link-local server is asked through its interface, over UDP and TCP") {
  const std::string address = link_local_address();
  if (address.empty()) {
    WARN("no link-local address here");
    return;
  }
  DnsServer server(address);
  server.use();
  server.a("example.org", "192.0.2.1");
  server.txt("big.example", std::string(9000, 'x'));
  CHECK(ask("example.org", RrType::a).status == Status::ok);
  CHECK(ask("big.example", RrType::txt).texts.at(0).size() == 9000);
}

TEST_CASE("a server without a route does not spoil the others", "[waits]") {
  DnsServer server;
  server.use();
  server.a("example.org", "192.0.2.1");
  setenv("NAMESERVERS", "2001:db8::53 127.0.0.1", 1);
  const auto start = Clock::now();
  CHECK(ask("example.org", RrType::a).status == Status::ok);
  CHECK(since(start) < 1500ms);
}

TEST_CASE("TXT sets of any size arrive, over TCP when UDP has no room") {
  DnsServer server;
  server.use();
  const struct { std::size_t size; std::size_t udp_limit; bool tcp; } cases[] = {
      {400, 512, false},  {600, 512, true},    // as dnscache truncates
      {600, 4096, false}, {1100, 4096, false}, {1400, 4096, true},
      {5000, 4096, true}, {30000, 4096, true}, {60000, 512, true},
  };
  for (const auto& c : cases) {
    INFO(c.size << " octets, " << c.udp_limit << " over UDP");
    server.clear();
    server.udp_limit(c.udp_limit);
    std::string text = "v=spf1 ";
    while (text.size() < c.size - 5) text += "ip4:198.51.100.7/32 ";
    text += " -all";
    server.txt("example.org", text);
    const Answer answer = ask("example.org", RrType::txt);
    REQUIRE(answer.status == Status::ok);
    CHECK(answer.texts.at(0) == text);
    CHECK(over_tcp(server) == (c.tcp ? 1 : 0));
  }
}

TEST_CASE("TCP trouble is trouble, in time", "[waits]") {
  DnsServer server;
  server.use();
  server.txt("example.org", std::string(9000, 'x'));
  server.tcp(false);
  auto start = Clock::now();
  CHECK(ask("example.org", RrType::txt).status == Status::trouble);
  CHECK(since(start) < 1s);
  server.tcp(true);
  const auto reply = [&](std::vector<std::string> (*spoil)(std::string)) {
    server.script([&server, spoil](const std::string& query, bool tcp) -> std::optional<std::vector<std::string>> {
      if (!tcp) return std::nullopt;
      return spoil(server.answer(query, true));
    });
    const auto begin = Clock::now();
    const Status status = ask("example.org", RrType::txt, 500ms).status;
    CHECK(since(begin) < 1s);
    return status;
  };
  CHECK(reply([](std::string) { return std::vector<std::string>{}; }) == Status::trouble);  // silent
  CHECK(reply([](std::string m) { m[0] ^= 1; return std::vector{m}; }) == Status::trouble);  // id
  CHECK(reply([](std::string m) { m[13] ^= 1; return std::vector{m}; }) == Status::trouble);  // question
  CHECK(reply([](std::string m) { m[2] |= 2; return std::vector{m}; }) == Status::trouble);  // TC again
  CHECK(reply([](std::string m) { m[2] &= 0x7f; return std::vector{m}; }) == Status::trouble);  // a query
  CHECK(reply([](std::string m) { m.resize(40); return std::vector{m}; }) == Status::trouble);
  CHECK(reply([](std::string m) { m.resize(5); return std::vector{m}; }) == Status::trouble);
  CHECK(reply([](std::string) { return std::vector<std::string>{""}; }) == Status::trouble);
  CHECK(reply([](std::string m) { return std::vector{m}; }) == Status::ok);
}
