#include "spf/proxy/evaluator.hh"
#include "spf/proxy/exempter.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "spf/wall/wall.hh"
#include "tests/catch.hh"
#include "tests/support/process.hh"

using namespace spf;
using std::chrono::seconds;

namespace {

const Query query = {*Address::parse("192.0.2.1"), "mail.example", "a@example.org"};

// Nobody need listen there.
const SealedAddresses name_servers({*SocketAddress::parse("127.0.0.1", 9),
                                    *SocketAddress::parse("127.0.0.2", 9)});

struct Outcome {
  std::optional<Judgement> judgement;
  std::string complaint;
};

// What an evaluator says whose check is `check`; no verdict after `patience`.
Outcome evaluate(Evaluator::Check* check, seconds patience = seconds(20), const CheckOptions& options = {}) {
  Evaluator evaluator(query, options, name_servers, seconds(20), check);
  for (;;) {
    pollfd p = {evaluator.descriptor(), POLLIN, 0};
    if (poll(&p, 1, patience.count() * 1000) <= 0) return {};
    if (auto answer = evaluator.read(no_verdict(query, options.helo)))
      return {std::get<Judgement>(*answer), evaluator.complaint()};
  }
}

// Something to do that is no system call.
volatile int turns = 0;
void turn() { turns = turns + 1; }

void wait_for_ever() {
  for (;;) poll(nullptr, 0, -1);
}

// A text as a walled process says it, with any size before it.
void say_sized(std::uint32_t size, const std::string& text) {
  const std::uint32_t heading[] = {size, 1};
  const std::string all = std::string(reinterpret_cast<const char*>(heading), sizeof heading) + text;
  if (write(walled_output, all.data(), all.size()) < 0) abort();
  wait_for_ever();
}

#define CHECK_THAT_DOES(name, ...) \
  [[maybe_unused]] Judgement name(const Query&, const CheckOptions&, Resolver&) { __VA_ARGS__; return {}; }

CHECK_THAT_DOES(aborts, abort())
CHECK_THAT_DOES(throws, throw 1)
CHECK_THAT_DOES(exits, _exit(70))
CHECK_THAT_DOES(waits, wait_for_ever())
CHECK_THAT_DOES(loops, for (;;) turn())
CHECK_THAT_DOES(closes_and_waits, close(walled_output); wait_for_ever())
CHECK_THAT_DOES(says_nonsense, if (write(walled_output, "wwww", 4) != 4) abort(); _exit(0))
CHECK_THAT_DOES(says_too_much, say_sized(~0u, "x"))
CHECK_THAT_DOES(says_something_else, say_sized(3, "abc"))
CHECK_THAT_DOES(floods, for (char octets[4096] = {};;)
    if (write(walled_output, octets, sizeof octets) < 0) _exit(0))
CHECK_THAT_DOES(allocates, for (std::vector<char*> all;;) {
  all.push_back(new char[1 << 20]);
  for (int i = 0; i < 1 << 20; i += 4096) all.back()[i] = 1;
})
CHECK_THAT_DOES(opens, open("/etc/passwd", O_RDONLY))
CHECK_THAT_DOES(executes, execl("/bin/true", "true", nullptr))
CHECK_THAT_DOES(forks, fork())
CHECK_THAT_DOES(kills, kill(getppid(), SIGTERM))
CHECK_THAT_DOES(connects_elsewhere, {
  sockaddr_in client = {};
  client.sin_family = AF_INET;
  client.sin_port = htons(25);
  client.sin_addr.s_addr = htonl(0xc0000201);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  connect(fd, reinterpret_cast<sockaddr*>(&client), sizeof client);
})
CHECK_THAT_DOES(listens, socket(AF_INET, SOCK_STREAM, 0))
CHECK_THAT_DOES(connects_fast, {
  sockaddr_in client = {};
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sendto(fd, "x", 1, MSG_FASTOPEN, reinterpret_cast<sockaddr*>(&client), sizeof client);
})
CHECK_THAT_DOES(unseals, mprotect(reinterpret_cast<void*>(sealed_address()), sealed_size,
                                  PROT_READ | PROT_WRITE))
CHECK_THAT_DOES(remaps, mmap(reinterpret_cast<void*>(sealed_address()), sealed_size,
                             PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0))
CHECK_THAT_DOES(speaks_elsewhere, if (write(1, "250 ok\r\n", 8)) {})

Verdict full_verdict() {
  Verdict verdict;
  verdict.result = Result::pass;
  verdict.domain = std::string("a\0w", 3);
  verdict.mechanism = "mx";
  verdict.problem = "none";
  verdict.local_policy = true;
  verdict.domains_own_words = true;
  verdict.explanation = std::string(20000, 'w');
  verdict.lookups = 3;
  verdict.voids = 1;
  verdict.milliseconds = 70000;
  return verdict;
}

void check_same(const Verdict& one, const Verdict& other) {
  CHECK(one.result == other.result);
  CHECK(one.identity == other.identity);
  CHECK(one.domain == other.domain);
  CHECK(one.mechanism == other.mechanism);
  CHECK(one.problem == other.problem);
  CHECK(one.local_policy == other.local_policy);
  CHECK(one.domains_own_words == other.domains_own_words);
  CHECK(one.explanation == other.explanation);
  CHECK(one.lookups == other.lookups);
  CHECK(one.voids == other.voids);
  CHECK(one.milliseconds == other.milliseconds);
}

Judgement passes(const Query&, const CheckOptions&, Resolver&) { return full_verdict(); }

// What is unmapped stays mapped: malloc's own calls must do no harm.
[[maybe_unused]] Judgement allocates_sensibly(const Query&, const CheckOptions&, Resolver&) {
  for (int i = 0; i < 100; ++i) {
    std::string text(300000, 'x');
    text.resize(600000);
  }
  Verdict verdict;
  verdict.result = munmap(reinterpret_cast<void*>(sealed_address()), sealed_size) == 0
                       ? Result::fail : Result::pass;
  return verdict;
}

}  // namespace

