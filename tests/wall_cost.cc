// What the evaluator's process and its wall cost: CPU time of a check that
// finds its verdict without asking DNS, in this process and in the evaluator.
// Prints both, the difference and, for comparison, what a fork costs whose
// process ends at once; in microseconds, medians of rounds.

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "spf/engine/check.hh"
#include "spf/proxy/evaluator.hh"
#include "spf/base/own_address.hh"
#include "tests/support/local_resolver.hh"

namespace {

using namespace spf;

const LocalServers name_servers;
const SealedAddresses sealed(name_servers.addresses);
const Query query = {*Address::parse("192.0.2.1"), "mail.example", "a@not-a-domain"};

double cpu_microseconds() {
  double sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used;
    getrusage(who, &used);
    for (const timeval& t : {used.ru_utime, used.ru_stime}) sum += t.tv_sec * 1e6 + t.tv_usec;
  }
  return sum;
}

void here() {
  CheckOptions options;
  options.own_address = is_own_address(query.client);
  DnsResolver resolver(std::chrono::steady_clock::now() + std::chrono::seconds(20),
                        name_servers.pointers(), Limits::most_questions);
  check(query, options, resolver);
}

void walled() {
  CheckOptions options;
  options.own_address = is_own_address(query.client);
  Evaluator evaluator(query, options, sealed, std::chrono::seconds(20));
  do {
    pollfd p = {evaluator.descriptor(), POLLIN, 0};
    poll(&p, 1, -1);
  } while (!evaluator.read(no_verdict(query, false)));
}

void bare_fork() {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  waitpid(pid, nullptr, 0);
}

double cost(void (*what)()) {
  constexpr int checks = 200;
  const double before = cpu_microseconds();
  for (int i = 0; i < checks; ++i) what();
  return (cpu_microseconds() - before) / checks;
}

}  // namespace

int main() {
  std::vector<double> in_process, in_evaluator, of_fork;
  for (int round = 0; round < 11; ++round) {
    in_process.push_back(cost(here));
    in_evaluator.push_back(cost(walled));
    of_fork.push_back(cost(bare_fork));
  }
  const auto median = [](std::vector<double>& values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
  };
  const double a = median(in_process), b = median(in_evaluator);
  std::printf("here %.0f\nevaluator %.0f\ndifference %.0f\nfork %.0f\n", a, b, b - a, median(of_fork));
}
