// Servers that are silent, dead, refuse or fail, several, IPv6, and TCP, over real
// sockets. When exactly whom is asked is shown by schedule_test.cc; what waits here
// has all the time that a busy machine may take.
#include "spf/dns/dns_resolver.hh"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "tests/catch.hh"
#include "tests/support/ask.hh"

using namespace spf;
using namespace std::chrono_literals;
using Status = Answer::Status;
using Fault = DnsServer::Fault;

namespace {

constexpr auto busy = 5s;  // a machine, at worst

// At one port of two addresses, which may be taken at the second.
struct TwoServers {
  std::unique_ptr<DnsServer> first, last;
};
TwoServers two_servers() {
  for (int attempt = 0;; ++attempt) {
    auto last = std::make_unique<DnsServer>("127.0.0.3");
    try {
      auto first = std::make_unique<DnsServer>("127.0.0.1", last->port());
      first->use({last.get()});
      return {std::move(first), std::move(last)};
    } catch (const std::runtime_error&) {
      if (attempt == 10) throw;
    }
  }
}

void be_silent(DnsServer& server) {
  server.script([](const std::string&, bool) { return std::vector<std::string>{}; });
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

}  // namespace

TEST_CASE("SERVFAIL, REFUSED and silence are trouble, in time", "[waits]") {
  DnsServer server;
  server.use();
  server.fault("servfail.example", Fault::servfail);
  server.fault("refused.example", Fault::refused);
  server.fault("silent.example", Fault::silence);
  auto start = Clock::now();
  CHECK(ask("servfail.example", RrType::a, 20s).status == Status::trouble);
  CHECK(ask("refused.example", RrType::txt, 20s).status == Status::trouble);
  CHECK(since(start) < 20s);  // long before the deadline of either
  start = Clock::now();
  LocalResolver resolver(Clock::now() + 300ms);
  CHECK(resolver.lookup("silent.example", RrType::a).status == Status::trouble);
  CHECK(since(start) >= 300ms);
  CHECK(since(start) < 300ms + busy);
  server.seen();
  CHECK(resolver.lookup("servfail.example", RrType::a).status == Status::trouble);
  CHECK(server.seen().empty());  // after the deadline nothing is asked
}

TEST_CASE("nobody listening is trouble, and says so by the deadline", "[waits]") {
  {
    DnsServer server;
    server.use();
  }
  auto start = Clock::now();
  CHECK(ask("example.org", RrType::a, 300ms).status == Status::trouble);
  CHECK(since(start) < 300ms + busy);
  start = Clock::now();
  CHECK(ask("example.org", RrType::a, 20s).status == Status::trouble);
  CHECK(since(start) < 1s + busy);  // long before that deadline
}

TEST_CASE("a server that is just being started again is waited for, over real sockets", "[waits]") {
  for (const char* address : {"127.0.0.1", "::1"}) {
    INFO(address);
    std::optional<DnsServer> server;
    server.emplace(address);
    server->use();
    const unsigned port = server->port();
    server.reset();
    LocalResolver resolver(Clock::now() + 20s);
    resolver.prefetch("h.example.org", RrType::a);  // finds nobody
    server.emplace(address, port);
    server->a("example.org", "192.0.2.1");
    server->a("h.example.org", "192.0.2.1");
    CHECK(resolver.lookup("example.org", RrType::a).status == Status::ok);
    CHECK(resolver.lookup("h.example.org", RrType::a).status == Status::ok);
  }
}

TEST_CASE("a lost packet is repeated, and so until the deadline", "[waits]") {
  DnsServer server;
  server.use();
  server.a("example.org", "192.0.2.1");
  server.fault("example.org", Fault::silence, DnsServer::A, 1);
  CHECK(ask("example.org", RrType::a, 20s).status == Status::ok);
  CHECK(server.seen().size() >= 2);
  server.fault("example.org", Fault::silence, DnsServer::A);
  CHECK(ask("example.org", RrType::a, 1800ms).status == Status::trouble);
  CHECK(server.seen().size() >= 2);  // at once, after 0.3 and after 0.9 s
}

TEST_CASE("a late answer to the first of several packets counts", "[waits]") {
  DnsServer server;
  server.use();
  server.a("example.org", "192.0.2.1");
  std::string first;
  server.script([&](const std::string& query, bool tcp) -> std::optional<std::vector<std::string>> {
    if (first.empty()) {
      first = query;
      return std::vector<std::string>{};
    }
    return std::vector<std::string>{server.answer(first, tcp)};
  });
  CHECK(ask("example.org", RrType::a, 20s).status == Status::ok);
}

TEST_CASE("where UDP does not get through TCP is asked", "[waits]") {
  DnsServer server;
  server.use();
  for (const char* name : {"example.org", "h.example.org", "txt.example.org"}) server.a(name, "192.0.2.1");
  server.script([&](const std::string&, bool tcp) -> std::optional<std::vector<std::string>> {
    if (tcp) return std::nullopt;
    return std::vector<std::string>{};
  });
  LocalResolver resolver(Clock::now() + 20s);
  for (const char* name : {"example.org", "h.example.org", "txt.example.org"})
    CHECK(resolver.lookup(name, RrType::a).status == Status::ok);
  CHECK(over_tcp(server) >= 3);
}

TEST_CASE("a hundred questions over TCP share the descriptors that a check has", "[waits]") {
  DnsServer server;
  server.use();
  server.udp_limit(20);  // everything is truncated
  LocalResolver resolver(Clock::now() + 20s);
  const auto name = [](int i) { return "n" + std::to_string(i) + ".example"; };
  for (int i = 0; i < 100; ++i) server.a(name(i), "192.0.2.1");
  rlimit before{}, few{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  few = before;
  few.rlim_cur = 128;  // both ends of each connection are in this process
  REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
  for (int i = 0; i < 100; ++i) resolver.prefetch(name(i), RrType::a);
  int good = 0;
  for (int i = 0; i < 100; ++i) good += resolver.lookup(name(i), RrType::a).status == Status::ok;
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(good == 100);
}

TEST_CASE("a second server answers for a silent, failing or missing one", "[waits]") {
  DnsServer second("127.0.0.2");
  second.a("example.org", "192.0.2.1");
  second.txt("big.example", std::string(9000, 'x'));
  {
    DnsServer first("127.0.0.1", second.port());
    first.use({&second});
    for (const Fault fault : {Fault::silence, Fault::servfail, Fault::refused}) {
      first.clear();
      first.fault("example.org", fault);
      CHECK(ask("example.org", RrType::a).status == Status::ok);
    }
    first.clear();
    second.seen();
    first.txt("big.example", std::string(9000, 'x'));  // truncates, and takes no TCP
    first.tcp(false);
    CHECK(ask("big.example", RrType::txt).texts.at(0).size() == 9000);
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
  CHECK(ask("example.org", RrType::a).status == Status::ok);  // the first is gone
}

TEST_CASE("two servers of which none answers are trouble long before the deadline", "[waits]") {
  enum class State { fails, refuses, silent, dead };
  const struct { const char* what; State first, last; } cases[] = {
      {"both refuse", State::refuses, State::refuses},  {"nobody listens", State::dead, State::dead},
      {"dead, and a failure", State::dead, State::fails}, {"a failure, and dead", State::fails, State::dead},
      {"silent, and a failure", State::silent, State::fails},
      {"a failure, and silent", State::fails, State::silent},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    auto [first, last] = two_servers();
    const auto become = [](std::unique_ptr<DnsServer>& server, State state) {
      if (state == State::fails) server->fault("example.org", Fault::servfail);
      if (state == State::refuses) server->fault("example.org", Fault::refused);
      if (state == State::silent) be_silent(*server);
      if (state == State::dead) server.reset();
    };
    become(first, c.first);
    become(last, c.last);
    const auto start = Clock::now();
    CHECK(ask("example.org", RrType::a, 20s).status == Status::trouble);
    CHECK(since(start) < 1s + busy);
  }
}

TEST_CASE("an IPv6 server is asked over UDP and TCP, alone and beside an IPv4 one", "[waits]") {
  std::optional<DnsServer> six;
  try {
    six.emplace("::1");
  } catch (const std::exception&) {
  }
  if (test::left_out(!six, "no IPv6 here")) return;
  six->use();
  six->txt("big.example", std::string(9000, 'x'));
  CHECK(ask("big.example", RrType::txt).texts.at(0).size() == 9000);
  DnsServer four("127.0.0.1", six->port());
  four.txt("big.example", std::string(9000, 'y'));
  four.use({&*six});
  CHECK(ask("big.example", RrType::txt).texts.at(0).front() == 'y');
  six->use({&four});
  CHECK(ask("big.example", RrType::txt).texts.at(0).front() == 'x');
  be_silent(four);
  four.use({&*six});
  CHECK(ask("big.example", RrType::txt).texts.at(0).front() == 'x');
}

TEST_CASE("a link-local server is asked through its interface, over UDP and TCP") {
  const std::string address = link_local_address();
  if (test::left_out(address.empty(), "no link-local address here")) return;
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
  CHECK(ask("example.org", RrType::a).status == Status::ok);
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
  const auto start = Clock::now();
  CHECK(ask("example.org", RrType::txt, 20s).status == Status::trouble);
  CHECK(since(start) < busy);
  server.tcp(true);
  const auto reply = [&](std::vector<std::string> (*spoil)(std::string), std::chrono::milliseconds patience = 500ms) {
    server.script([&server, spoil](const std::string& query, bool tcp) -> std::optional<std::vector<std::string>> {
      if (!tcp) return std::nullopt;
      return spoil(server.answer(query, true));
    });
    const auto begin = Clock::now();
    const Status status = ask("example.org", RrType::txt, patience).status;
    CHECK(since(begin) < patience + busy);
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
  CHECK(reply([](std::string m) { return std::vector{m}; }, busy) == Status::ok);
}