TEST_CASE("a judgement is the same behind its octets, and other octets are none") {
  Verdict helo;
  helo.identity = Identity::helo;
  helo.result = Result::permerror;
  helo.domain = "mail.example";
  helo.problem = "parse error";
  Judgement both = full_verdict();
  both.helo = helo;
  for (const Judgement& judgement : {Judgement(), Judgement(helo), Judgement(full_verdict()), both}) {
    const std::string octets = encode(judgement);
    const auto decoded = decode(octets);
    REQUIRE(decoded);
    check_same(decoded->verdict, judgement.verdict);
    REQUIRE(decoded->helo.has_value() == judgement.helo.has_value());
    if (judgement.helo) check_same(*decoded->helo, *judgement.helo);
    for (std::size_t size = 0; size < octets.size(); ++size)
      if (decode(octets.substr(0, size))) FAIL("taken with " << size << " octets");
    CHECK_FALSE(decode(octets + '\0'));
    CHECK_FALSE(decode(octets + octets));
  }
  // A second verdict is of the HELO name, and beside one of MAIL's domain.
  Judgement wrong = full_verdict();
  wrong.helo = full_verdict();
  CHECK_FALSE(decode(encode(wrong)));
  wrong.verdict = helo;
  wrong.helo = helo;
  CHECK_FALSE(decode(encode(wrong)));
}

TEST_CASE("a verdict comes through the wall as it was") {
  const Outcome outcome = evaluate(passes);
  REQUIRE(outcome.judgement);
  check_same(outcome.judgement->verdict, full_verdict());
  CHECK_FALSE(outcome.judgement->helo);
  CHECK(outcome.complaint == "");
}

TEST_CASE("a check that dies or talks nonsense is temperror, and the log hears how") {
  const struct { Evaluator::Check* check; const char* complaint; } cases[] = {
      {throws, "SPF check died with exit code 1"},
      {exits, "SPF check died with exit code 70"},
      {says_nonsense, "SPF check died"},
      {says_too_much, "SPF check died"},
      {says_something_else, "SPF check gave no verdict"},
      {floods, "SPF check died"},
      {closes_and_waits, "SPF check died of signal 9"},
      {aborts, "SPF check died"},
  };
  for (const auto& c : cases) {
    INFO(c.complaint);
    const Outcome outcome = evaluate(c.check);
    REQUIRE(outcome.judgement);
    CHECK(outcome.judgement->verdict.result == Result::temperror);
    CHECK(outcome.judgement->verdict.identity == Identity::mailfrom);
    CHECK(outcome.judgement->verdict.domain == "example.org");
    CHECK(outcome.complaint.starts_with(c.complaint));
  }
}

