#include "spf/proxy/proxy.hh"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <system_error>

#include "spf/base/descriptor.hh"
#include "spf/proxy/evaluator.hh"
#include "spf/dialogue/variables.hh"
#include "spf/base/own_address.hh"
#include "spf/base/log.hh"
#include "spf/dns/name_servers.hh"
#include "spf/base/process.hh"
#include "spf/dialogue/session.hh"
#include "spf/proxy/tls_process.hh"

namespace spf {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

constexpr int system_trouble = 111;

// What a child that was told to go has until it is killed.
constexpr seconds dismissal_time{5};
// What the last child has at the end of the session.
constexpr seconds child_end_time{10};
// What one has that was still coming up: it has nothing to bring to an end.
constexpr seconds unready_child_end_time{1};
// How long we listen to a client that may not have seen its last reply yet.
constexpr seconds linger_time{5};
// What the evaluator may take beyond its own deadline.
constexpr seconds evaluator_grace{1};

volatile sig_atomic_t terminate_requested = 0;
volatile sig_atomic_t process_ended = 0;

extern "C" void on_terminate(int) { terminate_requested = 1; }
extern "C" void on_child(int) { process_ended = 1; }

// SIGCHLD and SIGTERM interrupt ppoll and nothing else; SIGPIPE is ignored.
class Signals {
 public:
  Signals() {
    struct sigaction action = {};
    struct sigaction old;
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, &old);
    inherited_.ignore_pipe = old.sa_handler == SIG_IGN;
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGCHLD);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, &inherited_.mask);
    action.sa_handler = on_child;
    sigaction(SIGCHLD, &action, nullptr);
    action.sa_handler = on_terminate;
    sigaction(SIGTERM, &action, nullptr);
    while_waiting_ = inherited_.mask;
    sigdelset(&while_waiting_, SIGCHLD);
    sigdelset(&while_waiting_, SIGTERM);
  }
  const InheritedSignals& inherited() const { return inherited_; }
  const sigset_t& while_waiting() const { return while_waiting_; }

 private:
  InheritedSignals inherited_;
  sigset_t while_waiting_;
};

// Puts back how a descriptor was found.
class Nonblocking {
 public:
  explicit Nonblocking(int fd) : fd_(fd), flags_(fcntl(fd, F_GETFL)) {
    fcntl(fd, F_SETFL, flags_ | O_NONBLOCK);
  }
  Nonblocking(const Nonblocking&) = delete;
  ~Nonblocking() { fcntl(fd_, F_SETFL, flags_); }

 private:
  int fd_;
  int flags_;
};

struct Child {
  Descriptor to, from;
  Process process;
  bool output_open = true;
  bool failed = false;            // that ended before it was up
  std::optional<int> ended = {};  // its wait status

  // Not only where its output ends: what it left behind may hold that open.
  void look() {
    if (!ended) ended = process.try_wait();
  }
};

enum class Io { done, later, closed };

// Reads once into `buffer`, which must have room.
Io read_into(int fd, Buffer& buffer) {
  const std::span<char> space = buffer.space();
  const ssize_t count = read(fd, space.data(), space.size());
  if (count > 0) {
    buffer.written(count);
    return Io::done;
  }
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return Io::later;
  return Io::closed;
}

Io write_from(int fd, Buffer& buffer) {
  while (!buffer.empty()) {
    const ssize_t count = write(fd, buffer.data().data(), buffer.data().size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return Io::later;
    if (count < 0) return Io::closed;
    buffer.consume(count);
  }
  return Io::done;
}

void discard(int fd, bool& open) {
  char octets[4096];
  const ssize_t count = read(fd, octets, sizeof octets);
  if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) open = false;
}

class Proxy {
 public:
  Proxy(const Config& config, char* const* argv, std::vector<char*> environment)
      : config_(config),
        argv_(argv),
        environment_(std::move(environment)),
        session_(config, getpid(), is_own_address) {}

  int run() {
    advance();
    while (!over()) wait();
    return exit_code_;
  }

