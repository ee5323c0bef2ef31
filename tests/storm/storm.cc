// storm MESSAGES SEED [WORKERS [FIRST]]: so many messages through real spfwrap
// processes, with faults on every side injected by the seed's dice. At the end
// it tells what the clients were told and what the queue holds, and exits 1
// if the two do not agree. FIRST is the session to begin with: `storm 1 SEED 1
// FIRST` plays one again.
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <mutex>
#include <thread>

#include "tests/storm/session.hh"
#include "tests/support/dns_server.hh"

using namespace storm;
using namespace test;

namespace {

void zone(DnsServer& dns) {
  const auto name = [](const char* label) { return std::string(label) + ".storm.example"; };
  std::string long_record = "v=spf1";
  for (int i = 0; i < 120; ++i) long_record += " ip4:198.51.100." + std::to_string(i);
  dns.txt(name("pass"), "v=spf1 ip4:192.0.2.0/24 -all");
  dns.txt(name("long"), long_record + " ip4:192.0.2.1 -all");  // over TCP
  dns.txt(name("fail"), "v=spf1 -all");
  dns.txt(name("softfail"), "v=spf1 ~all");
  dns.txt(name("neutral"), "v=spf1 ?all");
  dns.txt(name("none"), "no policy");
  dns.txt(name("permerror"), "v=spf1 ip5:x -all");
  dns.fault(name("servfail"), DnsServer::Fault::servfail);
  dns.fault(name("refused"), DnsServer::Fault::refused);
  dns.fault(name("silent"), DnsServer::Fault::silence);
  dns.udp_limit(1232);
  dns.script([&dns](const std::string& query, bool tcp) -> std::optional<std::vector<std::string>> {
    if (query.find("\5lying\5storm") == query.npos) return {};
    std::string answer = dns.answer(query, tcp);
    answer[0] = static_cast<char>(answer[0] ^ 1);  // to another question
    return std::vector<std::string>{answer};
  });
}

struct Totals {
  unsigned long sessions = 0, offered = 0;
  unsigned long accepted = 0, accepted_queued = 0, refused = 0;
  unsigned long gone = 0, gone_queued = 0, stopped = 0, stopped_queued = 0;
  unsigned long server = 0, server_queued = 0, unanswered = 0;
  unsigned long queues = 0, queue_faults = 0;
  unsigned long faults = 0, leaves = 0, stops = 0, dns = 0, full_logs = 0;
  std::vector<std::string> problems;
};

// Whether `text` could stand above the message: our header, and no more.
bool is_our_header(std::string_view text, const Plan& plan, const Message& message) {
  if (!plan.header) return text.empty();
  if (!text.starts_with("Received-SPF: " + message.result + " (")) return false;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n') + 1);
    if (!line.ends_with("\r\n") || !(line[0] == ' ' || line.starts_with("Received-SPF: ") ||
                                     line.starts_with("X-Received-SPF-Note: ")))
      return false;
    text.remove_prefix(line.size());
  }
  return true;
}

// How often each message of the plan is in the queue; what is there and is
// not one of them, whole and in the right surroundings, is a problem.
std::vector<unsigned> queued(const Plan& plan, const Outcome& outcome, std::vector<std::string>& problems) {
  std::vector<unsigned> counts(plan.messages.size());
  for (const auto& [text, result] : outcome.queued) {
    bool known = false;
    for (std::size_t i = 0; i < counts.size() && !known; ++i) {
      const Message& message = plan.messages[i];
      known = text.ends_with(message.content) &&
              is_our_header(std::string_view(text).substr(0, text.size() - message.content.size()), plan, message) &&
              result == message.result && !message.refused;
      counts[i] += known;
    }
    if (!known) problems.push_back("not a message that was sent, or not whole: " + text.substr(0, 300));
  }
  return counts;
}

