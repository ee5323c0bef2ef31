// What lost packets cost a check, and what repeating costs where none is lost:
// whole checks on a network in a time of its own, the same ones each time.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "spf/engine/check.hh"
#include "tests/catch.hh"
#include "tests/support/corporate_record.hh"
#include "tests/support/virtual_network.hh"

using namespace spf;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using test::VirtualNetwork;
using test::VirtualResolver;
using test::VirtualServer;

namespace {

struct Cost {
  milliseconds median, p99, longest;
  double temperror;    // share of the checks
  double packets;      // per check
  double connections;  // likewise
};

// Checks one after the other, with what `prepare` makes of the network for each.
template <class Prepare>
Cost cost(unsigned checks, double loss, const std::vector<VirtualServer>& servers, Prepare prepare) {
  VirtualNetwork network;
  publish_corporate_record(network.zone);
  network.loss = loss;
  std::vector<milliseconds> times;
  unsigned temperrors = 0;
  std::size_t packets = 0, connections = 0;
  for (unsigned i = 0; i < checks; ++i) {
    network.servers = servers;
    prepare(network);
    const auto start = network.time;
    VirtualResolver resolver(network, 20s);
    const Verdict verdict = check({*Address::parse("192.0.2.1"), "h.example", "joe@corp.example"}, {}, resolver).verdict;
    REQUIRE((verdict.result == Result::fail || verdict.result == Result::temperror));
    temperrors += verdict.result == Result::temperror;
    times.push_back(std::chrono::duration_cast<milliseconds>(network.time - start));
    for (const VirtualServer& server : network.servers)
      for (const auto& packet : server.packets) ++(packet.way == Schedule::Way::udp ? packets : connections);
  }
  std::sort(times.begin(), times.end());
  const Cost cost{times[checks / 2], times[checks * 99 / 100], times.back(), double(temperrors) / checks,
                  double(packets) / checks, double(connections) / checks};
  if (std::getenv("SCHEDULE_TABLE"))
    std::printf("%zu servers, loss %2.0f%%: median %4d ms, p99 %4d ms, longest %5d ms, temperror %.2f%%, packets %.2f, "
                "connections %.2f\n", servers.size(), loss * 100, int(cost.median.count()), int(cost.p99.count()),
                int(cost.longest.count()), cost.temperror * 100, cost.packets, cost.connections);
  return cost;
}

Cost cost(unsigned checks, double loss, const std::vector<VirtualServer>& servers) {
  return cost(checks, loss, servers, [](VirtualNetwork&) {});
}

}  // namespace

TEST_CASE("a check over a bad network is late by fractions of a second, not by seconds") {
  VirtualServer silent;
  silent.silent = true;
  const struct {
    const char* what;
    std::vector<VirtualServer> servers;
    double loss;
    milliseconds median, p99;
    double temperror;
    double packets;
  } cases[] = {
      {"no loss", {{}}, 0, 60ms, 60ms, 0, corporate_questions},
      {"5 % in each direction", {{}}, .05, 200ms, 1500ms, 0, 12.5},
      {"20 %", {{}}, .20, 1000ms, 6000ms, .002, 18},
      {"no loss, two servers", {{}, {}}, 0, 60ms, 60ms, 0, corporate_questions},
      {"5 %, two servers", {{}, {}}, .05, 200ms, 1000ms, 0, 13},
      {"20 %, two servers", {{}, {}}, .20, 700ms, 3000ms, 0, 19},
      {"no loss, the first is silent", {silent, {}}, 0, 360ms, 360ms, 0, corporate_questions + 1},
      {"5 %, the first is silent", {silent, {}}, .05, 500ms, 1500ms, 0, 15},
      {"20 %, the first is silent", {silent, {}}, .20, 1300ms, 6000ms, .002, 25},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    const Cost found = cost(1000, c.loss, c.servers);
    CHECK(found.median <= c.median);
    CHECK(found.p99 <= c.p99);
    CHECK(found.temperror <= c.temperror);
    CHECK(found.packets <= c.packets);
  }
}

TEST_CASE("where nothing is lost, a resolver that has to search is asked little more than once") {
  // The time of a search is spread as such times are, the logarithm normally. For
  // comparison: what would be repeated after 1, 3 and 7 s and no earlier.
  for (const double cached : {0., .3, .7, .9})
    for (const double median : {30., 80., 200., 1000.}) {
      INFO(cached * 100 << " % from its cache, else " << median << " ms");
      double patient = 0;
      constexpr unsigned checks = 300;
      const Cost found = cost(checks, 0, {{}}, [&](VirtualNetwork& network) {
        network.servers[0].search = [&](const FakeResolver::Key&) {
          constexpr double pi = 3.14159265358979;
          const auto even = [&] { return (double(network.random()) + .5) / 4294967296.; };
          const double radius = std::sqrt(-2 * std::log(even())), normal = radius * std::cos(2 * pi * even());
          const double time = network.chance(cached) ? 0 : std::min(8000., median * std::exp(normal));
          patient += 1 + (time > 980) + (time > 2980) + (time > 6980);
          return milliseconds(int(time));
        };
      });
      CHECK(found.packets * checks <= 1.3 * patient);
      if (median > 200) continue;
      CHECK(found.temperror == 0);
      CHECK(found.connections <= .5);
    }
}
