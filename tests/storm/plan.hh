// What one session of the storm does, all of it decided by a seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tests/support/process.hh"

namespace storm {

struct Message {
  std::string id;
  std::string sender;    // its domain's name; see zone() of storm.cc
  std::string result;    // what SPF says of it
  bool refused = false;  // at the plan's level
  bool bare_lf = false;  // somewhere in it: it must not be taken
  bool reset = false;    // RSET comes first
  unsigned recipients = 1;
  std::string content;   // with the line X-Storm: ID in it
};

// Where something happens: in which message, and how far in it.
struct Point {
  enum Stage { never, before, commands, body, after_dot } stage = never;
  std::size_t message = 0;
  unsigned promille = 0;  // of the text of that stage
  bool at(std::size_t m, Stage s) const { return stage == s && message == m; }
};

struct Plan {
  std::uint64_t number = 0;
  int level = 1;
  std::string fault;          // CHILD_FAULT
  bool short_timeout = false; // a hanging child is given up soon
  bool header = true;         // SPFANNOTATE=data, or env
  bool queue = false;         // SPFANNOTATE=queue
  std::string queue_fault;    // QUEUE_FAULT
  bool split = false;         // the child writes octet by octet
  bool log_full = false;
  bool pipelining = false;    // MAIL, RCPT and DATA in one piece
  bool ahead = false;         // the next message's commands behind the dot
  bool half_close = false;    // no QUIT, and replies awaited to the end
  std::size_t piece = 65536;
  Point leave;                // the client closes
  Point stop;                 // SIGTERM
  Point children;             // a hundred SIGCHLD
  std::vector<Message> messages;
};

Plan make_plan(std::uint64_t seed, std::uint64_t number);

}  // namespace storm