TEST_CASE("an exemption comes through the wall as it was, and one that can't be had is trouble") {
  const struct { Exempter::Search* search; Exemption expected; const char* complaint; } cases[] = {
      {[](const Query& q, const ExemptionOptions& o, Resolver&, Trace&) {
         return Exemption{q.sender + o.forwarders, false};
       }, {"a@example.orgall", false}, ""},
      {[](const Query&, const ExemptionOptions&, Resolver&, Trace&) { return Exemption{}; }, {}, ""},
      {[](const Query&, const ExemptionOptions&, Resolver&, Trace&) {
         return Exemption{"", true, "dmarc:example.org"};
       }, {"", true, "dmarc:example.org"}, ""},
      {[](const Query&, const ExemptionOptions&, Resolver&, Trace&) -> Exemption { throw 1; },
       {"", true}, "search for an exemption died with exit code 1"},
      {[](const Query&, const ExemptionOptions&, Resolver&, Trace&) -> Exemption { abort(); },
       {"", true}, "search for an exemption died"},
      {[](const Query&, const ExemptionOptions&, Resolver&, Trace&) -> Exemption {
         say_sized(3, "abc");
         return {};
       }, {"", true}, "search for an exemption gave no answer"},
  };
  for (const auto& c : cases) {
    INFO(c.complaint << c.expected.reason);
    Exempter exempter(query, {.forwarders = "all", .dmarc = false}, name_servers, seconds(20), c.search);
    std::optional<CheckAnswer> answer;
    while (!answer) {
      pollfd p = {exempter.descriptor(), POLLIN, 0};
      REQUIRE(poll(&p, 1, 20000) == 1);
      answer = exempter.read(Exemption{"", true, ""});
    }
    CHECK(std::get<Exemption>(*answer) == c.expected);
    CHECK(exempter.complaint().starts_with(c.complaint));
    CHECK(exempter.complaint().empty() == !*c.complaint);
  }
}

TEST_CASE("a check of both identities that dies is temperror for both") {
  CheckOptions options;
  options.helo = true;
  const Outcome outcome = evaluate(throws, seconds(20), options);
  REQUIRE(outcome.judgement);
  REQUIRE(outcome.judgement->helo);
  CHECK(outcome.judgement->verdict.result == Result::temperror);
  CHECK(outcome.judgement->helo->result == Result::temperror);
  CHECK(outcome.judgement->helo->identity == Identity::helo);
  CHECK(outcome.judgement->helo->domain == "mail.example");
}

TEST_CASE("a check has a second of the processor, and the log hears that it took more") {
  // Whether SIGXCPU was ignored before does not matter.
  for (const auto inherited : {SIG_DFL, SIG_IGN}) {
    const auto before = signal(SIGXCPU, inherited);
    Evaluator evaluator(query, {}, name_servers, seconds(20), loops);
    signal(SIGXCPU, before);
    pollfd p = {evaluator.descriptor(), POLLIN, 0};
    REQUIRE(poll(&p, 1, 20000) == 1);
    const auto answer = evaluator.read(no_verdict(query, false));
    REQUIRE(answer);
    CHECK(std::get<Judgement>(*answer).verdict.result == Result::temperror);
    CHECK(evaluator.complaint() == "SPF check used more than 1 s of CPU time");
    CHECK(evaluator.cpu_time() >= seconds(1));
    CHECK(evaluator.cpu_time() < std::chrono::milliseconds(2000));
  }
}

TEST_CASE("what a check takes of the processor is its own, and known when its verdict is") {
  while (clock() < CLOCKS_PER_SEC / 2) turn();  // what we have taken does not count
  Evaluator evaluator(query, {}, name_servers, seconds(20), [](const Query&, const CheckOptions&, Resolver&) {
    while (clock() < CLOCKS_PER_SEC / 5) turn();
    return Judgement();
  });
  pollfd p = {evaluator.descriptor(), POLLIN, 0};
  REQUIRE(poll(&p, 1, 20000) == 1);
  REQUIRE(evaluator.read(no_verdict(query, false)));
  CHECK(evaluator.cpu_time() > std::chrono::milliseconds(190));
  CHECK(evaluator.cpu_time() < std::chrono::milliseconds(450));
}

TEST_CASE("a check without end gives no verdict, and goes with its evaluator", "[waits]") {
  CHECK_FALSE(evaluate(waits, seconds(1)).judgement);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
}

TEST_CASE("what a check may not do kills it") {
  if (test::left_out(test::sanitized(), "the wall's bounds on system calls are not built with the sanitizers")) return;
  const struct { const char* what; Evaluator::Check* check; } cases[] = {
      {"open", opens},       {"exec", executes},
      {"fork", forks},       {"kill", kills},
      {"connect to the client", connects_elsewhere},
      {"another kind of socket", listens},
      {"connect without connect", connects_fast},
      {"unseal the addresses", unseals},
      {"map over them", remaps},
      {"write to another descriptor", speaks_elsewhere},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    const Outcome outcome = evaluate(c.check);
    REQUIRE(outcome.judgement);
    CHECK(outcome.judgement->verdict.result == Result::temperror);
    CHECK(outcome.complaint == "SPF check died of signal 31");  // SIGSYS
  }
}

TEST_CASE("memory is bounded, and freeing it can't unmap the sealed addresses") {
  if (test::left_out(test::sanitized(), "the wall's bounds on memory are not built with the sanitizers")) return;
  const Outcome outcome = evaluate(allocates);
  REQUIRE(outcome.judgement);
  CHECK(outcome.judgement->verdict.result == Result::temperror);
  CHECK(evaluate(allocates_sensibly).judgement->verdict.result == Result::pass);
}
