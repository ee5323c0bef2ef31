#include "spf/dns/round_trip.hh"

#include <string>
#include <vector>

#include "tests/catch.hh"

using namespace spf;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST_CASE("the wait is the mean and four times what answers vary by, in bounds (RFC 6298)") {
  const struct {
    const char* what;
    std::vector<milliseconds> samples;
    RoundTrip::Duration wait;
  } cases[] = {
      {"nothing measured", {}, 300ms},
      {"the first one counts three times", {80ms}, 240ms},
      {"no less than this", {1ms}, 100ms},
      {"nor more than that", {5000ms}, 1000ms},
      {"the same again takes a quarter off the variance", {80ms, 80ms}, 200ms},
      {"and again", {80ms, 80ms, 80ms}, 170ms},
      {"near and even", {20ms, 20ms, 20ms, 20ms, 20ms, 20ms}, 100ms},
      {"a slow one second", {20ms, 200ms}, 252500us},
      {"slow ones after fast ones", {20ms, 20ms, 20ms, 400ms}, 464372us},
      {"a slow one first", {200ms, 20ms}, 657500us},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    RoundTrip round_trip;
    for (const milliseconds sample : c.samples) round_trip.measure(sample);
    CHECK(round_trip.patience().count() == c.wait.count());
  }
}

TEST_CASE("a server with a cache that often has to search is given the time for both") {
  RoundTrip round_trip;
  for (int i = 0; i < 20; ++i) round_trip.measure(i % 3 == 0 ? 200ms : 20ms);
  CHECK(round_trip.patience() > 250ms);
  for (int i = 0; i < 20; ++i) round_trip.measure(20ms);
  CHECK(round_trip.patience() == 100ms);  // that is forgotten again
}
