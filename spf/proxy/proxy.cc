#include "spf/proxy/proxy.hh"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "spf/base/exit_code.hh"

namespace spf {
namespace {

using std::chrono::seconds;

}  // namespace

Proxy::Proxy(const Config& config, Session& session, Os& os, char* const* argv,
             std::vector<char*> environment)
    : config_(config),
      session_(session),
      os_(os),
      argv_(argv),
      environment_(std::move(environment)),
      exit_code_(system_trouble),
      client_{os.is_socket(0)} {}

int Proxy::run() {
  for (;;) {
    advance();
    reap();
    if (over()) return exit_code_;
    wait();
  }
}

// Lets the session go on until there is nothing more to do but wait. What is
// written here, mostly all at once, makes room, and that too is news for it; so
// is what comes of an action.
void Proxy::advance() {
  for (bool news = true; news && !session_.finished();) {
    session_.resume();
    const Actions actions = session_.take_actions();
    for (const Action& action : actions) perform(action);
    news = !actions.empty();
    news |= write_to_child();
    news |= write_to_client();
    news |= hear_last_words();
  }
  if (const Session::Limit limit = session_.limit(); limit.number != limit_.number)
    limit_ = {limit.number, limit.time == seconds(0) ? never : os_.now() + limit.time};
  if (!session_.finished()) return;
  if (!end_) end_session();
  write_to_child();
  write_to_client();
}

void Proxy::perform(const Action& action) {
  std::visit(Performer{
                 [this](const action::Warn& warn) { os_.warn(warn.line); },
                 [this](const action::Log& log) { os_.log(log.line); },
                 [this](const action::StartCheck& start) { start_check(start.query); },
                 [this](const action::StartExemption& start) { start_exemption(start.query); },
                 [this](action::AbandonCheck) { check_.running.reset(); },
                 [this](const action::Annotate& annotation) { annotate(annotation.octets); },
                 [this](const action::StartChild& start) { start_child(start.variables); },
                 [this](action::DismissPrevious) { dismiss_previous(); },
                 [this](action::RestorePrevious) { restore_previous(); },
                 [this](action::CloseChildInput) { children_.close_input = true; },
                 [this](action::PrepareTls) { prepare_tls(); },
                 [this](action::DismissTls) { dismiss_tls(); },
                 [this](action::StartTls) { tls_->handing_over = true; },
             },
             action);
}

void Proxy::annotate(const std::string& octets) {
  try {
    os_.annotate(octets);
    session_.annotated(true);
  } catch (const std::system_error& error) {
    os_.warn(std::string("unable to annotate: ") + error.what());
    session_.annotated(false);
  }
}

void Proxy::end_session() {
  const Time now = os_.now();
  end_ = End{now, now + (session_.child_is_up() ? child_end_time : unready_child_end_time)};
  client_.lingers = session_.client_may_be_sending();
  children_.close_input = true;
  if (session_.child_hopeless() && children_.current) children_.current->process.kill();
  check_.running.reset();
  if (tls_ && tls_->socket) dismiss_tls();
  dismiss_previous();
}

// After the session: the client has its replies, the child has ended.
bool Proxy::over() {
  if (!end_) return false;
  if (client_.output_open && session_.to_client().empty()) {
    os_.end_output(1);
    client_.output_open = false;
  }
  const bool lingering = client_.lingers && client_.input_open;
  if (client_.output_open || lingering || children_.current || children_.dismissed) return false;
  if (tls_ && client_.descriptors_open) {  // it sees that nobody listens any more, and ends
    os_.close(0);
    os_.close(1);
    client_.descriptors_open = client_.input_open = false;
  }
  return !tls_;
}

// Waits until something happens, and hears of all that has.
void Proxy::wait() {
  watch_all();
  const std::vector<Deadline> all = deadlines();
  const auto first = std::min_element(
      all.begin(), all.end(), [](const Deadline& a, const Deadline& b) { return a.time < b.time; });
  std::optional<Os::Clock::duration> time;
  if (first != all.end() && first->time != never)
    time = std::max(first->time - os_.now(), Os::Clock::duration::zero());

  const int ready = os_.poll(watched_, time);
  if (ready < 0 && ready != -EINTR) throw std::system_error(-ready, std::generic_category(), "poll");
  if (os_.asked_to_end()) session_.shut_down();
  if (os_.process_ended()) look_at_processes();
  if (ready > 0) {
    for (std::size_t i = 0; i < watched_.size(); ++i)
      if (watched_[i].revents && handlers_[i]) (this->*handlers_[i])();
  }
  const Time now = os_.now();
  for (const Deadline& deadline : all)
    if (now >= deadline.time) (this->*deadline.handler)();
}

void Proxy::watch(int fd, short events, Handler handler) {
  watched_.push_back({fd, events, 0});
  handlers_.push_back(handler);
}

void Proxy::watch_all() {
  // What can be written then is written in advance().
  constexpr Handler in_advance = nullptr;
  watched_.clear();
  handlers_.clear();
  watch_client();
  if (client_.output_open && session_.output_ready() && !session_.to_client().empty())
    watch(1, POLLOUT, in_advance);
  if (const auto& child = children_.current) {
    if (child->input && !session_.to_child().empty())
      watch(child->input.get(), POLLOUT, in_advance);
    if (child->output_open && (end_ || session_.from_child().room() > 0))
      watch(child->output.get(), POLLIN, &Proxy::hear_child);
  }
  if (const auto& child = children_.dismissed; child && child->output_open)
    watch(child->output.get(), POLLIN, &Proxy::hear_dismissed);
  if (check_.running) watch(check_.running->descriptor(), POLLIN, &Proxy::hear_check);
  if (tls_ && tls_->socket && tls_->speaks && session_.from_tls().room() > 0)
    watch(tls_->socket.get(), POLLIN, &Proxy::hear_tls);
}

// A socket that is closed in both directions says so although nobody asks;
// before TLS, which takes both, one direction is enough.
void Proxy::watch_client() {
  const bool leaves = tls_ && tls_->handing_over;
  const bool wanted = end_ || (session_.listens() && session_.from_client().room() > 0);
  if (client_.input_open && !leaves && wanted)
    watch(0, POLLIN, &Proxy::hear_client);
  else if (client_.is_socket && client_.output_open && !end_)
    watch(0, session_.listens() ? 0 : POLLRDHUP, &Proxy::lose_client);
}

std::vector<Proxy::Deadline> Proxy::deadlines() const {
  std::vector<Deadline> all;
  if (check_.running) all.push_back({check_.deadline, &Proxy::stop_check});
  if (children_.dismissed) all.push_back({children_.dismissed_deadline, &Proxy::bury_dismissed});
  if (!end_) {
    all.push_back({limit_.deadline, &Proxy::expire_limit});
    return all;
  }
  if (client_.lingers) all.push_back({end_->time + linger_time, &Proxy::stop_lingering});
  if (children_.current) all.push_back({end_->child_deadline, &Proxy::bury_current});
  all.push_back({end_->time + child_end_time, &Proxy::stop_waiting_for_ends});
  return all;
}

void Proxy::expire_limit() {
  limit_.deadline = never;
  session_.timed_out();
}

void Proxy::stop_waiting_for_ends() {
  children_.dismissed.reset();
  tls_.reset();
  client_.output_open = false;
}

// Reads once; `buffer` has room.
Proxy::Io Proxy::read_into(int fd, Buffer& buffer) {
  ssize_t count;
  while ((count = os_.read(fd, buffer.space())) == -EINTR) {}
  if (count > 0) {
    buffer.written(count);
    return Io::done;
  }
  return count == -EAGAIN ? Io::later : Io::closed;
}

Proxy::Io Proxy::write_from(int fd, Buffer& buffer) {
  while (!buffer.empty()) {
    const ssize_t count = os_.write(fd, buffer.data());
    if (count == -EINTR) continue;
    if (count == -EAGAIN) return Io::later;
    if (count < 0) return Io::closed;
    buffer.consume(count);
  }
  return Io::done;
}

void Proxy::discard(int fd, bool& open) {
  char octets[4096];
  const ssize_t count = os_.read(fd, octets);
  if (count == 0 || (count < 0 && count != -EAGAIN && count != -EINTR)) open = false;
}

}  // namespace spf
