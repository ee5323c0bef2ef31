// When a question is asked again and whom then: servers that are dead, silent,
// slow, or refuse, in a time of their own, so that every moment is exact.
#include "spf/dns/schedule.hh"

#include <string>
#include <vector>

#include "tests/catch.hh"
#include "tests/support/virtual_network.hh"

using namespace spf;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using test::VirtualNetwork;
using test::VirtualResolver;
using test::VirtualServer;
using Status = Answer::Status;
using Way = Schedule::Way;

namespace {

constexpr int levels = 6;

std::string level_name(int level) { return "level" + std::to_string(level) + ".example"; }

// Servers that know the names of all levels, and example.org.
struct Network : VirtualNetwork {
  explicit Network(std::vector<VirtualServer> all) {
    servers = std::move(all);
    for (int level = 0; level < levels; ++level) zone.a(level_name(level), "192.0.2.1");
    zone.a("example.org", "192.0.2.1");
  }

  // When packets were sent to a server, or connections begun.
  std::vector<int> times(std::size_t server, Way way = Way::udp) const {
    std::vector<int> all;
    for (const auto& packet : servers[server].packets)
      if (packet.way == way) all.push_back(int(packet.at.count()));
    return all;
  }
};

using Times = std::vector<int>;

VirtualServer good() { return {}; }
VirtualServer slow(milliseconds round_trip) {
  VirtualServer server;
  server.round_trip = round_trip;
  return server;
}
VirtualServer silent() {
  VirtualServer server;
  server.silent = true;
  server.tcp = false;
  return server;
}
VirtualServer silent_to_tcp_too() {
  VirtualServer server = silent();
  server.tcp = server.tcp_silent = true;
  return server;
}
VirtualServer dead(milliseconds until = milliseconds::max()) {
  VirtualServer server = slow(0ms);
  server.listens = until;
  return server;
}
VirtualServer refusing() {
  VirtualServer server;
  server.refuses = true;
  return server;
}
VirtualServer failing(const std::string& name) {
  VirtualServer server;
  server.fails.insert(name);
  return server;
}
VirtualServer losing(const std::string& name, unsigned count) {
  VirtualServer server;
  server.loses[name] = count;
  return server;
}

// When a check that asks one thing after the other is through, all being answered.
int time_of_levels(Network& network) {
  VirtualResolver resolver(network, 20s);
  for (int level = 0; level < levels; ++level) CHECK(resolver.lookup(level_name(level), RrType::a).status == Status::ok);
  return int(network.now().count());
}

// The same for one question, whatever the answer.
struct Asked {
  Status status;
  int time;
};
Asked ask(Network& network, milliseconds patience = 20s) {
  VirtualResolver resolver(network, patience);
  const Status status = resolver.lookup("example.org", RrType::a).status;
  return {status, int(network.now().count())};
}

}  // namespace

TEST_CASE("how long a check of six questions takes, and what it sends, by its servers") {
  constexpr int fast = levels * 20;
  const struct {
    const char* what;
    std::vector<VirtualServer> servers;
    int time;
    std::vector<std::size_t> packets;
  } cases[] = {
      {"one that answers", {good()}, fast, {6}},
      {"a silent one costs its wait once", {silent(), good()}, 300 + fast, {1, 6}},
      {"two silent ones theirs", {silent(), silent(), good()}, 600 + fast, {1, 1, 6}},
      {"five silent ones theirs", {silent(), silent(), silent(), silent(), silent(), good()}, 1500 + fast, {1, 1, 1, 1, 1, 6}},
      {"a silent one behind is not asked", {good(), silent()}, fast, {6, 0}},
      {"where nobody listens the next is asked at once", {dead(), dead(), good()}, fast, {1, 1, 6}},
      {"who refuses is passed over from then on", {refusing(), good()}, 20 + fast, {1, 6}},
      {"a failure is held against that name only", {failing(level_name(2)), good()}, 20 + fast, {6, 1}},
      {"one lost packet, nothing measured yet", {losing(level_name(0), 1)}, 300 + fast, {7}},
      {"one lost packet, a round trip measured", {losing(level_name(1), 1)}, 100 + fast, {7}},
      {"three lost packets: each wait is twice the one before", {losing(level_name(1), 3)}, 700 + fast, {9}},
      {"the next server is asked for what one has lost", {losing(level_name(1), 1), good()}, 100 + fast, {6, 1}},
      {"both lose it, and then are asked together", {losing(level_name(1), 2), losing(level_name(1), 1)}, 300 + fast, {7, 2}},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    Network network(c.servers);
    CHECK(time_of_levels(network) == c.time);
    for (std::size_t i = 0; i < c.packets.size(); ++i) {
      INFO("server " << i);
      CHECK(network.servers[i].packets.size() == c.packets[i]);
    }
  }
}

