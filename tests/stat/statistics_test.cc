// What is counted, against a count made another way.
#include "spf/stat/statistics.hh"

#include <algorithm>
#include <map>
#include <numeric>
#include <sstream>

#include "tests/catch.hh"
#include "tests/stat/made_log.hh"

namespace {

using spf::Decision;
using spf::Result;

constexpr std::int64_t later = 2'000'000'000;

template <class Counts>
std::uint64_t sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t(0));
}

void add(spf::Statistics& statistics, const std::string& lines) {
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) statistics.add(line, false);
}

Result result_of(std::string_view detail) {
  for (const Result result : spf::all_results)
    if (spf::name(result) == detail) return result;
  FAIL("no result");
  return Result::none;
}

std::uint64_t count_of(const spf::Frequent& names, std::string_view name) {
  for (const auto& [known, count] : names.top(names.capacity()))
    if (known == name) return count;
  return 0;
}

}  // namespace

TEST_CASE("the level of each result is the one that policy has") {
  const struct { Result result; unsigned level; } cases[] = {
      {Result::pass, 0},    {Result::temperror, 2}, {Result::fail, 3},      {Result::softfail, 4},
      {Result::neutral, 5}, {Result::none, 6},      {Result::permerror, 6},
  };
  for (const auto& c : cases) CHECK(spf::lowest_level(c.result) == c.level);
}

TEST_CASE("a message is what comes after one MAIL, whatever its recipients") {
  const auto line = [](const char* code, const char* pid, const char* mailfrom, const char* rcptto, const char* ms) {
    std::string text = "qlogenvelope: result=";
    text += std::string_view(code) == "250" ? "accepted" : "rejected";
    return text + " code=" + code + " reason=spf detail=fail helo=h mailfrom=" + mailfrom + " rcptto=" + rcptto +
           " remoteip=192.0.2.1 pid=" + pid + " domain=d ms=" + ms + "\n";
  };
  const struct { const char* comment; std::string lines; std::uint64_t accepted, deferred, rejected, recipients; } cases[] = {
      {"three recipients", line("550", "1", "a@d", "r", "5") + line("550", "1", "a@d", "s", "5") + line("550", "1", "a@d", "t", "5"), 0, 0, 1, 3},
      {"another sender", line("550", "1", "a@d", "r", "5") + line("550", "1", "b@d", "r", "5"), 0, 0, 2, 2},
      {"another check", line("550", "1", "a@d", "r", "5") + line("550", "1", "a@d", "r", "6"), 0, 0, 2, 2},
      {"another session", line("550", "1", "a@d", "r", "5") + line("550", "2", "a@d", "r", "5"), 0, 0, 2, 2},
      {"another's line between", line("550", "1", "a@d", "r", "5") + line("550", "2", "a@d", "r", "5") + line("550", "1", "a@d", "s", "5"), 0, 0, 2, 3},
      {"one let through after another", line("250", "1", "a@d", "", "5") + line("250", "1", "a@d", "", "5"), 2, 0, 0, 0},
      {"one deferred after another", line("451", "1", "a@d", "", "5") + line("451", "1", "a@d", "", "5"), 0, 2, 0, 0},
      {"deferred at each recipient", line("451", "1", "a@d", "r", "5") + line("451", "1", "a@d", "s", "5"), 0, 1, 0, 0},
      {"let through for one recipient", line("550", "1", "a@d", "r", "5") + line("250", "1", "a@d", "s", "5") + line("550", "1", "a@d", "t", "5"), 0, 0, 1, 2},
      {"not for others after that", line("250", "1", "a@d", "r", "5") + line("550", "1", "a@d", "s", "5"), 1, 0, 0, 1},
  };
  for (const auto& c : cases) {
    INFO(c.comment);
    spf::Statistics statistics(later);
    add(statistics, c.lines);
    CHECK(sum(statistics.decided[std::size_t(Decision::accept)]) == c.accepted);
    CHECK(sum(statistics.decided[std::size_t(Decision::defer)]) == c.deferred);
    CHECK(sum(statistics.decided[std::size_t(Decision::reject)]) == c.rejected);
    CHECK(statistics.recipients_refused == c.recipients);
  }
}

