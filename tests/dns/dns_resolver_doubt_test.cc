// Name servers that are dead, silent or refuse: known once, and not waited for
// again in the same check.
#include "spf/dns/dns_resolver.hh"

#include <memory>
#include <string>

#include "tests/catch.hh"
#include "tests/support/ask.hh"

using namespace spf;
using namespace std::chrono_literals;
using Status = Answer::Status;
using Fault = DnsServer::Fault;

namespace {

constexpr int levels = 6;

std::string level_name(int level) { return "level" + std::to_string(level) + ".example"; }

void fill(DnsServer& server) {
  for (int level = 0; level < levels; ++level) server.a(level_name(level), "192.0.2.1");
}

// How long a check takes that asks one thing after the other.
std::chrono::milliseconds time_of_levels() {
  const auto start = Clock::now();
  LocalResolver resolver(start + 20s);
  for (int level = 0; level < levels; ++level)
    CHECK(resolver.lookup(level_name(level), RrType::a).status == Status::ok);
  return since(start);
}

void be_silent(DnsServer& server) {
  server.script([](const std::string&, bool) { return std::vector<std::string>{}; });
}

}  // namespace

TEST_CASE("a silent first of two servers costs half a second once, not at each level", "[waits]") {
  DnsServer last("127.0.0.3");
  fill(last);
  DnsServer first("127.0.0.1", last.port());
  be_silent(first);
  first.use({&last});
  const auto time = time_of_levels();
  CHECK(time >= 500ms);
  CHECK(time < 900ms);
  CHECK(first.seen().size() == 1);
}

TEST_CASE("two silent ones of three servers cost a second once", "[waits]") {
  DnsServer last("127.0.0.3");
  fill(last);
  DnsServer first("127.0.0.1", last.port()), second("127.0.0.2", last.port());
  be_silent(first);
  be_silent(second);
  first.use({&second, &last});
  const auto time = time_of_levels();
  CHECK(time >= 1000ms);
  CHECK(time < 1500ms);
}

TEST_CASE("where nobody listens the next server is asked at once") {
  DnsServer last("127.0.0.3");
  fill(last);
  {
    DnsServer first("127.0.0.1", last.port()), second("127.0.0.2", last.port());
    first.use({&second, &last});
  }
  CHECK(time_of_levels() < 300ms);
}

TEST_CASE("a server that refuses is passed over from then on") {
  DnsServer last("127.0.0.3");
  fill(last);
  DnsServer first("127.0.0.1", last.port());
  first.use({&last});
  for (int level = 0; level < levels; ++level) first.fault(level_name(level), Fault::refused);
  CHECK(time_of_levels() < 300ms);
  CHECK(first.seen().size() == 1);
}

TEST_CASE("a failure for one name is held against that name only") {
  DnsServer last("127.0.0.3");
  fill(last);
  DnsServer first("127.0.0.1", last.port());
  fill(first);
  first.fault(level_name(2), Fault::servfail, DnsServer::A);
  first.use({&last});
  CHECK(time_of_levels() < 300ms);
  CHECK(first.seen().size() == std::size_t(levels));
  CHECK(last.seen().size() == 1);
}

TEST_CASE("two servers where nobody listens, or that refuse, are trouble long before the deadline", "[waits]") {
  auto last = std::make_unique<DnsServer>("127.0.0.3");
  auto first = std::make_unique<DnsServer>("127.0.0.1", last->port());
  first->use({last.get()});
  for (DnsServer* server : {first.get(), last.get()}) server->fault("example.org", Fault::refused);
  auto start = Clock::now();
  CHECK(ask("example.org", RrType::a, 20s).status == Status::trouble);
  CHECK(since(start) < 300ms);
  first.reset();
  last.reset();
  start = Clock::now();
  CHECK(ask("example.org", RrType::a, 20s).status == Status::trouble);
  CHECK(since(start) < 2s);
}

TEST_CASE("a dead server and one that has a failure are trouble long before the deadline") {
  DnsServer last("127.0.0.3");
  last.fault("example.org", Fault::servfail);
  {
    DnsServer first("127.0.0.1", last.port());
    first.use({&last});
  }
  const auto start = Clock::now();
  CHECK(ask("example.org", RrType::a, 20s).status == Status::trouble);
  CHECK(since(start) < 2s);
}

TEST_CASE("what one server fails to say a silent one is not waited for until the deadline", "[waits]") {
  DnsServer last("127.0.0.3");
  fill(last);
  last.fault("example.org", Fault::servfail);
  last.fault("example.com", Fault::servfail);
  DnsServer first("127.0.0.1", last.port());
  be_silent(first);
  for (const bool silent_first : {true, false}) {
    INFO(silent_first);
    silent_first ? first.use({&last}) : last.use({&first});
    const auto start = Clock::now();
    LocalResolver resolver(start + 20s);
    CHECK(resolver.lookup("example.org", RrType::a).status == Status::trouble);
    CHECK(since(start) < 1500ms);  // half a second or one until it is known
    const auto known = Clock::now();
    CHECK(resolver.lookup("example.com", RrType::a).status == Status::trouble);
    CHECK(since(known) < 900ms);
    const auto good = Clock::now();
    CHECK(resolver.lookup(level_name(0), RrType::a).status == Status::ok);
    CHECK(since(good) < 300ms);
  }
}

TEST_CASE("a slow server still answers for one that has a failure", "[waits]") {
  DnsServer last("127.0.0.3");
  last.a("example.org", "192.0.2.1");
  last.delay(700ms);
  DnsServer first("127.0.0.1", last.port());
  first.fault("example.org", Fault::servfail, DnsServer::A);
  first.use({&last});
  CHECK(ask("example.org", RrType::a, 20s).status == Status::ok);
}

TEST_CASE("a server that was slow is trusted again, and its late answer counts", "[waits]") {
  DnsServer first;
  fill(first);
  first.delay(700ms);
  DnsServer second("127.0.0.2", first.port());
  be_silent(second);
  first.use({&second});
  const auto start = Clock::now();
  LocalResolver resolver(start + 20s);
  CHECK(resolver.lookup(level_name(0), RrType::a).status == Status::ok);
  CHECK(since(start) < 950ms);
  first.delay(0ms);
  CHECK(resolver.lookup(level_name(1), RrType::a).status == Status::ok);
  CHECK(since(start) < 1200ms);
}

TEST_CASE("when all are in doubt all are asked together", "[waits]") {
  DnsServer last("127.0.0.3");
  fill(last);
  DnsServer first("127.0.0.1", last.port());
  be_silent(first);
  last.fault(level_name(0), Fault::silence, DnsServer::A, 1);  // one packet is lost
  first.use({&last});
  CHECK(time_of_levels() < 2500ms);
}