TEST_CASE("when all are in doubt all are asked together") {
  Network network({silent(), losing(level_name(0), 1)});
  CHECK(time_of_levels(network) == 900 + levels * 20);
  CHECK(network.times(0) == Times{0, 900});
  CHECK(network.times(1) == Times{300, 900, 920, 940, 960, 980, 1000});
}

TEST_CASE("when a question is trouble for which there is no answer") {
  VirtualServer failing_and_far = failing("example.org");
  failing_and_far.round_trip = 400ms;
  const struct {
    const char* what;
    std::vector<VirtualServer> servers;
    int time;
  } cases[] = {
      {"the only one has a failure", {failing("example.org")}, 20},
      {"the only one refuses", {refusing()}, 20},
      {"both refuse", {refusing(), refusing()}, 40},
      {"nobody listens, half a second long", {dead()}, 900},
      {"nobody listens at either of two", {dead(), dead()}, 600},
      {"nobody listens, and a failure", {dead(), failing("example.org")}, 20},
      {"a failure, and nobody listens", {failing("example.org"), dead()}, 20},
      {"silent, and a failure", {silent(), failing("example.org")}, 1000},
      {"a failure, and silent", {failing("example.org"), silent()}, 1020},
      {"a failure after a hedge", {silent(), failing_and_far}, 1000},
      {"silent: the deadline", {silent()}, 20000},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    Network network(c.servers);
    const Asked asked = ask(network);
    CHECK(asked.status == Status::trouble);
    CHECK(asked.time == c.time);
  }
}

TEST_CASE("what one server fails to say one in doubt has half a second for") {
  VirtualServer failing_twice = failing("example.org");
  failing_twice.fails.insert("example.com");
  for (const bool silent_first : {true, false}) {
    INFO(silent_first);
    Network network(silent_first ? std::vector{silent(), failing_twice} : std::vector{failing_twice, silent()});
    VirtualResolver resolver(network, 20s);
    CHECK(resolver.lookup("example.org", RrType::a).status == Status::trouble);
    const auto known = network.now();
    CHECK(resolver.lookup("example.com", RrType::a).status == Status::trouble);
    CHECK(network.now() - known == 520ms);
    const auto good = network.now();
    CHECK(resolver.lookup(level_name(0), RrType::a).status == Status::ok);
    CHECK(network.now() - good == 20ms);
  }
}

TEST_CASE("a slow server still answers for one that has a failure, if not for ever") {
  for (const auto& [round_trip, status] : {std::pair(980ms, Status::ok), {1020ms, Status::trouble}}) {
    INFO(round_trip.count());
    Network network({failing("example.org"), slow(round_trip)});
    CHECK(ask(network).status == status);
  }
}

TEST_CASE("a lost packet is repeated to a server that answers for one that has a failure") {
  Network network({failing("example.org"), losing("example.org", 1)});
  const Asked asked = ask(network);
  CHECK(asked.status == Status::ok);
  CHECK(asked.time == 20 + 600 + 20);
}

TEST_CASE("a server that was slow is trusted again, and its late answer counts") {
  Network network({slow(700ms), silent()});
  VirtualResolver resolver(network, 20s);
  CHECK(resolver.lookup(level_name(0), RrType::a).status == Status::ok);
  CHECK(network.now() == 700ms);
  network.servers[0].round_trip = 20ms;
  CHECK(resolver.lookup(level_name(1), RrType::a).status == Status::ok);
  CHECK(network.now() == 720ms);
}

TEST_CASE("a server that is just being started again is waited for") {
  const struct { milliseconds start; int time; } cases[] = {{200ms, 300}, {300ms, 300}, {800ms, 900}};
  for (const auto& c : cases) {
    INFO(c.start.count());
    Network network({dead(c.start)});
    VirtualResolver resolver(network, 20s);
    resolver.prefetch(level_name(0), RrType::a);
    CHECK(resolver.lookup("example.org", RrType::a).status == Status::ok);
    CHECK(resolver.lookup(level_name(0), RrType::a).status == Status::ok);
    CHECK(network.now().count() == c.time);
  }
}

TEST_CASE("repetitions go on until the deadline, less and less often") {
  Network one({silent_to_tcp_too()});
  CHECK(ask(one).status == Status::trouble);
  CHECK(one.times(0) == Times{0, 300, 900, 2100, 4500, 9300, 18900});
  Network two({silent_to_tcp_too(), silent_to_tcp_too()});
  CHECK(ask(two).status == Status::trouble);
  CHECK(two.times(0) == Times{0, 900, 2100, 4500, 9300, 18900});
  CHECK(two.times(1) == Times{300, 900, 2100, 4500, 9300, 18900});
}

TEST_CASE("what one question sends is bounded, at the longest deadline and near servers too") {
  Network network(std::vector<VirtualServer>(6, silent_to_tcp_too()));
  VirtualResolver resolver(network, 300s);
  network.servers[0].silent = false;  // it is near, and lets the check know
  for (int level = 0; level < levels; ++level) CHECK(resolver.lookup(level_name(level), RrType::a).status == Status::ok);
  network.servers[0].silent = true;
  network.servers[0].packets.clear();
  CHECK(resolver.lookup("example.org", RrType::a).status == Status::trouble);
  CHECK(network.now() == 300s);
  for (std::size_t i = 0; i < network.servers.size(); ++i) {
    CHECK(network.times(i).size() <= 12);
    CHECK(network.times(i, Way::tcp).size() == 1);
  }
}

