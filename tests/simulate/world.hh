// An operating system in which nothing is real: pipes, sockets, processes and a
// clock that moves only while the proxy waits. Whoever else there is is an
// Actor. All that happens, and when, comes from one number.
#pragma once

#include <coroutine>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "spf/dialogue/task.hh"
#include "spf/proxy/os.hh"

namespace simulate {

using Time = spf::Os::Clock::time_point;
using Duration = spf::Os::Clock::duration;
constexpr Time never = Time::max();

// The same numbers for the same seed, on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }  // limit > 0
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool chance(unsigned in_1000) { return below(1000) < in_1000; }

 private:
  std::uint64_t state_;
};

// What is broken about the program, as against the world round it.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Pipe {
  explicit Pipe(std::size_t size) : capacity(size) {}
  std::string octets;
  std::size_t capacity;
  int readers = 0, writers = 0;
  bool reset = false;  // by its peer, as TCP does it: what was on its way is lost
  std::size_t room() const { return capacity - std::min(capacity, octets.size()); }
};

// An open file: what a descriptor refers to. Either end may be missing.
class File {
 public:
  File(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, bool socket);
  File(const File&) = delete;
  ~File();

  // As the calls are without blocking; an error is -errno.
  ssize_t read(char* space, std::size_t size);
  ssize_t write(std::string_view octets, std::size_t most);
  void end_output();
  void reset();  // and the peer finds ECONNRESET

  bool readable() const;
  bool writable() const;
  short events(short wanted) const;  // as poll(2) reports them
  bool socket() const { return socket_; }
  std::string_view unread() const { return in_ ? std::string_view(in_->octets) : std::string_view(); }

 private:
  std::shared_ptr<Pipe> in_, out_;
  bool socket_;
};

using FileRef = std::shared_ptr<File>;
struct FilePair { FileRef one, other; };
FilePair make_socket_pair(std::size_t capacity);
FilePair make_pipe(std::size_t capacity);  // to read from, to write to

class World;

// Somebody else: a coroutine that waits for files or time.
class Actor {
 public:
  Actor(World& world, const char* name);
  Actor(const Actor&) = delete;
  virtual ~Actor() = default;

  void begin();
  bool can_act() const;  // once it is wake(), or later
  Time wake() const { return wake_; }
  void act();
  bool over() const { return over_; }
  const char* name() const { return name_; }

  // From outside, as SIGKILL does it.
  void kill();

 protected:
  // Ends it, from inside.
  struct Exit { int status = 0; };

  virtual spf::Task<void> live() = 0;
  virtual void leave() = 0;         // closes all that it has open
  virtual void ended(int) {}        // with this wait status

  struct Wait {
    Actor& actor;
    const File* in = nullptr;
    const File* other_in = nullptr;
    const File* out = nullptr;
    const File* other_out = nullptr;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) const noexcept {
      actor.wait_ = {in, other_in, out, other_out};
      actor.waiting_ = handle;
    }
    void await_resume() const noexcept {}
  };
  Wait until(const File* in, const File* other_in = nullptr, const File* out = nullptr,
             const File* other_out = nullptr);
  Wait pause(Duration time);
  Wait for_ever();

  World& world_;

 private:
  struct Wanted { const File *in, *other_in, *out, *other_out; };
  void finish(int status);

  const char* name_;
  std::coroutine_handle<> waiting_;
  Wanted wait_ = {};
  bool timed_ = true;
  Time wake_;
  bool over_ = false;
  std::optional<spf::Task<void>> task_;
};

// How the world treats the proxy.
struct Manners {
  std::size_t capacity = 65536;   // of a pipe
  unsigned soft = 0;              // of 1000 calls so many find EINTR, EAGAIN, or do less
  unsigned preempted = 200;       // of 1000 calls before so many somebody else acts
  std::uint64_t delay = 1000;     // microseconds that others take at most to act
  unsigned long hard_at = 0;      // the call of this number fails (or the next that can)
  unsigned long kill_at = 0;      // before the call of this number some process dies
  unsigned long term_at = 0;      // before the call of this number SIGTERM comes
};

