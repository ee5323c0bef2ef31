#include "tests/simulate/plan.hh"

#include <algorithm>

#include "spf/dialogue/policy.hh"

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

constexpr unsigned refused_by_prog = 451;

std::string level_domain(int level) { return "level" + std::to_string(level) + ".example"; }

// Rules for senders by their result, and for recipients by the level they name.
void draw_levels(Random& random, Plan& plan) {
  std::string from, to;
  for (int i = 0; i < 7; ++i)
    if (random.chance(200))
      from += "@" + std::string(spf::name(spf::Result(i))) + ".example:" + std::to_string(random.below(7)) + "\n";
  for (unsigned level = 0; level <= spf::max_level; ++level)
    if (random.chance(250)) to += "@" + level_domain(level) + ":" + std::to_string(level) + "\n";
  plan.config.sender_levels = spf::Levels(from);
  plan.config.recipient_levels = spf::Levels(to);
  for (Message& message : plan.messages)
    for (unsigned i = 0; i < message.recipients; ++i)
      message.levels.push_back(random.chance(500) ? int(random.below(7)) : -1);
}

void draw_exemptions(Random& random, Plan& plan) {
  plan.config.dmarc = true;
  for (Message& message : plan.messages) {
    const std::uint64_t which = random.below(3);
    message.exemption = {which == 0 ? "dmarc:some.example:reject" : "", which == 1, ""};
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
  if (random.chance(400)) draw_levels(random, *this);
  if (random.chance(300)) draw_exemptions(random, *this);
  config.helo_check = random.chance(300) ? spf::HeloCheck(random.between(1, 2)) : spf::HeloCheck::no;
  helo = spf::Result(random.below(7));
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

std::string recipient(std::size_t number, const Message& message, unsigned index) {
  const int level = index < message.levels.size() ? message.levels[index] : -1;
  return std::to_string(number) + "@" + (level < 0 ? "here.example" : level_domain(level));
}

Answers::Answers(const Plan& plan, const Message& message, spf::Result result, spf::Result helo) {
  using spf::Decision;
  const spf::Config& config = plan.config;
  const auto from = config.sender_levels.find(sender(0, message));
  const unsigned level_of_sender = from ? from->level : config.level;
  std::vector<unsigned> possible = {level_of_sender};
  for (unsigned level = 0; level <= spf::max_level; ++level)
    if (config.recipient_levels.have(level)) possible.push_back(level);
  checked = std::any_of(possible.begin(), possible.end(), [](unsigned level) { return level > 0; });

  spf::Verdict domain, name;
  domain.result = result;
  name.result = helo;
  spf::Judgement judgement(domain);
  if (config.helo_check != spf::HeloCheck::no) judgement.helo = name;
  const auto at_level = [&](unsigned level) { return spf::decide(level, judgement, config.helo_check); };
  const auto is_common = [&](Decision decision) {
    return std::all_of(possible.begin(), possible.end(),
                       [&](unsigned level) { return at_level(level) == decision; });
  };
  const auto searched = [&](Decision decision) {
    if (decision != Decision::reject || !config.dmarc) return decision;
    return message.exemption.trouble ? Decision::defer
           : message.exemption.reason.empty() ? decision : Decision::accept;
  };
  enum { with_prog, without_mail, held } state = held;
  if (!checked || is_common(Decision::accept)) state = with_prog;
  if (is_common(Decision::defer)) state = without_mail;
  if (is_common(Decision::reject)) {
    const Decision decision = searched(Decision::reject);
    if (decision == Decision::accept) state = with_prog;
    if (decision == Decision::defer) state = without_mail;
  }
  mail = state == without_mail ? 451 : 250;
  bool open = false;
  const auto give_mail = [&] { return open = open || message.refused != Message::at_mail; };
  if (state == with_prog && !give_mail()) mail = refused_by_prog;

  for (unsigned i = 0; i < message.recipients; ++i) {
    const auto to = config.recipient_levels.find(recipient(0, message, i));
    const Decision decision =
        state == held ? searched(at_level(to ? to->level : level_of_sender)) : Decision::accept;
    if (decision == Decision::accept && state == held) give_mail();
    unsigned code = 250;
    if (decision == Decision::reject)
      code = 550;
    else if (decision == Decision::defer)
      code = 451;
    else if (!open)
      code = state == held ? refused_by_prog : 503;
    else if (message.refused == Message::at_rcpt)
      code = 550;
    else
      ++taken;
    recipients.push_back(code);
  }
  data = taken == 0 ? 503 : message.refused == Message::at_data ? refused_by_prog : 354;
}

}  // namespace simulate
