// Message and envelope on their way to the queue program.
#pragma once

#include <string_view>
#include <vector>

namespace spf {

// What spfqueue exits with besides what the queue program does; they mean the
// same in qmail-queue(8), and all are temporary to an SMTP server.
enum QueueExit {
  queue_no_memory = 51,
  queue_write_error = 53,
  queue_read_error = 54,
  queue_bug = 81,  // a signal ended the queue program, too
  queue_no_program = 120,
};

// Runs argv[0], looked up in PATH, with the entries of `environment`. On its 0 it
// gets `header` (whole fields) and the message from ours, on its 1, after
// the whole message and not before, the envelope from ours. Where one of these
// can't be read or is not taken it gets no end of the envelope: it has nothing
// then that it could queue. Ignores SIGPIPE from then on, in this process alone.
// Returns what to exit with, once the program has ended. Throws
// std::system_error when it can't be run.
int hand_over(char* const* argv, std::vector<char*> environment, std::string_view header);

}  // namespace spf
