// Whoever is round the proxy in a simulated session: the client, prog, spftls,
// the process that checks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/simulate/plan.hh"
#include "tests/simulate/world.hh"

namespace simulate {

// What has come of the session, and what is wrong with it.
struct Outcome {
  struct Queued {
    std::size_t number;
    std::string content;          // with what spfqueue puts on top
    std::string result;           // SPFRESULT that the queue program finds, "" for none
    std::string environment;      // SPFRESULT that prog has
    unsigned recipients;
    bool trusted;                 // AUTH had succeeded
  };
  std::vector<Queued> queued;            // by prog, in order
  std::vector<std::size_t> acknowledged; // to the client
  bool client_finished = false;          // it has its reply to QUIT
  std::vector<std::string> problems;
};

// All that these know of a session.
struct Scene {
  const Plan& plan;
  Outcome outcome = {};
};

// An actor with two ends of its own, to which a fate may come. Text goes to its
// coroutines as a view, out of a variable: g++ 12 miscompiles temporaries there.
class Fated : public Actor {
 public:
  Fated(World& world, const char* name, FileRef input, FileRef output, Fate fate)
      : Actor(world, name), input_(std::move(input)), output_(std::move(output)), fate_(fate) {}

 protected:
  spf::Task<void> step();                      // counts, and lets the fate come
  spf::Task<bool> more(std::string& received, Duration think = {}); // false at the end
  spf::Task<void> say(std::string_view text);
  virtual bool can_lie() const { return false; }  // Fate::lies, or Fate::hastens
  virtual spf::Task<void> lie(bool) { co_return; }
  void leave() override;

  FileRef input_, output_;

 private:
  Fate fate_;
  unsigned steps_ = 0;
};

class Client final : public Fated {
 public:
  Client(World& world, Scene& scene, FileRef input, FileRef output);

 private:
  spf::Task<void> live() override;
  spf::Task<void> talk();
  spf::Task<void> greet();
  spf::Task<void> start_tls();
  spf::Task<void> shake_hands();
  spf::Task<void> pass_tls();
  spf::Task<void> ask_for_help(unsigned times);
  spf::Task<void> authenticate();
  spf::Task<void> send_mail(std::size_t number);
  spf::Task<unsigned> command(std::string_view text);
  spf::Task<unsigned> reply();
  spf::Task<void> send(std::string_view text);
  spf::Task<void> step();
  void expect(unsigned code, unsigned got, const std::string& what);

  Scene& scene_;
  std::string received_, text_;  // text_: of the last reply
  bool encrypted_ = false, offered_tls_ = false, trusted_ = false, reads_ = true, over_ = false;
  unsigned steps_ = 0;
};

class Server final : public Fated {
 public:
  Server(World& world, Scene& scene, FileRef input, FileRef output, pid_t pid, Fate fate,
         const std::vector<char*>& environment);

 private:
  spf::Task<void> live() override;
  spf::Task<std::string> line();
  void queue(std::size_t number, std::string text, unsigned recipients);
  spf::Task<void> receive(std::size_t number, unsigned recipients);
  spf::Task<void> echo();
  bool can_lie() const override;
  spf::Task<void> lie(bool haste) override;
  void ended(int status) override { world_.process_ends(pid_, status); }

  Scene& scene_;
  const pid_t pid_;
  std::string result_;
  std::string received_;
  bool trusted_ = false;
  std::optional<std::size_t> receiving_;  // this message
  bool has_replied_ = false;              // to it, too early
};

class TlsServer final : public Fated {
 public:
  TlsServer(World& world, FileRef client_in, FileRef client_out, FileRef plain, pid_t pid, Fate fate);

 private:
  spf::Task<void> live() override;
  void leave() override;
  void ended(int status) override { world_.process_ends(pid_, status); }

  FileRef client_in_, client_out_;
  const pid_t pid_;
};

class Checker final : public Fated {
 public:
  Checker(World& world, FileRef output, pid_t pid, Fate fate, Duration time);

 private:
  spf::Task<void> live() override;
  void ended(int status) override { world_.process_ends(pid_, status); }

  const pid_t pid_;
  const Duration time_;
};

}  // namespace simulate
