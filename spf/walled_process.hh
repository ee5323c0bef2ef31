// A process behind the wall (wall.hh) that works out one text: whatever it
// parses there can harm nothing but that text.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "spf/process.hh"
#include "spf/resolver.hh"
#include "spf/socket_address.hh"

namespace spf {

class WalledProcess {
 public:
  using Clock = std::chrono::steady_clock;

  // What it does behind the wall; an exception ends it without a text.
  using Work = std::function<std::string(Resolver&)>;

  // Starts it. It has a copy of our memory, but for buffers (buffer.hh) and the
  // environment, and none of our descriptors; it dies when we do. Its resolver
  // asks `name_servers` (1 to sealed_slots) until `deadline`. Throws
  // std::system_error.
  WalledProcess(const std::vector<SocketAddress>& name_servers, Clock::time_point deadline,
                const Work& work);

  // Becomes readable when there is something for read().
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

  // When it died: how (Process::end_text()).
  std::string end_text() { return process_.end_text(); }

  // For who reaps it, once it is done.
  Process release() { return std::move(process_); }

 private:
  Descriptor output_;
  Process process_;
  std::string received_;
  bool has_filter_ = false;
};

}  // namespace spf
