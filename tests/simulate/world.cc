#include "tests/simulate/world.hh"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace simulate {
namespace {

using std::chrono::microseconds;

// More calls than any session makes that gets on.
constexpr unsigned long most_calls = 400000;

}  // namespace

std::uint64_t Random::next() {  // SplitMix64
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Files.

File::File(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out, bool socket)
    : in_(std::move(in)), out_(std::move(out)), socket_(socket) {
  if (in_) ++in_->readers;
  if (out_) ++out_->writers;
}

File::~File() {
  // TCP closed with something unread takes what it had said with it.
  if (socket_ && in_ && out_ && !in_->octets.empty()) reset();
  if (in_) --in_->readers;
  end_output();
}

void File::end_output() {
  if (out_) --out_->writers;
  out_.reset();
}

void File::reset() {
  for (Pipe* pipe : {in_.get(), out_.get()})
    if (pipe) {
      pipe->reset = true;
      pipe->octets.clear();
    }
}

ssize_t File::read(char* space, std::size_t size) {
  if (!in_) return -EBADF;
  if (in_->reset) return -ECONNRESET;
  if (in_->octets.empty()) return in_->writers == 0 ? 0 : -EAGAIN;
  const std::size_t count = std::min(size, in_->octets.size());
  in_->octets.copy(space, count);
  in_->octets.erase(0, count);
  return count;
}

ssize_t File::write(std::string_view octets, std::size_t most) {
  if (!out_ || out_->readers == 0) return -EPIPE;
  if (out_->reset) return -ECONNRESET;
  const std::size_t count = std::min({octets.size(), most, out_->room()});
  if (count == 0 && !octets.empty()) return -EAGAIN;
  out_->octets += octets.substr(0, count);
  return count;
}

bool File::readable() const {
  return in_ && (in_->reset || !in_->octets.empty() || in_->writers == 0);
}

bool File::writable() const {
  return !out_ || out_->reset || out_->readers == 0 || out_->room() > 0;
}

short File::events(short wanted) const {
  short events = 0;
  const bool in_over = in_ && (in_->reset || in_->writers == 0);
  const bool out_over = !out_ || out_->reset || out_->readers == 0;
  if (readable()) events |= POLLIN;
  if (in_over) events |= POLLRDHUP;
  if (out_ && writable()) events |= POLLOUT;
  if ((in_ && in_->reset) || (out_ && out_->reset)) events |= POLLERR | POLLHUP;
  if (socket_ ? in_over && out_over : in_over) events |= POLLHUP;
  if (!socket_ && out_ && out_->readers == 0) events |= POLLERR;
  return events & (wanted | POLLERR | POLLHUP);
}

FilePair make_socket_pair(std::size_t capacity) {
  const auto there = std::make_shared<Pipe>(capacity);
  const auto back = std::make_shared<Pipe>(capacity);
  return {std::make_shared<File>(there, back, true), std::make_shared<File>(back, there, true)};
}

FilePair make_pipe(std::size_t capacity) {
  const auto pipe = std::make_shared<Pipe>(capacity);
  return {std::make_shared<File>(pipe, nullptr, false), std::make_shared<File>(nullptr, pipe, false)};
}

// Actors.

Actor::Actor(World& world, const char* name) : world_(world), name_(name) {}

void Actor::begin() { wake_ = world_.time(); }

Actor::Wait Actor::until(const File* in, const File* other_in, const File* out,
                         const File* other_out) {
  timed_ = false;
  wake_ = world_.time() + microseconds(world_.random().below(world_.manners().delay + 1));
  return {*this, in, other_in, out, other_out};
}

Actor::Wait Actor::pause(Duration time) {
  timed_ = true;
  wake_ = world_.time() + time;
  return {*this};
}

Actor::Wait Actor::for_ever() {
  timed_ = false;
  return {*this};
}

bool Actor::can_act() const {
  if (over_) return false;
  return timed_ || (wait_.in && wait_.in->readable()) ||
         (wait_.other_in && wait_.other_in->readable()) || (wait_.out && wait_.out->writable()) ||
         (wait_.other_out && wait_.other_out->writable());
}

void Actor::act() {
  try {
    if (!task_) {
      task_.emplace(live());
      task_->start();
    } else {
      std::exchange(waiting_, {}).resume();
    }
    task_->rethrow();
    if (!waiting_) finish(0);
  } catch (const Exit& exit) {
    finish(exit.status);
  }
}

void Actor::kill() {
  if (!over_) finish(SIGKILL);
}

void Actor::finish(int status) {
  over_ = true;
  leave();
  ended(status);
}

// The world.

World::World(std::uint64_t seed, const Manners& manners, bool print)
    : manners_(manners), random_(seed), print_(print) {}

World::~World() = default;

void World::set(Stage& stage, FileRef input, FileRef output) {
  stage_ = &stage;
  files_[0] = std::move(input);
  files_[1] = std::move(output);
}

void World::add(std::shared_ptr<Actor> actor) {
  actor->begin();
  actors_.push_back(std::move(actor));
}

void World::note(std::string_view what) {
  for (const char c : what) transcript_ = (transcript_ ^ static_cast<unsigned char>(c)) * 1099511628211u;
  if (!print_) return;
  printf("%12.6f ", std::chrono::duration<double>(now_.time_since_epoch()).count());
  for (const char c : what.substr(0, 200))
    if (c == '\r') printf("\\r");
    else if (c == '\n') printf("\\n");
    else putchar(c);
  putchar('\n');
}

void World::blame(std::string_view who, bool silent) {
  note("BLAME " + std::string(who));
  blamed_ = true;
  silent_ |= silent;
}

void World::kill_somebody() {
  std::vector<Actor*> living;
  for (const auto& [pid, process] : processes_)
    if (!process.status) living.push_back(process.actor.get());
  if (living.empty()) return;
  blame("a killer");
  living[random_.below(living.size())]->kill();
}

void World::call(std::string_view name, int subject) {
  if (++calls_ > most_calls) throw Failure("it runs in circles");
  if (manners_.term_at == calls_) {
    blame("SIGTERM");
    term_pending_ = true;
  }
  if (manners_.kill_at == calls_) kill_somebody();
  if (random_.chance(manners_.preempted)) let_somebody_act(now_);
  now_ += microseconds(1);
  note(std::string(name) + " " + std::to_string(subject));
}

bool World::hard(std::string_view what) {
  if (manners_.hard_at == 0 || hard_done_ || calls_ < manners_.hard_at) return false;
  hard_done_ = true;
  blame(what);
  return true;
}

void World::fail_start(std::string_view what) {
  static constexpr int errors[] = {EMFILE, ENOMEM, EAGAIN};
  if (hard(what))
    throw std::system_error(errors[random_.below(3)], std::generic_category(), std::string(what));
}

// One of those who can, by `until`. The earliest, when the clock must move to it.
bool World::let_somebody_act(Time until) {
  Actor* first = nullptr;
  unsigned candidates = 0;
  for (const auto& actor : actors_) {
    if (!actor->can_act() || actor->wake() > until) continue;
    if (actor->wake() <= now_) {
      if (random_.below(++candidates) == 0) first = actor.get();
    } else if (candidates == 0 && (!first || actor->wake() < first->wake())) {
      first = actor.get();
    }
  }
  if (!first) return false;
  now_ = std::max(now_, first->wake());
  last_act_ = now_;
  note(first->name());
  first->act();
  return true;
}

FileRef World::file(int fd) {
  const auto found = files_.find(fd);
  if (found == files_.end()) throw Failure("descriptor " + std::to_string(fd) + " is not open");
  return found->second;
}

int World::open(FileRef file) {
  int fd = 3;
  while (files_.contains(fd)) ++fd;
  files_[fd] = std::move(file);
  return fd;
}

Time World::now() { return now_; }

ssize_t World::read(int fd, std::span<char> space) {
  call("read", fd);
  const FileRef from = file(fd);
  if (space.empty()) throw Failure("reads into nothing");
  std::size_t size = space.size();
  if (soft()) {
    switch (random_.below(3)) {
      case 0: return -EINTR;
      case 1:  // of a pipe it means that there is nothing in it
        if (from->socket()) return -EAGAIN;
        [[fallthrough]];
      default: size = random_.between(1, std::min<std::size_t>(size, 40));
    }
  }
  if (hard("a read that fails")) {
    from->reset();
    return fd == 0 ? -ECONNRESET : -EIO;
  }
  const ssize_t count = from->read(space.data(), size);
  note(count < 0 ? "-" + std::to_string(-count) : std::string_view(space.data(), count));
  return count;
}

ssize_t World::write(int fd, std::string_view octets) {
  call("write", fd);
  const FileRef to = file(fd);
  std::size_t most = octets.size();
  // That an empty pipe takes these few octets is a promise.
  if (octets.size() > 8 && soft()) {
    switch (random_.below(3)) {
      case 0: return -EINTR;
      case 1: return -EAGAIN;
      default: most = random_.between(1, std::min<std::size_t>(most, 40));
    }
  }
  if (hard("a write that fails")) {
    to->reset();
    return fd == 1 && random_.chance(500) ? -ECONNRESET : -EPIPE;
  }
  const ssize_t count = to->write(octets, most);
  note(count < 0 ? "-" + std::to_string(-count) : octets.substr(0, count));
  return count;
}

void World::close(int fd) {
  call("close", fd);
  file(fd);
  files_.erase(fd);
}

void World::end_output(int fd) {
  call("end_output", fd);
  if (file(fd)->socket())
    file(fd)->end_output();
  else
    files_.erase(fd);
}

bool World::is_socket(int fd) { return file(fd)->socket(); }

int World::poll(std::span<pollfd> watched, std::optional<Duration> time) {
  call("poll", watched.size());
  if (hard("a poll that fails")) return -ENOMEM;
  const Time until = time ? now_ + *time : never;
  const Time since = now_;
  for (bool spared = soft();;) {
    int ready = 0;
    for (pollfd& p : watched) {
      p.revents = file(p.fd)->events(p.events);
      ready += p.revents != 0;
    }
    const bool signal = term_pending_ || child_pending_ || spared;
    // A signal wins now and then, too, over what is ready.
    if (ready > 0 && !(signal && random_.chance(100))) {
      note("ready " + std::to_string(ready));
      return ready;
    }
    if (signal) {
      term_came_ |= std::exchange(term_pending_, false);
      child_came_ |= std::exchange(child_pending_, false);
      note("EINTR");
      return -EINTR;
    }
    if (let_somebody_act(until)) continue;
    if (until == never) throw Failure("it waits for ever");
    now_ = std::max(now_, until);
    longest_wait_ = std::max(longest_wait_, now_ - since);
    note("timeout");
    return 0;
  }
}

pid_t World::new_pid() { return ++last_pid_; }

World::Process& World::process(pid_t pid) {
  const auto found = processes_.find(pid);
  if (found == processes_.end()) throw Failure("process " + std::to_string(pid) + " is not there, or no more");
  return found->second;
}

void World::start(pid_t pid, std::shared_ptr<Actor> actor) {
  processes_[pid].actor = actor;
  add(std::move(actor));
}

void World::process_ends(pid_t pid, int status) {
  process(pid).status = status;
  child_pending_ = true;
}

spf::Os::Prog World::start_prog(char* const*, const std::vector<char*>& environment) {
  call("start_prog", 0);
  fail_start("prog that does not start");
  const FilePair input = make_pipe(manners_.capacity), output = make_pipe(manners_.capacity);
  const pid_t pid = new_pid();
  start(pid, stage_->prog(input.one, output.other, pid, environment));
  return {{*this, open(input.other)}, {*this, open(output.one)}, {*this, pid}};
}

void World::annotate(std::string_view octets) {
  call("annotate", octets.size());
  fail_start("an annotation that can't be written");
  annotation_ = octets;
}

spf::Os::Tls World::start_tls() {
  call("start_tls", 0);
  fail_start("spftls that does not start");
  const FilePair plain = make_socket_pair(manners_.capacity);
  const pid_t pid = new_pid();
  start(pid, stage_->tls(file(0), file(1), plain.other, pid));
  return {{*this, open(plain.one)}, {*this, pid}};
}

void World::replace_client(int fd) {
  call("replace_client", fd);
  files_[0] = files_[1] = file(fd);
}

namespace {

// Its process says "v" when the verdict is there, and anything else before.
class SimulatedCheck final : public spf::RunningCheck {
 public:
  SimulatedCheck(World& world, int fd, pid_t pid, spf::CheckAnswer answer)
      : world_(world), output_(world, fd), process_(world, pid), answer_(std::move(answer)) {}

  int descriptor() const override { return output_.get(); }
  std::optional<spf::CheckAnswer> read(const spf::CheckAnswer& otherwise) override {
    char octet;
    const ssize_t count = world_.read(output_.get(), {&octet, 1});
    if (count == -EAGAIN || count == -EINTR) return {};
    if (count <= 0) {
      complaint_ = "SPF check died";
      return otherwise;
    }
    if (octet != 'v') return {};
    process_.kill();
    return answer_;
  }
  bool reaped() override { return reaped_ = reaped_ || process_.try_wait(); }
  std::chrono::microseconds cpu_time() const override { return microseconds(500); }
  const std::string& complaint() const override { return complaint_; }

 private:
  World& world_;
  spf::OwnDescriptor output_;
  spf::OwnProcess process_;
  spf::CheckAnswer answer_;
  std::string complaint_;
  bool reaped_ = false;
};

}  // namespace

std::unique_ptr<spf::RunningCheck> World::start_check(const spf::Query& query) {
  return start_check(query, stage_->judgement(query));
}

std::unique_ptr<spf::RunningCheck> World::start_exemption(const spf::Query& query) {
  return start_check(query, stage_->exemption(query));
}

std::unique_ptr<spf::RunningCheck> World::start_check(const spf::Query& query, spf::CheckAnswer answer) {
  call("start_check", 0);
  fail_start("a check that does not start");
  const FilePair output = make_pipe(manners_.capacity);
  const pid_t pid = new_pid();
  start(pid, stage_->check(output.other, pid, query));
  return std::make_unique<SimulatedCheck>(*this, open(output.one), pid, std::move(answer));
}

void World::kill(pid_t pid) {
  call("kill", pid);
  process(pid).actor->kill();
}

std::optional<int> World::try_wait(pid_t pid) {
  call("try_wait", pid);
  const std::optional<int> status = process(pid).status;
  if (status) processes_.erase(pid);
  return status;
}

void World::wait(pid_t pid) {
  call("wait", pid);
  if (!process(pid).status) throw Failure("waits for a process that was not killed");
  processes_.erase(pid);
}

void World::log(std::string_view line) {
  note("LOG " + std::string(line));
  log_.append(line).append("\n");
}

void World::proxy_gone() {
  files_.erase(0);
  files_.erase(1);
  if (!files_.empty()) throw Failure("descriptor " + std::to_string(files_.begin()->first) + " is left");
  if (!processes_.empty()) throw Failure("process " + std::to_string(processes_.begin()->first) + " is left");
}

void World::settle() {
  while (let_somebody_act(never - std::chrono::hours(1))) {}
}

}  // namespace simulate
