#include "tests/simulate/play.hh"

#include <algorithm>
#include <map>
#include <memory>
#include <system_error>

#include "spf/dialogue/policy.hh"
#include "spf/dialogue/session.hh"
#include "spf/proxy/proxy.hh"
#include "tests/simulate/actors.hh"

namespace simulate {
namespace {

using namespace std::chrono_literals;

bool is_own(const spf::Address&) { return false; }

class Cast final : public Stage {
 public:
  Cast(World& world, Scene& scene) : world_(world), scene_(scene) {}

  std::shared_ptr<Actor> prog(FileRef input, FileRef output, pid_t pid,
                              const std::vector<char*>& environment) override {
    return std::make_shared<Server>(world_, scene_, input, output, pid,
                                    fate(scene_.plan.progs, progs_), environment);
  }
  std::shared_ptr<Actor> tls(FileRef client_in, FileRef client_out, FileRef plain, pid_t pid) override {
    if (!scene_.plan.config.smtps && !scene_.plan.wants_tls)
      scene_.outcome.problems.push_back("spftls is started for nobody");
    return std::make_shared<TlsServer>(world_, client_in, client_out, plain, pid, scene_.plan.tls);
  }
  std::shared_ptr<Actor> check(FileRef output, pid_t pid, const spf::Query&) override {
    const auto longest = std::chrono::microseconds(scene_.plan.config.check_timeout).count();
    const auto most = world_.random().chance(100) ? longest / 2 : 50000l;
    return std::make_shared<Checker>(world_, output, pid, fate(scene_.plan.checks, checks_),
                                     std::chrono::microseconds(world_.random().below(most)));
  }
  // As the sender's domain says it, and the plan of the HELO name.
  spf::Judgement judgement(const spf::Query& query) override {
    spf::Verdict verdict;
    verdict.domain = query.sender.substr(query.sender.find('@') + 1);
    for (int i = 0; i < 7; ++i)
      if (verdict.domain == std::string(name(spf::Result(i))) + ".example") verdict.result = spf::Result(i);
    verdict.explanation = "no";
    spf::Judgement judgement(verdict);
    if (scene_.plan.config.helo_check == spf::HeloCheck::no) return judgement;
    verdict.domain = query.helo;
    verdict.identity = spf::Identity::helo;
    verdict.result = scene_.plan.helo;
    judgement.helo = verdict;
    return judgement;
  }
  spf::Exemption exemption(const spf::Query& query) override {
    return scene_.plan.messages.at(std::stoul(query.sender)).exemption;
  }

 private:
  static Fate fate(const std::vector<Fate>& fates, std::size_t& used) {
    return used < fates.size() ? fates[used++] : Fate{};
  }

  World& world_;
  Scene& scene_;
  std::size_t progs_ = 0, checks_ = 0;
};

// What must hold of what was queued and acknowledged.
class Judge {
 public:
  Judge(const Scene& scene, bool blamed, std::vector<std::string>& problems)
      : scene_(scene), blamed_(blamed), problems_(problems) {}

  void judge() {
    std::map<std::size_t, unsigned> queued;
    for (const Outcome::Queued& message : scene_.outcome.queued) {
      ++queued[message.number];
      look_at(message);
    }
    for (const auto& [number, times] : queued)
      if (times > 1) complain(number, "is queued twice");
    for (const std::size_t number : scene_.outcome.acknowledged)
      if (queued[number] == 0) complain(number, "is acknowledged and not queued");
    if (blamed_) return;
    if (!scene_.outcome.client_finished) problems_.push_back("the client did not come to its end");
    if (scene_.outcome.acknowledged.size() != scene_.outcome.queued.size())
      problems_.push_back("not all that is queued is acknowledged");
  }

 private:
  void complain(std::size_t number, const std::string& what) {
    problems_.push_back("message " + std::to_string(number) + " " + what);
  }

