// Several servers loaded by turns, so that what else the machine does hits all
// of them alike, and the median of each.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tests/programs/client.hh"

namespace rounds {

struct Target {
  std::string name;
  int port;
  std::vector<double> results = {};
};

// From words like name=port, of which the last is a null pointer; none at all
// where one of them is something else.
inline std::vector<Target> targets(char** words) {
  std::vector<Target> all;
  for (; *words; ++words) {
    const std::string word = *words;
    const auto equals = word.find('=');
    if (equals == word.npos) return {};
    all.push_back({word.substr(0, equals), atoi(word.c_str() + equals + 1)});
  }
  return all;
}

// Prints for each target its name and the median of what `measure` says of its
// port. One round that does not count warms everything up. What a server leaves
// behind, processes that are about to end, is not to cost the next one.
inline void run(int rounds, std::vector<Target> targets, auto measure) {
  for (int round = 0; round <= rounds; ++round)
    for (Target& target : targets) {
      usleep(200'000);
      const double result = measure(target.port);
      if (round) target.results.push_back(result);
    }
  for (Target& target : targets) {
    std::sort(target.results.begin(), target.results.end());
    printf("%s %.1f\n", target.name.c_str(), target.results[target.results.size() / 2]);
  }
}

inline double seconds_of(auto work) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// `count` sessions, so many clients at a time with a process each, and at least
// one of each.
inline double per_second(int count, int clients, auto session) {
  const int each = std::max(1, count / clients);
  const double seconds = seconds_of([&] {
    for (int i = 0; i < clients; ++i)
      if (fork() == 0) {
        for (int n = each; n > 0; --n) session();
        _exit(0);
      }
    for (int i = 0, status; i < clients; ++i)
      if (wait(&status) == -1 || status != 0) exit(111);
  });
  return each * clients / seconds;
}

// One body of so many MB, in an open session, which ends with it.
inline double megabytes_per_second(client::Session& session, int megabytes) {
  static const std::string block = client::message(1 << 20);
  session.next_message("a@pass.example.org");
  const double seconds = seconds_of([&] {
    for (int i = 0; i < megabytes; ++i) session.send(block);
    session.ask(".\r\n", "250");
  });
  session.quit();
  return block.size() / 1e6 * megabytes / seconds;
}

}  // namespace rounds