 private:
  void advance();
  void perform(const Action& action);
  void write_out();
  void wait();
  void start_child(const std::vector<std::string>& variables);
  void end_of_child_output();
  void dismiss(std::optional<Child>& child, seconds time);
  void bury(std::optional<Child>& child);
  void dismiss_previous();
  void restore_previous();
  void start_check(const Query& query);
  const std::vector<SocketAddress>& known_name_servers();
  void end_check(Verdict verdict);
  void prepare_tls();
  void dismiss_tls();
  void start_tls();
  void remove_variables(std::span<const std::string_view> names);
  void reap();
  bool over();
  Clock::time_point next_deadline();
  void meet_deadlines();

  const Config& config_;
  char* const* argv_;
  std::vector<char*> environment_;
  Signals signals_;
  Nonblocking input_{0}, output_{1};
  Session session_;

  bool raised_ = false;  // an event for the session, while it was not looking
  std::optional<Child> child_;     // the one the session speaks to
  std::optional<Child> previous_;  // set aside while a new one comes up
  std::optional<Child> dismissed_; // told to go
  bool started_ = false;
  bool close_child_input_ = false;
  Clock::time_point dismissed_deadline_;
  std::optional<Evaluator> check_;
  Process past_check_;  // has given its verdict, and is about to end
  Query checked_query_;
  std::vector<SocketAddress> name_servers_;
  Clock::time_point check_deadline_;

  std::optional<TlsProcess> tls_;
  bool tls_speaks_ = false;    // has more to say before the client is handed over
  bool handing_over_ = false;  // as soon as the client has its replies

  bool client_is_socket_ = is_socket(0);
  bool client_open_ = true;  // the descriptors are
  bool client_input_open_ = true;
  bool client_output_open_ = true;
  unsigned long limit_number_ = 0;
  Clock::time_point limit_deadline_ = Clock::time_point::max();
  std::optional<Clock::time_point> end_;  // when the session was over
  Clock::time_point child_deadline_;      // after that
  int exit_code_ = system_trouble;
};

// Lets the session go on until there is nothing more to do but wait.
void Proxy::advance() {
  do {
    raised_ = false;
    session_.resume();
    for (const Action& action : session_.take_actions()) perform(action);
    write_out();
  } while (raised_ && !session_.finished());
  if (const Session::Limit limit = session_.limit(); limit.number != limit_number_) {
    limit_number_ = limit.number;
    limit_deadline_ =
        limit.time == seconds(0) ? Clock::time_point::max() : Clock::now() + limit.time;
  }
  if (session_.finished() && !end_) {
    end_ = Clock::now();
    child_deadline_ = *end_ + (session_.child_is_up() ? child_end_time : unready_child_end_time);
    close_child_input_ = true;
    if (session_.child_hopeless() && child_) child_->process.kill(SIGKILL);
    check_.reset();
    if (tls_ && !tls_->serves()) dismiss_tls();
    dismiss_previous();
    write_out();
  }
}

void Proxy::perform(const Action& action) {
  std::visit(Performer{
                 [](const action::Warn& warn) { write_warning(warn.line); },
                 [](const action::Log& log) { write_log(log.line); },
                 [this](const action::StartCheck& start) { start_check(start.query); },
                 [this](action::AbandonCheck) { check_.reset(); },
                 [this](const action::StartChild& start) { start_child(start.variables); },
                 [this](action::DismissPrevious) { dismiss_previous(); },
                 [this](action::RestorePrevious) { restore_previous(); },
                 [this](action::CloseChildInput) { close_child_input_ = true; },
                 [this](action::PrepareTls) { prepare_tls(); },
                 [this](action::DismissTls) { dismiss_tls(); },
                 [this](action::StartTls) { handing_over_ = true; },
             },
             action);
}

