#include "tests/simulate/plan.hh"

namespace simulate {
namespace {

using std::chrono::seconds;

Fate draw_fate(Random& random, std::initializer_list<Fate::Kind> kinds, unsigned most) {
  return {kinds.begin()[random.below(kinds.size())], unsigned(random.between(1, most))};
}

// Small ones mostly; some that fill every buffer on their way.
std::size_t draw_size(Random& random) {
  switch (random.below(30)) {
    case 0: return random.below(400000);
    case 1: return random.below(140000);
    default: return random.below(600);
  }
}

}  // namespace

Plan::Plan(std::uint64_t first_seed, unsigned long number) {
  Random random(first_seed * 0x100000001b3 + number);
  seed = random.next();

  config.level = unsigned(random.between(1, spf::max_level));
  config.annotate = spf::Annotate(random.below(4));
  config.smtp_timeout = seconds(random.chance(500) ? 1200 : 300);
  config.check_timeout = seconds(random.between(10, 30));
  config.starttls = random.chance(350)   ? spf::Starttls::terminate
                    : random.chance(150) ? spf::Starttls::pass
                                         : spf::Starttls::hide;
  config.smtps = config.starttls == spf::Starttls::terminate && random.chance(250);
  config.client = *spf::Address::parse("192.0.2.1");
  config.remote_host = "client.example";
  config.receiver = "mx.example";

  socket = config.starttls == spf::Starttls::terminate || random.chance(800);
  for (std::size_t count = random.below(5); count > 0; --count)
    messages.push_back({spf::Result(random.below(7)), unsigned(random.between(1, 3)),
                        draw_size(random),
                        random.chance(200) ? Message::Refusal(random.between(1, 4)) : Message::nowhere,
                        random.chance(150), random.chance(50) ? unsigned(random.below(40)) : 0});
  bare_lf_in = messages.size();
  if (!messages.empty() && random.chance(100)) {
    bare_lf_in = random.below(messages.size());
    messages[bare_lf_in].size %= 400;
  }
  pipelining = random.chance(500);
  wants_tls = random.chance(600);
  injects = random.chance(50);
  blob = random.below(random.chance(300) ? 300000 : 100);
  auth_before = random.chance(150) ? random.below(messages.size() + 1) : messages.size();
  think = std::chrono::microseconds(random.chance(300) ? 90'000'000 : random.chance(500) ? 2000 : 0);

  server_think = std::chrono::microseconds(random.chance(300) ? random.below(200000) : 0);

  constexpr std::size_t capacities[] = {65536, 65536, 4096, 512};
  manners.capacity = capacities[random.below(4)];
  manners.soft = random.chance(500) ? unsigned(random.below(60)) : 0;
  manners.preempted = unsigned(random.below(500));
  manners.delay = random.chance(800) ? 1000 : 2'000'000;
  if (manners.delay > 1000) {  // who takes longer than child_end_time for the rest is cut off
    blob %= 1000;
    for (Message& message : messages) message.helps_before %= 3;
  }

  // Half of all sessions have nobody who fails.
  leaving = quits;
  leaving_at = 0;
  if (random.chance(500)) return;
  switch (random.below(8)) {
    case 0:
      leaving = Leaving(random.between(1, 5));
      leaving_at = unsigned(random.between(1, 25));
      break;
    case 1:
    case 2:
      for (int i = 0; i < 8; ++i)
        progs.push_back(draw_fate(random, {Fate::none, Fate::none, Fate::dies, Fate::crashes,
                                           Fate::orphans, Fate::stalls, Fate::closes_output,
                                           Fate::closes_input, Fate::babbles}, 20));
      break;
    case 3:
      for (int i = 0; i < 8; ++i)
        checks.push_back(draw_fate(random, {Fate::none, Fate::dies, Fate::crashes, Fate::stalls}, 3));
      tls = draw_fate(random, {Fate::none, Fate::dies, Fate::crashes, Fate::stalls,
                               Fate::closes_output}, 12);
      break;
    case 4:
      manners.hard_at = random.between(1, 200);
      break;
    case 5:  // with what fills the buffers on the way to it
      progs.assign(8, {random.chance(500) ? Fate::lies : Fate::hastens, unsigned(random.between(1, 20))});
      server_think = std::chrono::milliseconds(200);
      bare_lf_in = messages.size();
      for (Message& message : messages) message.size = random.between(60000, 250000);
      break;
    case 6:
      manners.kill_at = random.between(1, 200);
      break;
    default:
      manners.term_at = random.between(1, 200);
  }
}

std::string content(std::size_t number, std::size_t size) {
  std::string text = "Subject: " + std::to_string(number) + "\r\n\r\n";
  text.reserve(size + 100);
  for (unsigned long line = number; text.size() < size; line = line * 1103515245 + 12345) {
    if (line % 7 == 0) text += '.';
    text.append(line % 61, char('a' + line % 26)).append("\r\n");
  }
  return text;
}

std::string sender(std::size_t number, const Message& message) {
  return std::to_string(number) + "@" + std::string(name(message.result)) + ".example";
}

}  // namespace simulate
