// The programs that are measured. Each check is a process of its own, which
// takes its own time and says one line.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/latency/records.hh"

namespace latency {

struct Task {
  unsigned number = 0;
  const Record* record = nullptr;
  std::vector<std::string> servers;  // addresses, all at `port`
  unsigned port = 0;
};

// A result, or what else it was, and how long it took.
struct Outcome {
  unsigned number = 0;
  std::string result;
  double milliseconds = 0;
};

// As a line, and back; nothing for other text.
std::string line_of(const Outcome& outcome);
std::optional<Outcome> outcome_of(const std::string& line);

class Checker {
 public:
  virtual ~Checker() = default;
  virtual const char* name() const = 0;
  // Begins a check, which will write the line of its outcome to the descriptor
  // that the checker was made with. It always ends within `longest` seconds.
  virtual void start(const Task& task) = 0;
  static constexpr unsigned longest = 120;
};

// spfwrap's evaluator, behind its wall, as the proxy starts it; SPFTIMEOUT 20.
std::unique_ptr<Checker> make_spfwrap(int out);
// libspf2's spfquery asks the servers in /etc/resolv.conf, so that each has a
// mount namespace of its own: needs test::enter_namespaces().
std::unique_ptr<Checker> make_spfquery(int out);
// pyspf with dnspython, in a process that is forked for each check.
std::unique_ptr<Checker> make_pyspf(int out);

// The same, in the process that calls it.
Outcome check_by_spfwrap(const Task& task);

}  // namespace latency