// Writes what can be written now: mostly that is all, and saves a poll. Room
// that this makes is news for the session.
void Proxy::write_out() {
  if (child_ && child_->to) {
    const std::size_t room = session_.to_child().room();
    const Io io = write_from(child_->to.get(), session_.to_child());
    if (io == Io::closed) session_.child_deaf();  // its last words are still to be read
    if (io != Io::later && close_child_input_) child_->to.reset();
    if (session_.to_child().room() != room) raised_ = true;
  }
  if (!client_output_open_) {
    session_.to_client().clear();
  } else if (session_.output_ready()) {
    const std::size_t room = session_.to_client().room();
    if (write_from(1, session_.to_client()) == Io::closed) {
      client_output_open_ = false;
      session_.client_lost();
      session_.to_client().clear();
    }
    if (session_.to_client().room() != room) raised_ = true;
    if (handing_over_ && session_.to_client().empty()) start_tls();
  }
}

void Proxy::start_child(const std::vector<std::string>& variables) {
  std::vector<char*> environment = environment_;
  for (const std::string& variable : variables)
    environment.push_back(const_cast<char*>(variable.c_str()));
  if (!started_) {
    // A child that waits to see whether we speak first would wait each time.
    remove_variables(std::array<std::string_view, 2>{"GREETDELAY", "DROP_PRE_GREET"});
    started_ = true;
  }
  previous_ = std::move(child_);
  child_.reset();
  try {
    Pipe input = make_pipe();
    Pipe output = make_pipe();
    Process process = Process::spawn(argv_, environment, input.read_end.get(),
                                     output.write_end.get(), signals_.inherited());
    set_nonblocking(input.write_end.get());
    set_nonblocking(output.read_end.get());
    child_.emplace(Child{std::move(input.write_end), std::move(output.read_end),
                         std::move(process)});
  } catch (const std::system_error& error) {
    write_fatal("unable to run " + std::string(argv_[0]) + ": " + error.code().message());
    session_.child_closed();
    raised_ = true;
  }
}

void Proxy::end_of_child_output() {
  child_->output_open = false;
  child_->failed = !session_.child_is_up();
  session_.child_closed();
}

// Its input ends, and it has so much time to end by itself.
void Proxy::dismiss(std::optional<Child>& child, seconds time) {
  child->to.reset();
  if (dismissed_) bury(dismissed_);  // one that is still there has had its time
  dismissed_ = std::move(child);
  child.reset();
  dismissed_deadline_ = Clock::now() + time;
}

// Kills it, if it has not ended. One that never was of use is named.
void Proxy::bury(std::optional<Child>& child) {
  child->look();
  if (child->failed && child->ended)
    write_warning(std::string(argv_[0]) + " died at its start" + end_text(*child->ended));
  else if (child->failed)
    write_warning(std::string(argv_[0]) + " closed its output at its start, and was killed");
  child.reset();
}

void Proxy::dismiss_previous() {
  if (!previous_) return;
  // It is idle, so its pipe takes these few octets, or it is gone already.
  if (write(previous_->to.get(), dismissal.data(), dismissal.size()) < 0) {}
  dismiss(previous_, dismissal_time);
}

void Proxy::restore_previous() {
  if (child_ && child_->failed) dismiss(child_, unready_child_end_time);
  child_ = std::move(previous_);
  previous_.reset();
}

void Proxy::start_check(const Query& query) {
  checked_query_ = query;
  try {
    CheckOptions options = check_options(config_);
    options.own_address = is_own_address(query.client);
    check_.emplace(query, options, known_name_servers(), config_.check_timeout);
    check_deadline_ = Clock::now() + config_.check_timeout + evaluator_grace;
  } catch (const std::system_error& error) {
    write_warning("unable to check SPF: " + error.code().message());
    end_check(Evaluator::trouble(query));
  }
}

// Found once a session, and what is wrong with them is said once.
const std::vector<SocketAddress>& Proxy::known_name_servers() {
  if (name_servers_.empty()) {
    NameServers found = name_servers(std::getenv);
    for (const std::string& problem : found.problems) write_warning(problem);
    name_servers_ = std::move(found.servers);
  }
  return name_servers_;
}

void Proxy::end_check(Verdict verdict) {
  const auto cpu_time = check_ ? check_->cpu_time() : std::chrono::microseconds(0);
  check_.reset();
  session_.check_done(std::move(verdict), cpu_time);
  raised_ = true;
}

