// Prog, of which there may be three: the one that is spoken to, the one set
// aside while that comes up, and one told to go.
#include <sys/wait.h>

#include <array>
#include <string>
#include <system_error>
#include <utility>

#include "spf/base/process.hh"
#include "spf/proxy/proxy.hh"

namespace spf {

void Proxy::Child::look() {
  if (!ended) ended = process.try_wait();
}

void Proxy::start_child(const std::vector<std::string>& variables) {
  std::vector<char*> environment = environment_;
  for (const std::string& variable : variables)
    environment.push_back(const_cast<char*>(variable.c_str()));
  if (!std::exchange(children_.started, true)) {
    // A child that waits to see whether we speak first would wait each time.
    remove_variables(std::array<std::string_view, 2>{"GREETDELAY", "DROP_PRE_GREET"});
  }
  children_.previous = std::move(children_.current);
  children_.current.reset();
  try {
    Os::Prog prog = os_.start_prog(argv_, environment);
    children_.current.emplace(
        Child{std::move(prog.input), std::move(prog.output), std::move(prog.process)});
  } catch (const std::system_error& error) {
    os_.fatal("unable to run " + std::string(argv_[0]) + ": " + error.code().message());
    session_.child_closed();
  }
}

// Whether that is news for the session.
bool Proxy::write_to_child() {
  if (!children_.current || !children_.current->input) return false;
  Buffer& buffer = session_.to_child();
  const std::size_t room = buffer.room();
  const Io io = write_from(children_.current->input.get(), buffer);
  if (io == Io::closed) session_.child_deaf();  // its last words are still to be read
  const bool news = buffer.room() != room;
  if (io != Io::later && children_.close_input) children_.current->input.reset();
  return news;
}

void Proxy::hear_child() {
  Child& child = *children_.current;
  if (end_)
    discard(child.output.get(), child.output_open);
  else if (read_into(child.output.get(), session_.from_child()) == Io::closed)
    end_of_child_output();
}

// Of a dead child only what is in its pipe is waited for: what it left behind
// may hold that open. Whether that is news for the session.
bool Proxy::hear_last_words() {
  if (!children_.current || session_.finished()) return false;
  Child& child = *children_.current;
  if (!child.ended || !child.output_open || session_.from_child().room() == 0) return false;
  if (read_into(child.output.get(), session_.from_child()) != Io::done) end_of_child_output();
  return true;
}

void Proxy::end_of_child_output() {
  children_.current->output_open = false;
  children_.current->failed = !session_.child_is_up();
  session_.child_closed();
}

void Proxy::hear_dismissed() {
  discard(children_.dismissed->output.get(), children_.dismissed->output_open);
}

// Its input ends, and it has so much time to end by itself.
void Proxy::dismiss(std::optional<Child>& child, std::chrono::seconds time) {
  child->input.reset();
  if (children_.dismissed) bury_dismissed();  // one that is still there has had its time
  children_.dismissed = std::move(child);
  child.reset();
  children_.dismissed_deadline = os_.now() + time;
}

void Proxy::dismiss_previous() {
  if (!children_.previous) return;
  // It is idle, so its pipe takes these few octets, or it is gone already.
  if (os_.write(children_.previous->input.get(), dismissal) < 0) {}
  dismiss(children_.previous, dismissal_time);
}

void Proxy::restore_previous() {
  if (children_.current && children_.current->failed)
    dismiss(children_.current, unready_child_end_time);
  children_.current = std::move(children_.previous);
  children_.previous.reset();
}

// Kills it, if it has not ended. One that never was of use is named.
void Proxy::bury(std::optional<Child>& child) {
  if (!child) return;
  child->look();
  if (child->failed && child->ended)
    os_.warn(std::string(argv_[0]) + " died at its start" + end_text(*child->ended));
  else if (child->failed)
    os_.warn(std::string(argv_[0]) + " closed its output at its start, and was killed");
  child.reset();
}

void Proxy::bury_current() { bury(children_.current); }
void Proxy::bury_dismissed() { bury(children_.dismissed); }

// Not only where a child's output ends: what it left behind may hold that open.
void Proxy::look_at_processes() {
  for (std::optional<Child>* child :
       {&children_.current, &children_.previous, &children_.dismissed})
    if (*child) (*child)->look();
  if (tls_ && !tls_->ended) tls_->ended = tls_->process.try_wait().has_value();
}

void Proxy::reap() {
  if (check_.past && check_.past->reaped()) check_.past.reset();
  if (tls_ && tls_->ended && !tls_->socket) tls_.reset();
  if (children_.dismissed && children_.dismissed->ended) bury_dismissed();
  const std::optional<Child>& child = children_.current;
  if (!child || !child->ended) return;
  if (!end_ && (child->output_open || !session_.from_child().empty())) return;
  exit_code_ = WIFEXITED(*child->ended) ? WEXITSTATUS(*child->ended) : exit_code_;
  bury_current();
}

}  // namespace spf
