// What a stranger would have to guess, and what a stranger's zone may cost.
#include "spf/dns/dns_resolver.hh"

#include <set>
#include <string>
#include <vector>

#include "spf/engine/limits.hh"
#include "tests/catch.hh"
#include "tests/support/ask.hh"

using namespace spf;
using namespace std::chrono_literals;
using Status = Answer::Status;

namespace {

unsigned id(const DnsServer::Packet& packet) {
  return static_cast<unsigned char>(packet.message[0]) << 8 | static_cast<unsigned char>(packet.message[1]);
}

// The generator with which udns makes its ids when nobody gives it another, and
// its seed: the microseconds of the clock.
class ClockSeeded {
 public:
  explicit ClockSeeded(unsigned seed) : a_(0xf1ea5eed), b_(seed), c_(seed), d_(seed) {
    for (int i = 0; i < 20; ++i) next();
  }
  unsigned next() {
    const auto rotated = [](unsigned x, int by) { return x << by | x >> (32 - by); };
    const unsigned e = a_ - rotated(b_, 27);
    a_ = b_ ^ rotated(c_, 17);
    b_ = c_ + d_;
    c_ = d_ + e;
    return d_ = e + a_;
  }

 private:
  unsigned a_, b_, c_, d_;
};

// Whether some seed gives all these ids: low half first, its octets swapped.
bool follow_from_a_seed(const std::vector<unsigned>& ids) {
  const auto swapped = [](unsigned x) { return (x & 0xff) << 8 | (x >> 8 & 0xff); };
  for (unsigned seed = 0; seed < 1'000'000; ++seed) {
    ClockSeeded generator(seed);
    bool all = true;
    for (std::size_t i = 0; all && i < ids.size(); i += 2) {
      const unsigned both = generator.next();
      all = swapped(both) == ids[i] && (i + 1 == ids.size() || swapped(both >> 16) == ids[i + 1]);
    }
    if (all) return true;
  }
  return false;
}

// One check's packets: `count` questions at once, and what a busy machine has
// repeated of them.
std::vector<DnsServer::Packet> packets_of_a_check(DnsServer& server, int count) {
  LocalResolver resolver(Clock::now() + 20s);
  for (int i = 0; i < count; ++i) resolver.prefetch("n" + std::to_string(i) + ".example", RrType::a);
  resolver.lookup("n0.example", RrType::a);
  for (int i = 1; i < count; ++i) resolver.lookup("n" + std::to_string(i) + ".example", RrType::a);
  return server.packets();
}

// How many different names it was asked for.
std::size_t questions(DnsServer& server) {
  std::set<std::string> names;
  for (const auto& question : server.seen()) names.insert(question.name);
  return names.size();
}

}  // namespace

TEST_CASE("the generator that is searched is the one that udns has") {
  ClockSeeded generator(123456);
  std::vector<unsigned> ids;
  for (int i = 0; i < 2; ++i) {
    const unsigned both = generator.next();
    for (const unsigned half : {both & 0xffff, both >> 16}) ids.push_back((half & 0xff) << 8 | half >> 8);
  }
  CHECK(follow_from_a_seed(ids));
}

TEST_CASE("no seed of the clock gives the ids of a check") {
  DnsServer server;
  server.use();
  std::vector<unsigned> ids;
  for (const auto& packet : packets_of_a_check(server, 4)) ids.push_back(id(packet));
  REQUIRE(ids.size() >= 4);
  ids.resize(4);
  CHECK_FALSE(follow_from_a_seed(ids));
}

TEST_CASE("checks have ports of their own, spread wide, and ids that do not repeat") {
  DnsServer server;
  server.use();
  std::set<unsigned> ports, ids;
  for (int check = 0; check < 64; ++check) {
    const auto packets = packets_of_a_check(server, 2);
    REQUIRE(packets.size() >= 2);
    ports.insert(packets[0].port);
    for (const auto& packet : packets) {
      CHECK(packet.port == packets[0].port);
      ids.insert(id(packet));
    }
  }
  // 64 of 49,152, and 128 of 65,536: two that are the same are rare, five are not to be seen.
  CHECK(ports.size() >= 60);
  CHECK(ids.size() >= 124);
  CHECK(*ports.rbegin() - *ports.begin() > 32768);
  CHECK(*ports.begin() >= 16384);
}

TEST_CASE("EDNS offers 1232 octets over UDP, and there is no OPT over TCP") {
  DnsServer server;
  server.use();
  server.txt("example.org", std::string(3000, 'x'));
  REQUIRE(ask("example.org", RrType::txt).status == Status::ok);
  const auto packets = server.packets();
  REQUIRE(packets.size() >= 2);
  const std::string question = DnsServer::wire("example.org") + std::string("\0\x10\0\1", 4);
  CHECK(packets[0].message.substr(2) == std::string("\1\0\0\1\0\0\0\0\0\1", 10) + question +
                                            std::string("\0\0\x29\x04\xd0\0\0\0\0\0\0", 11));
  CHECK(packets.back().port == 0);
  CHECK(packets.back().message.substr(2) == std::string("\1\0\0\1\0\0\0\0\0\0", 10) + question);
}

TEST_CASE("a check asks 130 questions, however they are asked, and the next is trouble") {
  DnsServer server;
  server.use();
  LocalResolver resolver(Clock::now() + 20s);
  for (unsigned i = 0; i < 200; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example";
    if (i % 2) resolver.prefetch(name, RrType::a);
    const Answer& answer = resolver.lookup(name, RrType::a);
    CHECK(answer.status == (i < Limits::most_questions ? Status::no_name : Status::trouble));
    CHECK(answer.over_bound == (i >= Limits::most_questions));
  }
  CHECK(resolver.lookup("n3.example", RrType::a).status == Status::no_name);  // known already
  CHECK(questions(server) == Limits::most_questions);
}

TEST_CASE("each link of a chain of CNAMEs is a question") {
  DnsServer server;
  server.use();
  server.cname_alone(true);
  // Chains of eight links and an address: nine questions each.
  for (unsigned chain = 0; chain < 20; ++chain) {
    const auto link = [&](unsigned i) { return "c" + std::to_string(chain) + "-" + std::to_string(i) + ".example"; };
    for (unsigned i = 0; i < 8; ++i) server.cname(link(i), link(i + 1));
    server.a(link(8), "192.0.2.1");
  }
  LocalResolver resolver(Clock::now() + 20s);
  unsigned good = 0;
  for (unsigned chain = 0; chain < 20; ++chain)
    good += !resolver.lookup("c" + std::to_string(chain) + "-0.example", RrType::a).over_bound;
  CHECK(good == Limits::most_questions / 9);
  CHECK(questions(server) == Limits::most_questions);
}
