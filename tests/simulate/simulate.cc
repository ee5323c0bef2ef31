// simulate N SEED [FIRST]: plays N sessions. simulate print NUMBER SEED: shows
// one of them. Exit 1 if the program was at fault in any.

#include <sys/wait.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/simulate/play.hh"

using namespace simulate;

namespace {

struct Totals {
  unsigned long sessions = 0, blamed = 0, acknowledged = 0, queued = 0, calls = 0, wrong = 0;
};

int show(std::uint64_t seed, unsigned long number) {
  const Played played = play(Plan(seed, number), true);
  for (const std::string& problem : played.problems) printf("WRONG: %s\n", problem.c_str());
  return !played.problems.empty();
}

Totals play_share(std::uint64_t seed, unsigned long first, unsigned long count, unsigned long step) {
  Totals totals;
  for (unsigned long number = first; number < count; number += step) {
    const Played played = play(Plan(seed, number));
    ++totals.sessions;
    totals.blamed += played.blamed;
    totals.acknowledged += played.acknowledged;
    totals.queued += played.queued;
    totals.calls += played.calls;
    if (played.problems.empty()) continue;
    ++totals.wrong;
    for (const std::string& problem : played.problems)
      printf("session %lu of seed %" PRIu64 ": %s\n", number, seed, problem.c_str());
    fflush(stdout);
  }
  return totals;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && strcmp(argv[1], "print") == 0)
    return show(strtoull(argv[3], nullptr, 10), strtoul(argv[2], nullptr, 10));
  if (argc != 3) {
    fprintf(stderr, "usage: simulate N SEED | simulate print NUMBER SEED\n");
    return 100;
  }
  const unsigned long count = strtoul(argv[1], nullptr, 10);
  const std::uint64_t seed = strtoull(argv[2], nullptr, 10);

  // One process for each processor: what they play does not depend on that.
  const long processors = std::max(1l, sysconf(_SC_NPROCESSORS_ONLN));
  std::vector<int> results;
  for (long i = 0; i < processors; ++i) {
    int ends[2];
    if (pipe(ends) != 0) return 111;
    const pid_t pid = fork();
    if (pid < 0) return 111;
    if (pid == 0) {
      const Totals totals = play_share(seed, i, count, processors);
      _exit(write(ends[1], &totals, sizeof totals) == sizeof totals ? 0 : 111);
    }
    close(ends[1]);
    results.push_back(ends[0]);
  }
  Totals all;
  bool complete = true;
  for (const int result : results) {
    Totals share;
    complete = read(result, &share, sizeof share) == sizeof share && complete;
    if (!complete) break;
    all.sessions += share.sessions;
    all.blamed += share.blamed;
    all.acknowledged += share.acknowledged;
    all.queued += share.queued;
    all.calls += share.calls;
    all.wrong += share.wrong;
  }
  if (!complete) {
    printf("a player died\n");
    return 1;
  }
  while (wait(nullptr) > 0) {}
  printf("%lu sessions, %lu with somebody who fails; %lu messages acknowledged of %lu queued; %lu calls\n"
         "%lu wrong\n",
         all.sessions, all.blamed, all.acknowledged, all.queued, all.calls, all.wrong);
  return all.wrong != 0;
}