void judge(const Plan& plan, const Outcome& outcome, Totals& totals) {
  std::vector<std::string> problems = outcome.problems;
  const auto counts = queued(plan, outcome, problems);
  ++totals.sessions;
  totals.queues += plan.queue;
  totals.queue_faults += !plan.queue_fault.empty();
  totals.faults += !plan.fault.empty();
  totals.leaves += plan.leave.stage != Point::never;
  totals.stops += plan.stop.stage != Point::never;
  totals.full_logs += plan.log_full;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const Fate fate = outcome.fates[i];
    totals.offered += fate != Fate::not_offered;
    totals.dns += fate != Fate::not_offered && plan.messages[i].result == "temperror";
    const auto wrong = [&](const char* what) {
      problems.push_back(std::string(what) + ": message " + plan.messages[i].id + ", " +
                         std::to_string(counts[i]) + " times");
    };
    if (counts[i] > 1) wrong("in the queue more than once");
    switch (fate) {
      case Fate::not_offered:
      case Fate::refused:
        totals.refused += fate == Fate::refused;
        // A spfqueue that was killed may have given the queue all of it before.
        if (plan.queue_fault.find("orphan") != std::string::npos) {
          totals.server += counts[i];
          totals.server_queued += counts[i];
        } else if (counts[i]) {
          wrong("refused, but in the queue");
        }
        break;
      case Fate::accepted:
        ++totals.accepted;
        totals.accepted_queued += counts[i] == 1;
        if (counts[i] != 1) wrong("answered 250, but not in the queue");
        break;
      case Fate::client_gone:
        ++totals.gone;
        totals.gone_queued += counts[i];
        break;
      case Fate::no_answer:  // its queue may have been quicker than its end, or ours
        if (plan.stop.stage != Point::never) {
          ++totals.stopped;
          totals.stopped_queued += counts[i];
        } else if (plan.fault.find("dot=") != std::string::npos || plan.short_timeout) {
          ++totals.server;
          totals.server_queued += counts[i];
        } else {
          ++totals.unanswered;
          if (counts[i]) wrong("not answered 250, but in the queue");
        }
    }
  }
  for (const std::string& problem : problems)
    totals.problems.push_back("session " + std::to_string(plan.number) + " [" + plan.fault + "; " + plan.queue_fault + "]: " + problem);
}

std::size_t entries(const std::string& directory) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory)) ++count;
  return count;
}

void print(const Totals& t) {
  printf("  answered 250                       %6lu   in the queue once and whole: %lu\n", t.accepted, t.accepted_queued);
  printf("  refused, or broken off by client   %6lu   in the queue: 0\n", t.refused);
  printf("  session closed instead of a 250    %6lu   in the queue: 0\n", t.unanswered);
  printf("  client gone after the final dot    %6lu   in the queue once and whole: %lu\n", t.gone, t.gone_queued);
  printf("  server failing behind its queue    %6lu   in the queue once and whole: %lu\n", t.server, t.server_queued);
  printf("  stopped by SIGTERM after the dot   %6lu   in the queue once and whole: %lu\n", t.stopped, t.stopped_queued);
  printf("  sessions with a faulty server %lu, a client that leaves %lu, SIGTERM %lu, a full log %lu;"
         " DNS trouble for %lu messages\n  sessions with spfqueue %lu, it or the queue program failing in %lu\n", t.faults, t.leaves, t.stops, t.full_logs, t.dns, t.queues,
         t.queue_faults);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fputs("storm: usage: storm MESSAGES SEED [WORKERS [FIRST]]\n", stderr);
    return 100;
  }
  const unsigned long wanted = strtoul(argv[1], nullptr, 10), seed = strtoul(argv[2], nullptr, 10);
  const int workers = argc > 3 ? atoi(argv[3]) : 4;
  const auto start = Clock::now();
  const TempDir files;
  setenv("TMPDIR", files.path().c_str(), 1);
  DnsServer dns;
  zone(dns);
  const Environment environment = {{"NAMESERVERS", dns.address()},
                                   {"RES_OPTIONS", "port:" + std::to_string(dns.port())}};
  const std::size_t descriptors = entries("/proc/self/fd");

  Totals totals;
  std::mutex mutex;
  std::uint64_t next = argc > 4 ? strtoul(argv[4], nullptr, 10) : 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < workers; ++i)
    threads.emplace_back([&] {
      for (std::unique_lock lock(mutex); totals.offered < wanted && totals.problems.size() < 20;) {
        const std::uint64_t number = next++;
        lock.unlock();
        const Plan plan = make_plan(seed, number);
        const Outcome outcome = play(plan, environment);
        lock.lock();
        judge(plan, outcome, totals);
      }
    });
  for (std::thread& thread : threads) thread.join();

  const auto descriptors_left = [&] { return entries("/proc/self/fd") - descriptors; };
  wait_until([&] { return descriptors_left() == 0; }, 2s);
  int processes_left = 0;
  while (waitpid(-1, nullptr, WNOHANG) >= 0) {
    ++processes_left;
    break;
  }
  printf("%lu messages in %lu sessions, %d at a time, seed %lu, %ld s\n", totals.offered, totals.sessions, workers,
         seed, static_cast<long>(since(start).count() / 1000));
  print(totals);
  printf("  left: %d processes, %zu descriptors, %zu files\n", processes_left, descriptors_left(),
         entries(files.path()));
  if (processes_left || descriptors_left() || entries(files.path())) totals.problems.push_back("something is left");
  for (const std::string& problem : totals.problems) fprintf(stderr, "%s\n", problem.c_str());
  puts(totals.problems.empty() ? "Nothing lost, nothing twice." : "PROBLEMS");
  return totals.problems.empty() ? 0 : 1;
}
