// All I/O round the session: the client, prog, the check, spftls, the clock
// and the signals, as an Os has them.
#pragma once

#include <poll.h>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "spf/dialogue/session.hh"
#include "spf/proxy/os.hh"
#include "spf/settings/config.hh"

namespace spf {

// What each wait has of time, but for what the session says (Session::limit).
inline constexpr std::chrono::seconds dismissal_time{5};  // for a child told to go, until it is killed
inline constexpr std::chrono::seconds child_end_time{10};  // for the last child, after the session
// The same of one that was still coming up: it has nothing to bring to an end.
inline constexpr std::chrono::seconds unready_child_end_time{1};
inline constexpr std::chrono::seconds linger_time{5};  // for a client that may not have its last reply
inline constexpr std::chrono::seconds check_grace{1};  // for a check, beyond its own deadline

class Proxy {
 public:
  // Prog is `argv`, which ends in a null pointer. All must outlive the proxy,
  // but for `environment`, whose entries must.
  Proxy(const Config& config, Session& session, Os& os, char* const* argv,
        std::vector<char*> environment);
  Proxy(const Proxy&) = delete;

  // The whole session. The child's exit code, or 111 where it had none. Throws
  // std::system_error where it can't go on, and std::bad_alloc.
  int run();

 private:
  using Time = Os::Clock::time_point;
  static constexpr Time never = Time::max();
  using Handler = void (Proxy::*)();

  enum class Io { done, later, closed };
  Io read_into(int fd, Buffer& buffer);
  Io write_from(int fd, Buffer& buffer);
  void discard(int fd, bool& open);

  void advance();
  void perform(const Action& action);
  void annotate(const std::string& octets);
  void end_session();
  bool over();

  void wait();
  void watch(int fd, short events, Handler handler);
  void watch_all();
  void watch_client();
  struct Deadline {
    Time time;
    Handler handler;
  };
  std::vector<Deadline> deadlines() const;

  // proxy_client.cc
  bool write_to_client();
  void hear_client();
  void lose_client();
  void stop_lingering();
  void start_tls();
  void prepare_tls();
  void dismiss_tls();
  void hear_tls();
  void remove_variables(std::span<const std::string_view> names);

  // proxy_child.cc
  struct Child {
    OwnDescriptor input, output;  // our ends
    OwnProcess process;
    bool output_open = true;
    bool failed = false;            // it ended before it was up
    std::optional<int> ended = {};  // its wait status
    void look();
  };
  void start_child(const std::vector<std::string>& variables);
  bool write_to_child();
  void hear_child();
  bool hear_last_words();
  void hear_dismissed();
  void end_of_child_output();
  void dismiss(std::optional<Child>& child, std::chrono::seconds time);
  void bury(std::optional<Child>& child);
  void bury_current();
  void bury_dismissed();
  void dismiss_previous();
  void restore_previous();
  void look_at_processes();
  void reap();

  // proxy_check.cc
  void start_check(const Query& query);
  void start_exemption(const Query& query);
  template <class Start>
  void start(const char* to_do, Start start);
  void hear_check();
  void stop_check();
  void end_check(CheckAnswer answer);

  void expire_limit();
  void stop_waiting_for_ends();

  const Config& config_;
  Session& session_;
  Os& os_;
  char* const* argv_;
  std::vector<char*> environment_;  // of the next prog

  std::vector<pollfd> watched_;
  std::vector<Handler> handlers_;  // one for each of them
  int exit_code_;

  struct Client {
    bool is_socket;
    bool input_open = true, output_open = true;
    bool descriptors_open = true;
    bool lingers = false;  // is listened to for a while, after the session
  };
  Client client_;

  struct Children {
    std::optional<Child> current;    // the one the session speaks to
    std::optional<Child> previous;   // set aside while a new one comes up
    std::optional<Child> dismissed;  // told to go
    Time dismissed_deadline = never;
    bool started = false;            // one was, ever
    bool close_input = false;        // of the current one, once it has what waits for it
  };
  Children children_;

  struct Check {
    std::unique_ptr<RunningCheck> running;
    std::unique_ptr<RunningCheck> past;  // has given its answer, and is about to end
    std::string what;                    // it is, for the log
    CheckAnswer otherwise;               // the answer, where it gives none
    Time deadline = never;
  };
  Check check_;

  struct Tls {
    OwnDescriptor socket;  // until the client is handed over: then it is the client
    OwnProcess process;
    bool speaks = true;          // has more to say before that
    bool handing_over = false;   // as soon as the client has its replies
    bool ended = false;
  };
  std::optional<Tls> tls_;

  struct Limit {
    unsigned long number = 0;
    Time deadline = never;
  };
  Limit limit_;

  struct End {
    Time time;            // when the session was over
    Time child_deadline;
  };
  std::optional<End> end_;
};

}  // namespace spf
