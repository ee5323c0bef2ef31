#include "spf/stat/durations.hh"

#include <algorithm>
#include <random>
#include <vector>

#include "tests/catch.hh"

TEST_CASE("percentiles are those of the sorted list") {
  std::mt19937_64 random(99);
  for (unsigned run = 0; run < 30; ++run) {
    spf::Durations durations;
    std::vector<unsigned> list(1 + random() % 300);
    std::uint64_t sum = 0;
    for (unsigned& ms : list) {
      ms = unsigned(random() % (random() % 4 ? 50 : 20000));
      sum += ms;
      durations.add(ms);
    }
    std::sort(list.begin(), list.end());
    CHECK(durations.count() == list.size());
    CHECK(durations.sum() == sum);
    for (const unsigned percent : {1u, 50u, 99u, 100u}) {
      const std::size_t rank = (list.size() * percent + 99) / 100;  // the nearest one
      CHECK(durations.percentile(percent) == list[rank - 1]);
    }
    const unsigned limit = unsigned(random() % 100);
    CHECK(durations.at_most(limit) ==
          std::uint64_t(std::upper_bound(list.begin(), list.end(), limit) - list.begin()));
  }
}

TEST_CASE("what takes longer than can be counts as the longest") {
  spf::Durations durations;
  durations.add(4'000'000'000);
  durations.add(300'001);
  CHECK(durations.percentile(1) == 300'000);
  CHECK(durations.sum() == 4'000'300'001);
  CHECK(durations.at_most(299'999) == 0);
  CHECK(durations.at_most(4'000'000'000) == 2);
}