// How somebody starts a process for the proxy.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual std::shared_ptr<Actor> prog(FileRef input, FileRef output, pid_t pid,
                                      const std::vector<char*>& environment) = 0;
  virtual std::shared_ptr<Actor> tls(FileRef client_in, FileRef client_out, FileRef plain, pid_t pid) = 0;
  virtual std::shared_ptr<Actor> check(FileRef output, pid_t pid, const spf::Query& query) = 0;
  virtual spf::Judgement judgement(const spf::Query& query) = 0;
  virtual spf::Exemption exemption(const spf::Query& query) = 0;
};

class World final : public spf::Os {
 public:
  World(std::uint64_t seed, const Manners& manners, bool print);
  ~World();

  // Before the proxy begins: who starts its processes, and its descriptors 0, 1.
  void set(Stage& stage, FileRef input, FileRef output);
  void add(std::shared_ptr<Actor> actor);

  // After it has ended: its descriptors 0 and 1 are closed. What it still has
  // is a Failure.
  void proxy_gone();
  // Lets all others act until nobody can.
  void settle();

  Random& random() { return random_; }
  Time time() const { return now_; }
  const Manners& manners() const { return manners_; }
  // Somebody, not the program, is to blame if this session does not end well;
  // he may be silent from now on, while he is waited for.
  void blame(std::string_view who, bool silent = false);
  bool blamed() const { return blamed_; }
  bool silent() const { return silent_; }
  Time last_act() const { return last_act_; }
  // That the proxy has waited for a time to come, and nobody else did anything.
  Duration longest_wait() const { return longest_wait_; }
  void process_ends(pid_t pid, int status);
  void note(std::string_view what);  // for the transcript
  std::uint64_t transcript() const { return transcript_; }
  unsigned long calls() const { return calls_; }
  const std::string& log_text() const { return log_; }
  const std::string& annotation() const { return annotation_; }

  Time now() override;
  ssize_t read(int fd, std::span<char> space) override;
  ssize_t write(int fd, std::string_view octets) override;
  void close(int fd) override;
  void end_output(int fd) override;
  bool is_socket(int fd) override;
  int poll(std::span<pollfd> watched, std::optional<Duration> time) override;
  bool asked_to_end() override { return term_came_; }
  bool process_ended() override { return std::exchange(child_came_, false); }
  Prog start_prog(char* const* argv, const std::vector<char*>& environment) override;
  void annotate(std::string_view octets) override;
  Tls start_tls() override;
  std::unique_ptr<spf::RunningCheck> start_check(const spf::Query& query) override;
  std::unique_ptr<spf::RunningCheck> start_exemption(const spf::Query& query) override;
  void replace_client(int fd) override;
  void kill(pid_t pid) override;
  std::optional<int> try_wait(pid_t pid) override;
  void wait(pid_t pid) override;
  void log(std::string_view line) override;
  void warn(std::string_view what) override { log(what); }
  void fatal(std::string_view what) override { log(what); }

 private:
  struct Process {
    std::shared_ptr<Actor> actor;
    std::optional<int> status;  // once it has ended
  };

  void call(std::string_view name, int subject);
  bool soft() { return random_.chance(manners_.soft); }
  bool hard(std::string_view what);
  void kill_somebody();
  void fail_start(std::string_view what);
  bool let_somebody_act(Time until);
  FileRef file(int fd);
  int open(FileRef file);
  pid_t new_pid();
  Process& process(pid_t pid);
  void start(pid_t pid, std::shared_ptr<Actor> actor);
  std::unique_ptr<spf::RunningCheck> start_check(const spf::Query& query, spf::CheckAnswer answer);

  Manners manners_;
  Random random_;
  bool print_;
  Stage* stage_ = nullptr;
  std::map<int, FileRef> files_;
  std::map<pid_t, Process> processes_;
  std::vector<std::shared_ptr<Actor>> actors_;
  Time now_{std::chrono::seconds(1)};
  Time last_act_ = now_;
  Duration longest_wait_{0};
  unsigned long calls_ = 0;
  pid_t last_pid_ = 100;
  bool blamed_ = false, silent_ = false, hard_done_ = false;
  bool term_pending_ = false, child_pending_ = false;  // signals that still wait
  bool term_came_ = false, child_came_ = false;
  std::uint64_t transcript_ = 14695981039346656037u;
  std::string log_, annotation_;
};

}  // namespace simulate
