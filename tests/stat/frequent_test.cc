#include "spf/stat/frequent.hh"

#include <map>
#include <random>
#include <string>

#include "tests/catch.hh"

namespace {

std::string text_of(const spf::Frequent& names, std::size_t most) {
  std::string text;
  for (const auto& [name, count] : names.top(most)) text += name + ' ' + std::to_string(count) + '\n';
  return text;
}

}  // namespace

TEST_CASE("few names are counted exactly, the most frequent first") {
  spf::Frequent names(4);
  CHECK(names.top(3).empty());
  for (const char* name : {"b", "a", "c", "b", "", "b", "a"}) names.add(name);
  CHECK(text_of(names, 9) == "b 3\na 2\n 1\nc 1\n");
  CHECK(text_of(names, 2) == "b 3\na 2\n");
  CHECK(names.total() == 7);
  CHECK(names.names() == 4);
  CHECK(names.error() == 0);
  names.add("d");  // a fifth: the median, 2, is taken off each
  CHECK(names.names() == 2);           // b 1, d 1
  CHECK(names.error() == 2);
  CHECK(text_of(names, 9) == "");      // a may have come as often
  names.add("b");
  names.add("b");
  CHECK(text_of(names, 9) == "b 3\n");  // 5 in truth
}

TEST_CASE("of a long name its beginning counts") {
  spf::Frequent names;
  names.add(std::string(255, 'x') + "y");
  names.add(std::string(255, 'x') + "z");
  CHECK(names.names() == 1);
  CHECK(names.top(1)[0].name == std::string(255, 'x'));
}

TEST_CASE("a million different names take no more room, and hide none that is frequent") {
  spf::Frequent names;
  std::size_t most = 0;
  for (unsigned i = 0; i < 1'000'000; ++i) {
    names.add("d" + std::to_string(i) + ".example");
    if (i % 1000 == 0) names.add("often.example");
    most = std::max(most, names.names());
  }
  CHECK(most <= names.capacity());
  CHECK(names.capacity() == 8192);
  CHECK(names.total() == 1'001'000);
  CHECK(names.error() > 0);
  CHECK(names.error() <= 2 * names.total() / names.capacity());
  const auto top = names.top(1);
  CHECK(top[0].name == "often.example");
  CHECK(top[0].count <= 1000);
  CHECK(top[0].count + names.error() >= 1000);
}

TEST_CASE("no count is too high, and none too low by more than the error") {
  std::mt19937_64 random(7208);
  for (unsigned run = 0; run < 200; ++run) {
    spf::Frequent names(1 + random() % 40);
    std::map<std::string, std::uint64_t> exact;
    const std::size_t different = 1 + random() % 100;
    for (std::size_t left = random() % 3000; left > 0; --left) {
      const double x = double(random() % 1000) / 1000;
      const std::string name = std::to_string(std::size_t(x * x * x * double(different)));
      names.add(name);
      ++exact[name];
    }
    std::map<std::string, std::uint64_t> counted;
    for (const auto& [name, count] : names.top(names.capacity())) counted[name] = count;
    CHECK(counted.size() <= names.names());
    CHECK(names.names() <= names.capacity());
    CHECK((names.error() == 0) == (exact.size() <= names.capacity()));
    if (names.error() == 0) CHECK(counted == exact);
    CHECK(names.error() <= 2 * names.total() / names.capacity());
    bool right = true;
    for (const auto& [name, count] : exact)
      right = right && (counted.contains(name)
                            ? counted[name] > names.error() && counted[name] <= count && counted[name] + names.error() >= count
                            : count <= 2 * names.error());
    CHECK(right);
  }
}
