// bench_dns: what a check costs in round trips to a resolver that is far away,
// by spfwrap (from MAIL to its reply), pyspf and libspf2's spfquery, on one
// usual corporate record. A DNS server on loopback delays each answer, and
// answers many at once; what a check takes without the delay is taken off.
// Run by tests/bench. Exits 1 when spfwrap misses its aims.
#include <sys/mount.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "tests/support/corporate_record.hh"
#include "tests/support/dns_server.hh"
#include "tests/support/namespaces.hh"
#include "tests/support/wrapped.hh"

namespace {

using namespace std::chrono_literals;

constexpr auto round_trip = 20ms;
constexpr int runs = 7;
constexpr double most_round_trips = 3.5;
constexpr std::size_t most_queries = 12;

constexpr const char* client = "192.0.2.1";
constexpr const char* helo = "mail.corp.example";
constexpr const char* sender = "joe@corp.example";

struct Cost {
  double milliseconds = 0;
  std::size_t queries = 0;
  std::string trouble;  // why it was not measured
};

// One check: how long it took.
struct Check {
  double milliseconds = 0;
  std::string trouble = {};
};
using Checker = std::function<Check(const DnsServer&)>;

double milliseconds_since(test::Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(test::Clock::now() - start).count();
}

Check by_spfwrap(const DnsServer& server) {
  test::Wrapped spfwrap(test::level("3", {{"TCPREMOTEIP", client},
                                          {"NAMESERVERS", server.address()},
                                          {"RES_OPTIONS", "port:" + std::to_string(server.port())}}));
  spfwrap.hello(helo);
  const auto start = test::Clock::now();
  spfwrap.ask("MAIL FROM:<" + std::string(sender) + ">");
  const double took = milliseconds_since(start);
  const std::string rcpt = spfwrap.ask("RCPT TO:<b@example.org>");
  return {took, rcpt.starts_with("550") ? "" : "RCPT is answered " + rcpt};
}

Check by_pyspf(const DnsServer& server) {
  const auto done = test::run({"/usr/bin/python3", "-B", "tests/programs/pyspf_once.py",
                               std::to_string(server.port()), client, sender, helo});
  if (!done.out.starts_with("fail ")) return {0, "it says " + done.out + done.err};
  return {std::atof(done.out.c_str() + 5), ""};
}

Check by_spfquery(const DnsServer&) {
  const auto start = test::Clock::now();
  const auto done = test::run({"/usr/bin/spfquery.libspf2", "-ip", client, "-sender", sender, "-helo", helo});
  const double took = milliseconds_since(start);
  const bool fail = done.out.starts_with("fail");
  return {took, fail ? "" : "it says " + done.out.substr(0, done.out.find('\n')) + done.err};
}

// The median of several checks.
Cost measure(DnsServer& server, const Checker& check, std::chrono::milliseconds delay) {
  server.delay(delay);
  std::vector<double> times;
  Cost cost;
  for (int i = 0; i < runs; ++i) {
    server.seen();
    const Check one = check(server);
    if (!one.trouble.empty()) return {0, 0, one.trouble};
    times.push_back(one.milliseconds);
    cost.queries = server.seen().size();
  }
  std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
  cost.milliseconds = times[runs / 2];
  return cost;
}

struct Measured {
  Cost near, far;
  const std::string& trouble() const { return near.trouble.empty() ? far.trouble : near.trouble; }
  double round_trips() const {
    return (far.milliseconds - near.milliseconds) / std::chrono::duration<double, std::milli>(round_trip).count();
  }
};

Measured measure(DnsServer& server, const Checker& check) {
  return {measure(server, check, 0ms), measure(server, check, round_trip)};
}

void print(const char* what, const Measured& measured, const char* verdict) {
  if (!measured.trouble().empty())
    std::printf("  %-26s not measured: %s\n", what, measured.trouble().c_str());
  else
    std::printf("  %-26s %10.1f %12.1f %9zu   %s\n", what, measured.far.milliseconds, measured.round_trips(),
                measured.far.queries, verdict);
}

// spfquery asks the name server of /etc/resolv.conf, at port 53. So this program
// runs a second time, in namespaces of its own, with a network that is only
// loopback and that file replaced.

int inside() {
  const test::TempDir files;
  const std::string resolv_conf = files.write("resolv.conf", "nameserver 127.0.0.1\n");
  std::string refusal = test::enter_namespaces();
  if (refusal.empty()) refusal = test::replace_resolv_conf(resolv_conf);
  if (!refusal.empty()) {
    std::printf("no private network here: %s\n", refusal.c_str());
    return 1;
  }
  DnsServer server("127.0.0.1", 53);
  publish_corporate_record(server);
  const Measured measured = measure(server, by_spfquery);
  umount2("/etc/resolv.conf", MNT_DETACH);
  if (!measured.trouble().empty()) {
    std::printf("%s\n", measured.trouble().c_str());
    return 1;
  }
  std::printf("%f %f %zu\n", measured.near.milliseconds, measured.far.milliseconds, measured.far.queries);
  return 0;
}

Measured spfquery() {
  Measured measured;
  const auto done = test::run({"/proc/self/exe", "--inside"});
  if (done.code != 0 ||
      std::sscanf(done.out.c_str(), "%lf %lf %zu", &measured.near.milliseconds, &measured.far.milliseconds,
                  &measured.far.queries) != 3) {
    measured.near.trouble = (done.out + done.err).substr(0, (done.out + done.err).find('\n'));
    if (measured.near.trouble.empty()) measured.near.trouble = "exit code " + std::to_string(done.code);
  }
  return measured;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--inside") == 0) return inside();
  DnsServer server;
  publish_corporate_record(server);
  std::printf("One check of a corporate record at a resolver %d ms away, median of %d\n\n",
              int(round_trip.count()), runs);
  std::printf("  %-26s %10s %12s %9s\n", "", "ms", "round trips", "queries");
  const Measured ours = measure(server, by_spfwrap);
  const bool good = ours.trouble().empty() && ours.round_trips() <= most_round_trips &&
                    ours.far.queries <= most_queries;
  char aim[64];
  std::snprintf(aim, sizeof aim, "aim %.1f and %zu  %s", most_round_trips, most_queries, good ? "ok" : "MISSED");
  print("spfwrap, MAIL to reply", ours, aim);
  print("pyspf", measure(server, by_pyspf), "");
  print("libspf2's spfquery", spfquery(), "");
  return good ? 0 : 1;
}