void Proxy::prepare_tls() {
  try {
    tls_.emplace(config_, signals_.inherited());
    tls_speaks_ = true;
  } catch (const std::system_error& error) {
    session_.from_tls().append(tls_status_line(
        {TlsStatus::Kind::unusable, std::string("unable to run spftls: ") + error.what()}));
    raised_ = true;
  }
}

void Proxy::dismiss_tls() {
  tls_.reset();
  tls_speaks_ = handing_over_ = false;
}

void Proxy::start_tls() {
  handing_over_ = tls_speaks_ = false;
  tls_->hand_over();
  client_is_socket_ = true;
  remove_variables(tls_variable_names);
}

// Out of what prog finds in its environment from now on.
void Proxy::remove_variables(std::span<const std::string_view> names) {
  std::erase_if(environment_, [names](const char* entry) { return sets_one_of(entry, names); });
}

void Proxy::reap() {
  past_check_.try_wait();
  if (tls_ && tls_->serves() && tls_->process().try_wait()) tls_.reset();
  if (process_ended) {
    process_ended = 0;
    for (std::optional<Child>* child : {&child_, &previous_, &dismissed_})
      if (*child) (*child)->look();
  }
  if (dismissed_ && dismissed_->ended) bury(dismissed_);
  if (child_ && child_->ended && (end_ || (!child_->output_open && session_.from_child().empty()))) {
    exit_code_ = WIFEXITED(*child_->ended) ? WEXITSTATUS(*child_->ended) : system_trouble;
    bury(child_);
  }
}

// After the session: the client has its replies, the child has ended.
bool Proxy::over() {
  reap();
  if (!end_) return false;
  if (client_output_open_ && session_.to_client().empty()) {
    if (shutdown(1, SHUT_WR) != 0) close(1);
    client_output_open_ = false;
  }
  const bool lingering = client_input_open_ && session_.client_may_be_sending() &&
                         Clock::now() < *end_ + linger_time;
  if (client_output_open_ || lingering || child_ || dismissed_) return false;
  if (tls_ && client_open_) {  // it sees that nobody listens any more, and ends
    close(0);
    close(1);
    client_open_ = client_input_open_ = false;
  }
  return !tls_;
}

Clock::time_point Proxy::next_deadline() {
  Clock::time_point next = Clock::time_point::max();
  if (!end_)
    next = limit_deadline_;
  else
    next = *end_ + (Clock::now() < *end_ + linger_time ? linger_time : child_end_time);
  if (end_ && child_) next = std::min(next, child_deadline_);
  if (check_) next = std::min(next, check_deadline_);
  if (dismissed_) next = std::min(next, dismissed_deadline_);
  return next;
}

void Proxy::meet_deadlines() {
  const Clock::time_point now = Clock::now();
  if (dismissed_ && now >= dismissed_deadline_) bury(dismissed_);
  if (check_ && now >= check_deadline_) {
    write_warning("SPF check overstayed and was killed");
    end_check(Evaluator::trouble(checked_query_));
  }
  if (!end_ && now >= limit_deadline_) {
    limit_deadline_ = Clock::time_point::max();
    session_.timed_out();
    raised_ = true;
  }
  if (end_ && child_ && now >= child_deadline_) bury(child_);
  if (end_ && now >= *end_ + child_end_time) {
    dismissed_.reset();
    tls_.reset();
    client_output_open_ = false;
  }
}

