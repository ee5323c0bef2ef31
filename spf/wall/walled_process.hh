// A process behind the wall (wall.hh) that works out one text: whatever it
// parses there can harm nothing but that text.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "spf/base/process.hh"
#include "spf/dns/resolver.hh"
#include "spf/wall/wall.hh"

namespace spf {

// The exit code of a process that could not be shut in; it has evaluated nothing.
inline constexpr int exit_not_walled = 71;

class WalledProcess {
 public:
  using Clock = std::chrono::steady_clock;

  // What it does behind the wall; an exception ends it without a text. Names a
  // callable object, which must be there while it starts, and has no copy of it: to
  // free that in memory which is shared by now would cost pages.
  class Work {
   public:
    template <class Callable>
      requires std::is_invocable_r_v<std::string, const Callable&, Resolver&>
    Work(const Callable& callable)
        : callable_(&callable), call_([](const void* callable, Resolver& resolver) {
            return std::string((*static_cast<const Callable*>(callable))(resolver));
          }) {}
    std::string operator()(Resolver& resolver) const { return call_(callable_, resolver); }

   private:
    const void* callable_;
    std::string (*call_)(const void*, Resolver&);
  };

  // Starts it. It has a copy of our memory, but for what is unforked (unforked.hh):
  // buffers, and the environment, which is moved there; and it has none of our
  // descriptors. It dies when we do. Its resolver asks `name_servers` until
  // `deadline`, `most_questions` at most. Throws std::system_error and
  // std::bad_alloc.
  WalledProcess(const SealedAddresses& name_servers, Clock::time_point deadline,
                unsigned most_questions, const Work& work);

  // Becomes readable when there is something for read(); closed when it is done.
  int descriptor() const { return output_.get(); }

  enum class State {
    working,
    done,  // the whole text is there; the process is told to end
    died,  // without one, or with one of more than `most_text` octets
  };
  static constexpr std::size_t most_text = 1 << 20;

  // Takes what has arrived, without waiting.
  State read();

  // When done: the text, and whether seccomp was part of the wall.
  std::string take_text() { return std::move(received_); }
  bool has_filter() const { return has_filter_; }

  // When it died: how, as "died of signal 31" or "used more than 1 s of CPU time".
  const std::string& end() const { return end_; }

  // What it has used of the processor, whatever it says itself.
  std::chrono::microseconds cpu_time() const { return std::max(cpu_time_, process_.cpu_time()); }

  // The process itself, which once it is done or died is to be reaped.
  Process& process() { return process_; }

 private:
  State take();
  void note_end(int status);

  Descriptor output_;
  Process process_;
  std::string received_;
  bool has_filter_ = false;
  std::string end_;
  std::chrono::microseconds cpu_time_{0};  // of a process that is gone
};

}  // namespace spf
