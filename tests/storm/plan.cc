#include "tests/storm/plan.hh"

#include <cstdlib>

namespace storm {

namespace {

// The same numbers wherever it runs.
class Dice {
 public:
  Dice(std::uint64_t seed, std::uint64_t number) : engine_(seed * 1'000'003 + number) {}
  std::uint64_t below(std::uint64_t n) { return engine_() % n; }
  bool percent(unsigned p) { return below(100) < p; }
  template <class T, std::size_t n>
  const T& of(const T (&choices)[n]) {
    return choices[below(n)];
  }

 private:
  std::mt19937_64 engine_;
};

const struct Sender {
  unsigned percent;
  const char* name;
  const char* result;
  int rejected_from;  // the level
} senders[] = {
    {34, "pass", "pass", 7},          {8, "long", "pass", 7},
    {14, "softfail", "softfail", 4},  {9, "neutral", "neutral", 5},
    {10, "none", "none", 6},          {10, "fail", "fail", 3},
    {5, "permerror", "permerror", 6}, {5, "servfail", "temperror", 2},
    {3, "refused", "temperror", 2},   {1, "silent", "temperror", 2},
    {1, "lying", "temperror", 2},
};

const Sender& pick_sender(Dice& dice) {
  std::uint64_t at = dice.below(100);
  for (const Sender& sender : senders) {
    if (at < sender.percent) return sender;
    at -= sender.percent;
  }
  return senders[0];
}

std::string line(Dice& dice) {
  static const char* const first[] = {"", "", "", ".", "..", " ", ". ", "\t", "\r"};
  std::string text = dice.of(first);
  const bool binary = dice.percent(20);
  for (auto size = dice.below(dice.percent(2) ? 5000 : 90); size > 0; --size) {
    char c = binary ? static_cast<char>(dice.below(256)) : static_cast<char>(' ' + dice.below(95));
    if (c == '\n') c = '\r';
    text += c;
  }
  return text + "\r\n";
}

std::string content(Dice& dice, const std::string& id, bool bare_lf) {
  static const char* const first[] = {"", "", "", "\r\n", " x\r\n", ".\r\n", ". x\r\n", "..\r\n", "\tx\r\n"};
  std::string text = dice.of(first);
  text += "X-Storm: " + id + "\r\n\r\n";
  std::size_t size = dice.below(2000);
  if (dice.percent(15)) size = dice.below(150'000);  // more than a pipe holds
  if (bare_lf) text += "a\nb\r\n";
  while (text.size() < size) text += line(dice);
  return text;
}

// A point of the dialogue where the child misbehaves, and how. Not: a 250 for
// a message that it has not queued, or a refusal of one that it has, which
// nobody can see through.
std::string fault(Dice& dice, const Plan& plan, bool& hangs) {
  static const char* const points[] = {"connect", "greeting", "ehlo", "mail", "rcpt", "data",
                                       "body",    "queue",    "dot",  "rset", "quit", "eof"};
  static const char* const breaks[] = {"die", "exit:99", "say:hello\\r\\n|die", "say:25|die", "say:421 gone\\r\\n|die"};
  static const char* const refusals[] = {"say:451 later\\r\\n", "say:554-no\\r\\n554 no\\r\\n",
                                         "say:421 closing\\r\\n|die"};
  static const char* const nonsense[] = {"say:hello\\r\\n", "say:250-x\\r\\n550 y\\r\\n", "endless",
                                         "say:250 ok\\r\\n250 ok\\r\\n", "say:\\r\\n"};
  const std::string point = dice.of(points);
  std::string where;
  if (dice.percent(60)) where = dice.percent(30) ? "2/" : plan.messages[dice.below(plan.messages.size())].result + "/";
  hangs = dice.percent(4);
  if (hangs) return where + point + (dice.percent(50) ? "=hang" : "=stall");
  const bool queueing = point == "body" || point == "queue";
  if (dice.percent(40) && !queueing && point != "connect") return where + point + "=" + dice.of(nonsense);
  const bool breaking = point == "dot" || dice.percent(50);  // at the dot it has queued it
  return where + point + "=" + (breaking ? dice.of(breaks) : dice.of(refusals));
}

// Where the queue program or spfqueue, which it kills, ends: before all of the
// message and its envelope can have come.
std::string queue_fault(Dice& dice, const Plan& plan) {
  static const char* const ends[] = {"early=exit:31", "early=signal:9", "early=orphan", "body=orphan",
                                     "body=signal:9", "body=exit:53", "body=closed,exit:71", "message=exit:71",
                                     "message=signal:11", "message=exit:82", "envelope=exit:88",
                                     "envelope=signal:9"};
  std::string where;
  if (dice.percent(60)) where = plan.messages[dice.below(plan.messages.size())].result + "/";
  return where + dice.of(ends);
}

Point point(Dice& dice, const Plan& plan, unsigned percent) {
  if (!dice.percent(percent)) return {};
  return {static_cast<Point::Stage>(1 + dice.below(4)), dice.below(plan.messages.size()),
          static_cast<unsigned>(dice.below(1000))};
}

}  // namespace

Plan make_plan(std::uint64_t seed, std::uint64_t number) {
  Dice dice(seed, number);
  Plan plan;
  plan.number = number;
  plan.level = dice.percent(50) ? 3 : static_cast<int>(1 + dice.below(6));
  for (auto count = 1 + dice.below(6); count > 0; --count) {
    Message message;
    const Sender& sender = pick_sender(dice);
    message.id = std::to_string(seed) + "-" + std::to_string(number) + "-" + std::to_string(count);
    message.sender = sender.name;
    message.result = sender.result;
    message.refused = plan.level >= sender.rejected_from;
    message.bare_lf = dice.percent(2);
    message.reset = dice.percent(10);
    message.recipients = static_cast<unsigned>(1 + dice.below(4));
    message.content = content(dice, message.id, message.bare_lf);
    plan.messages.push_back(message);
  }
  bool hangs = false;
  if (dice.percent(40)) plan.fault = fault(dice, plan, hangs);
  plan.short_timeout = hangs;
  plan.queue = dice.percent(35) || getenv("STORM_QUEUE");
  plan.header = plan.queue || !dice.percent(20);
  if (plan.queue && dice.percent(40)) plan.queue_fault = queue_fault(dice, plan);
  plan.split = dice.percent(5);
  plan.log_full = dice.percent(5);
  plan.pipelining = dice.percent(60);
  plan.ahead = plan.pipelining && dice.percent(50);
  plan.half_close = dice.percent(15);
  static const std::size_t pieces[] = {65536, 65536, 65536, 1000, 37};
  plan.piece = dice.of(pieces);
  plan.leave = point(dice, plan, 20);
  plan.stop = point(dice, plan, 6);
  plan.children = point(dice, plan, 5);
  return plan;
}

}  // namespace storm