void Proxy::wait() {
  enum { client_in, client_out, child_in, child_out, dismissed_out, verdict, tls, count };
  pollfd fds[count];
  for (pollfd& p : fds) p = {-1, 0, 0};
  nfds_t used = 0;  // poll wants no more entries than there may be descriptors
  const auto watch = [&](int which, int fd, short events) {
    fds[which] = {fd, events, 0};
    used = std::max(used, nfds_t(which + 1));
  };
  const bool child_readable = child_ && child_->output_open && session_.from_child().room() > 0;
  // Of a dead child only what is in its pipe is waited for, for others may hold
  // that open.
  const bool last_words = child_readable && child_->ended && !end_;

  // A socket that is closed in both directions says so although nobody asks;
  // before TLS, which takes both, one direction is enough.
  const bool client_readable =
      client_input_open_ && !handing_over_ &&
      (end_ || (session_.listens() && session_.from_client().room() > 0));
  if (client_readable)
    watch(client_in, 0, POLLIN);
  else if (client_is_socket_ && client_output_open_ && !end_)
    watch(client_in, 0, session_.listens() ? 0 : POLLRDHUP);
  if (client_output_open_ && session_.output_ready() && !session_.to_client().empty())
    watch(client_out, 1, POLLOUT);
  if (child_ && child_->to && !session_.to_child().empty())
    watch(child_in, child_->to.get(), POLLOUT);
  if (child_readable) watch(child_out, child_->from.get(), POLLIN);
  if (dismissed_ && dismissed_->output_open) watch(dismissed_out, dismissed_->from.get(), POLLIN);
  if (check_) watch(verdict, check_->descriptor(), POLLIN);
  if (tls_speaks_ && session_.from_tls().room() > 0) watch(tls, tls_->descriptor(), POLLIN);

  timespec time{};
  const Clock::time_point next = last_words ? Clock::now() : next_deadline();
  if (next != Clock::time_point::max()) {
    const auto left = std::max(next - Clock::now(), Clock::duration::zero());
    time.tv_sec = std::chrono::duration_cast<seconds>(left).count();
    time.tv_nsec = std::chrono::nanoseconds(left).count() % 1'000'000'000;
  }
  const int ready = ppoll(fds, used, next == Clock::time_point::max() ? nullptr : &time,
                          &signals_.while_waiting());
  if (ready < 0 && errno != EINTR) throw std::system_error(errno, std::generic_category(), "poll");

  if (terminate_requested && !end_) {
    session_.shut_down();
    raised_ = true;
  }
  meet_deadlines();
  if (ready >= 0 && last_words && !fds[child_out].revents) {
    end_of_child_output();
    raised_ = true;
  }
  if (ready > 0) {
    if (fds[client_in].revents) {
      if (end_) {
        discard(0, client_input_open_);
      } else if (!client_readable) {
        client_input_open_ = client_output_open_ = false;
        session_.client_lost();
      } else if (read_into(0, session_.from_client()) == Io::closed) {
        client_input_open_ = false;
        session_.client_closed();
      }
      raised_ = true;
    }
    if (fds[child_out].revents && child_) {
      if (end_)
        discard(child_->from.get(), child_->output_open);
      else if (read_into(child_->from.get(), session_.from_child()) == Io::closed)
        end_of_child_output();
      raised_ = true;
    }
    if (fds[dismissed_out].revents && dismissed_)
      discard(dismissed_->from.get(), dismissed_->output_open);
    if (fds[verdict].revents && check_)
      if (auto result = check_->read()) {
        if (!check_->complaint().empty()) write_warning(check_->complaint());
        past_check_ = check_->release();
        end_check(*std::move(result));
      }
    if (fds[tls].revents && tls_) {
      if (read_into(tls_->descriptor(), session_.from_tls()) == Io::closed) {
        tls_speaks_ = false;
        session_.tls_closed();
      }
      raised_ = true;
    }
    if (fds[client_out].revents || fds[child_in].revents) write_out();
  }
  // A signal too may come when there is room again in a pipe: what is written
  // then is news for the session, for which nothing else would wake us.
  if (!raised_ || session_.finished()) write_out();
  if (raised_ && !session_.finished()) advance();
}

}  // namespace

int run_proxy(const Config& config, char* const* argv, std::vector<char*> environment) {
  // A closed descriptor 0, 1 or 2 must not become a pipe of ours.
  for (int fd; (fd = open("/dev/null", O_RDWR)) >= 0;)
    if (fd > 2) {
      close(fd);
      break;
    }
  return Proxy(config, argv, std::move(environment)).run();
}

}  // namespace spf