TEST_CASE("each table adds up to what a made log has") {
  for (unsigned long seed = 1; seed <= 12; ++seed) {
    test::LogPlan plan;
    plan.seed = seed;
    plan.domains = 300;
    plan.clients = 200;
    test::MadeLog log(plan);
    spf::Statistics statistics(later);
    const std::uint64_t messages = 2000;
    std::uint64_t lines = 0, understood = 0, recipients = 0, milliseconds = 0, let_through = 0, helo = 0, troubles = 0;
    std::array<std::array<std::uint64_t, 3>, spf::max_level + 1> levels{};
    std::map<std::string, std::uint64_t> refused_domains, level_3_clients, protocols;
    for (unsigned i = 0; i < messages; ++i) {
      const std::string text = log.next();
      add(statistics, text);
      const test::MadeMessage& m = log.message;
      const Result result = result_of(m.detail);
      lines += std::uint64_t(std::count(text.begin(), text.end(), '\n'));
      understood += m.recipients;
      milliseconds += m.milliseconds;
      ++protocols[m.tls];
      if (m.code == "550") recipients += m.recipients, ++refused_domains[m.domain];
      troubles += result == Result::permerror || result == Result::temperror;
      for (unsigned level = 1; level <= spf::max_level; ++level)
        ++levels[level][std::size_t(m.policy.empty() ? spf::decide(level, result) : Decision::accept)];
      let_through += !m.policy.empty();
      if (m.policy.empty() && result == Result::fail) ++level_3_clients[m.client];
      helo += m.policy.empty() && m.heloresult == "fail" && spf::decide(3, result) == Decision::accept;
    }
    INFO("seed " << seed);
    CHECK(statistics.lines == lines);
    CHECK(statistics.understood == understood);
    CHECK(statistics.not_understood == 0);
    CHECK(statistics.messages() == messages);
    CHECK(statistics.recipients_refused == recipients);
    CHECK(sum(statistics.judged) + statistics.let_through == messages);
    CHECK(statistics.let_through == let_through);
    CHECK(statistics.helo_fails == helo);
    CHECK(statistics.durations.count() == messages);
    CHECK(statistics.durations.sum() == milliseconds);
    CHECK(statistics.troubles.total() == troubles);
    CHECK(std::map<std::string, std::uint64_t>(statistics.protocols.begin(), statistics.protocols.end()) == protocols);

    std::uint64_t before = 0;
    for (unsigned level = 1; level <= spf::max_level; ++level) {
      INFO("level " << level);
      CHECK(statistics.at_level(level) == levels[level]);
      const std::uint64_t stopped = messages - levels[level][std::size_t(Decision::accept)];
      CHECK(statistics.cost[level].domains.total() == stopped - before);
      CHECK(statistics.cost[level].clients.total() == stopped - before);
      before = stopped;
    }
    CHECK(statistics.refused.domains.names() == refused_domains.size());
    for (const auto& [domain, count] : statistics.refused.domains.top(5)) CHECK(refused_domains[domain] == count);
    for (const auto& [client, count] : statistics.cost[3].clients.top(5)) CHECK(level_3_clients[client] == count);

    std::uint64_t in_hours = 0;
    for (const auto& [hour, counts] : statistics.hours.hours()) in_hours += sum(counts);
    CHECK(in_hours == messages);
    CHECK(statistics.first == plan.begin);
    CHECK(statistics.last == log.message.time);
  }
}

TEST_CASE("names are told apart as DNS does, and one that is missing says so") {
  spf::Statistics statistics(later);
  for (const char* rest : {" domain=Example.ORG remoteip=192.0.2.1", " domain=example.org remoteip=192.0.2.1", ""})
    statistics.add("qlogenvelope: result=accepted code=250 reason=spf detail=fail" + std::string(rest), false);
  CHECK(count_of(statistics.cost[3].domains, "example.org") == 2);
  CHECK(count_of(statistics.cost[3].domains, "(not logged)") == 1);
  CHECK(count_of(statistics.cost[3].clients, "192.0.2.1") == 2);
  CHECK(count_of(statistics.cost[3].clients, "(not logged)") == 1);
}

TEST_CASE("times that are none, or to come, are counted apart") {
  spf::Statistics statistics(1795751854);
  for (const char* stamp : {"", "@400000006b08ffb835d94934 ", "2106-01-01T00:00:00.0 ", "1999-01-01T00:00:00.0 ", "@400000000000000000000000 "})
    statistics.add(stamp + std::string("qlogenvelope: result=accepted code=250 reason=spf detail=pass"), false);
  CHECK(statistics.messages() == 5);
  CHECK(statistics.undated == 2);
  CHECK(statistics.future == 1);
  CHECK(statistics.hours.hours().size() == 2);
  CHECK(statistics.last == 1795751854);
  CHECK(statistics.first == 915148800);
}

TEST_CASE("hours and protocols are bounded") {
  spf::Statistics statistics(later);
  for (unsigned i = 0; i < 100; ++i)
    statistics.add("qlogenvelope: result=accepted code=250 reason=spf detail=pass tls=v" + std::to_string(i), false);
  CHECK(statistics.protocols.size() == spf::Statistics::most_protocols + 1);
  CHECK(statistics.protocols.find("other")->second == 100 - spf::Statistics::most_protocols);
  spf::Hours hours;
  for (std::int64_t hour = 0; hour < 30'000; ++hour) hours.add(hour, Decision::accept);
  hours.add(5, Decision::reject);
  CHECK(hours.hours().size() == spf::Hours::most);
  CHECK(hours.left_out() == 10'000);
  CHECK(hours.hours().at(5) == spf::Hours::Counts{1, 0, 1});
}