TEST_CASE("an answer that takes two seconds is not a lost one: it comes to the first packet, and few are sent") {
  Network network({slow(2000ms)});
  CHECK(time_of_levels(network) == levels * 2000);
  // Then its round trip is known.
  CHECK(network.times(0) == Times{0, 300, 900, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 11000});
}

TEST_CASE("what is asked at once is repeated by what is measured meanwhile") {
  // The first of three is searched for; the others' answers tell how near the server is.
  VirtualServer server;
  server.loses["example.org"] = 1;
  Network network({server});
  VirtualResolver resolver(network, 20s);
  for (const std::string& name : {std::string("example.org"), level_name(0), level_name(1)})
    resolver.prefetch(name, RrType::a);
  CHECK(resolver.lookup("example.org", RrType::a).status == Status::ok);
  CHECK(network.now() == 120ms);
}

TEST_CASE("an answer after a repetition tells the round trip of the packet that it answers") {
  // Each is found after 250 ms, also by packets that were sent meanwhile.
  VirtualServer server;
  server.search = [](const FakeResolver::Key& key) { return key.first == "example.org" ? 0ms : 230ms; };
  Network network({server});
  VirtualResolver resolver(network, 20s);
  CHECK(resolver.lookup("example.org", RrType::a).status == Status::ok);
  for (int level = 0; level < levels; ++level) CHECK(resolver.lookup(level_name(level), RrType::a).status == Status::ok);
  CHECK(network.times(0) == Times{0, 20, 120, 270, 520, 770, 1020, 1270});  // one repetition, then it is known
}

TEST_CASE("a server that is silent over UDP is asked over TCP, and over both from then on") {
  VirtualServer server;
  server.silent = true;
  Network network({server});
  CHECK(time_of_levels(network) == 2000 + levels * 40);
  CHECK(network.times(0) == Times{0, 300, 900, 2040, 2080, 2120, 2160, 2200});
  CHECK(network.times(0, Way::tcp) == Times{2000, 2040, 2080, 2120, 2160, 2200});
}

TEST_CASE("TCP is for later where the server answers other questions") {
  VirtualServer server;
  server.loses["example.org"] = 100;
  Network network({server});
  VirtualResolver resolver(network, 20s);
  CHECK(resolver.lookup(level_name(0), RrType::a).status == Status::ok);
  CHECK(resolver.lookup("example.org", RrType::a).status == Status::ok);
  CHECK(network.times(0, Way::tcp) == Times{3020});
  CHECK(network.now() == 3060ms);
}

TEST_CASE("no more connections than the check may have, and who waited for one gets it") {
  VirtualServer server;
  server.silent = true;
  Network network({server});
  VirtualResolver resolver(network, 20s, 2);
  for (int level = 0; level < levels; ++level) resolver.prefetch(level_name(level), RrType::a);
  for (int level = 0; level < levels; ++level) CHECK(resolver.lookup(level_name(level), RrType::a).status == Status::ok);
  CHECK(network.times(0, Way::tcp) == Times{2000, 2000, 2040, 2040, 2080, 2080});
}

TEST_CASE("a truncated answer is asked for over TCP, of others too where that is no use") {
  VirtualServer truncating;
  truncating.truncates.insert("example.org");
  VirtualServer without_tcp = truncating, silent_there = truncating, failing_there = truncating;
  without_tcp.tcp = false;
  silent_there.tcp_silent = true;
  const struct {
    const char* what;
    std::vector<VirtualServer> servers;
    Status status;
    int time;
    std::vector<Times> connections;
  } cases[] = {
      {"it answers", {truncating}, Status::ok, 60, {{20}}},
      {"the next answers for one that takes none", {without_tcp, good()}, Status::ok, 100, {{20}, {60}}},
      {"nobody takes any", {without_tcp, without_tcp}, Status::trouble, 100, {{20}, {60}}},
      {"the next is asked after a second for one that is silent there", {silent_there, good()}, Status::ok, 1060, {{20}, {1020}}},
      {"the only one that is silent there is asked again", {silent_there}, Status::trouble, 20000, {{20, 1020, 3020, 7020, 15020}}},
      {"one in doubt is asked last", {silent(), silent_there, truncating}, Status::ok, 1360, {{}, {320}, {1320}}},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    Network network(c.servers);
    const Asked asked = ask(network);
    CHECK(asked.status == c.status);
    CHECK(asked.time == c.time);
    for (std::size_t i = 0; i < c.connections.size(); ++i) CHECK(network.times(i, Way::tcp) == c.connections[i]);
  }
}
