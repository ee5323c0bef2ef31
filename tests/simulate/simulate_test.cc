// The order of events, played without processes: make simulate has the long run.
#include <algorithm>
#include <chrono>
#include <string>

#include "tests/catch.hh"
#include "tests/simulate/play.hh"

using namespace simulate;
using namespace std::chrono_literals;

namespace {

// Whoever fails in the plan: nobody.
Plan kind(Plan plan) {
  plan.leaving = Plan::quits;
  plan.progs.clear();
  plan.checks.clear();
  plan.tls = {};
  plan.config.helo_check = spf::HeloCheck::no;
  plan.injects = false;
  plan.bare_lf_in = plan.messages.size();
  plan.manners.soft = 0;
  plan.manners.hard_at = plan.manners.kill_at = plan.manners.term_at = 0;
  return plan;
}

// Three messages, annotated in both ways, one of them refused, one that fills what lies between.
Plan ordinary(bool tls, bool pipelining) {
  Plan plan = kind(Plan(1, 0));
  plan.config.level = 3;
  plan.config.annotate = pipelining ? spf::Annotate::queue : spf::Annotate::data;
  plan.config.starttls = tls ? spf::Starttls::terminate : spf::Starttls::hide;
  plan.config.smtps = false;
  plan.socket = true;
  plan.wants_tls = tls;
  plan.pipelining = pipelining;
  plan.messages = {{spf::Result::pass, 2, 300, Message::nowhere, false, 0},
                   {spf::Result::fail, 1, 300, Message::nowhere, true, 0},
                   {spf::Result::none, 1, 3000, Message::nowhere, false, 2}};
  plan.auth_before = plan.bare_lf_in = plan.messages.size();
  plan.manners = {};
  plan.manners.capacity = 4096;
  plan.think = plan.server_think = 0us;
  return plan;
}

void check_played(const Plan& plan, unsigned long at) {
  const Played played = play(plan);
  INFO("at " << at);
  std::string problems;
  for (const std::string& problem : played.problems) problems += problem + "\n";
  CHECK(problems == "");
}

// What happens at the call, or the step, that `at` names, whichever that is.
template <class Happens>
void check_at_each(Happens happens) {
  for (const bool tls : {false, true})
    for (const bool pipelining : {false, true}) {
      const Plan plan = ordinary(tls, pipelining);
      const unsigned long calls = play(plan).calls;
      REQUIRE(calls > 100);
      for (unsigned long at = 1; at <= calls; ++at) {
        Plan disturbed = plan;
        happens(disturbed, at);
        check_played(disturbed, at);
      }
    }
}

}  // namespace

TEST_CASE("sessions of every kind end as they must, and lose nothing") {
  for (unsigned long number = 0; number < 3000; ++number) check_played(Plan(7, number), number);
}

TEST_CASE("a seed has always the same sessions") {
  for (unsigned long number = 0; number < 200; ++number) {
    const Played once = play(Plan(3, number)), again = play(Plan(3, number));
    CHECK(once.transcript == again.transcript);
    CHECK(once.calls == again.calls);
  }
  CHECK(play(Plan(3, 0)).transcript != play(Plan(4, 0)).transcript);
}

TEST_CASE("whoever is there may die at any call") {
  check_at_each([](Plan& plan, unsigned long at) { plan.manners.kill_at = at; });
}

TEST_CASE("any call may fail") {
  check_at_each([](Plan& plan, unsigned long at) { plan.manners.hard_at = at; });
}

TEST_CASE("SIGTERM may come at any call") {
  check_at_each([](Plan& plan, unsigned long at) { plan.manners.term_at = at; });
}

TEST_CASE("a client may leave at every step, in every way") {
  for (const auto leaving : {Plan::resets, Plan::closes, Plan::half_closes, Plan::goes_silent, Plan::stops_reading})
    for (const bool tls : {false, true})
      for (unsigned at = 1; at < 60; ++at) {
        Plan plan = ordinary(tls, at % 2 == 0);
        plan.leaving = leaving;
        plan.leaving_at = at;
        check_played(plan, at);
      }
}

TEST_CASE("prog, also one started again, may fail at every step, in every way") {
  for (const auto kind : {Fate::dies, Fate::crashes, Fate::orphans, Fate::stalls, Fate::closes_output,
                          Fate::closes_input, Fate::babbles, Fate::lies, Fate::hastens})
    for (std::size_t which : {0, 1, 2})
      for (unsigned at = 1; at < 20; ++at) {
        Plan plan = ordinary(false, at % 2 == 0);
        plan.progs.resize(3);
        plan.progs[which] = {kind, at};
        check_played(plan, at);
      }
}

// All that the client has sent waits in our buffer when prog has emptied its
// pipe: then a signal comes, the rest is written, and nobody says any more that
// there is something to do.
TEST_CASE("a signal between two writes of a message leaves nothing lying") {
  for (unsigned long seed = 0; seed < 100; ++seed) {
    Plan plan = ordinary(false, true);
    plan.seed = seed;
    plan.messages.resize(1);
    plan.messages[0].size = 140000 + 500 * seed;
    plan.bare_lf_in = plan.auth_before = 1;
    plan.server_think = 200ms;
    plan.manners.capacity = 65536;
    plan.manners.soft = 300;
    check_played(plan, seed);
  }
}