  void look_at(const Outcome::Queued& queued) {
    const Message& message = scene_.plan.messages.at(queued.number);
    const std::string whole = content(queued.number, message.size);
    if (!queued.content.ends_with(whole)) return complain(queued.number, "is not queued as it was sent");
    const std::string header = queued.content.substr(0, queued.content.size() - whole.size());
    if (queued.recipients > message.recipients) complain(queued.number, "has strange recipients");
    if (queued.trusted || !Answers(scene_.plan, message, message.result, scene_.plan.helo).checked) {
      if (!header.empty() || !queued.result.empty()) complain(queued.number, "is trusted and annotated");
      return;
    }
    // A check that failed is temperror, for both identities, which is let through at
    // level 1. Where the sender's own is that, the HELO name's need not be.
    const bool troubled = blamed_ && message.result != spf::Result::temperror &&
                          (queued.result == "temperror" || header.starts_with("Received-SPF: temperror "));
    const spf::Result result = troubled ? spf::Result::temperror : message.result;
    const Answers answers(scene_.plan, message, result, troubled ? result : scene_.plan.helo);
    if (answers.data != 354) complain(queued.number, "is queued against the policy");
    if (!blamed_ && queued.recipients != answers.taken) complain(queued.number, "has not the recipients it should");
    const spf::Annotate annotate = scene_.plan.config.annotate;
    const bool by_prog = annotate == spf::Annotate::data || annotate == spf::Annotate::env;
    const bool anywhere = annotate != spf::Annotate::header;
    if (queued.result != (anywhere ? name(result) : ""))
      complain(queued.number, "is queued with SPFRESULT=" + queued.result);
    if (queued.environment != (by_prog ? name(result) : ""))
      complain(queued.number, "comes from a server that has SPFRESULT=" + queued.environment);
    const std::string wanted = "Received-SPF: " + std::string(name(result)) + " ";
    const bool right = annotate != spf::Annotate::env ? header.starts_with(wanted) : header.empty();
    if (!right) complain(queued.number, "has the header " + header);
  }

  const Scene& scene_;
  const bool blamed_;
  std::vector<std::string>& problems_;
};

// After the last that anybody did: what the proxy may still wait for, one after
// the other, until it has given up.
std::chrono::seconds longest_silence(const spf::Config& config) {
  return config.smtp_timeout + config.check_timeout + 100s + spf::check_grace + spf::linger_time +
         spf::dismissal_time + spf::child_end_time;
}

}  // namespace

Played play(const Plan& plan, bool print) {
  World world(plan.seed, plan.manners, print);
  Scene scene{plan};
  Cast cast(world, scene);
  FileRef client_in, client_out;
  if (plan.socket) {
    FilePair pair = make_socket_pair(plan.manners.capacity);
    world.set(cast, pair.one, pair.one);
    client_in = client_out = pair.other;
  } else {
    FilePair in = make_pipe(plan.manners.capacity), out = make_pipe(plan.manners.capacity);
    world.set(cast, in.one, out.other);
    client_in = out.one;
    client_out = in.other;
  }
  world.add(std::make_shared<Client>(world, scene, client_in, client_out));
  client_in.reset();
  client_out.reset();

  Played played;
  char name[] = "server";
  char* argv[] = {name, nullptr};
  try {
    {
      spf::Session session(plan.config, 1, is_own);
      spf::Proxy proxy(plan.config, session, world, argv, {});
      try {
        const int code = proxy.run();
        if (code != 0 && !world.blamed())
          played.problems.push_back("exit code " + std::to_string(code));
      } catch (const std::system_error& error) {
        world.note(error.what());
        if (!world.blamed()) played.problems.push_back(std::string("it gave up: ") + error.what());
      }
    }
    if (!world.silent() && world.longest_wait() > spf::linger_time)
      played.problems.push_back("it waited for a time to come though nobody was silent");
    if (world.time() - world.last_act() > longest_silence(plan.config))
      played.problems.push_back("it waited too long for its end");
    world.proxy_gone();
    world.settle();
  } catch (const Failure& failure) {
    // What is passed on unwatched has no limits but prog's own.
    if (plan.config.starttls != spf::Starttls::pass || !world.silent()) played.problems.push_back(failure.what());
  }
  for (const std::string& problem : scene.outcome.problems) played.problems.push_back(problem);
  Judge(scene, world.blamed(), played.problems).judge();
  played.transcript = world.transcript();
  played.calls = world.calls();
  played.blamed = world.blamed();
  played.acknowledged = scene.outcome.acknowledged.size();
  played.queued = scene.outcome.queued.size();
  return played;
}

}  // namespace simulate
