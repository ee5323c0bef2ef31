// What this program says on descriptor 2, a line at a time.
#pragma once

#include <string_view>

namespace spf {

// Writes the line in one piece. Where it can't be written it is lost: mail
// does not stop because a log does.
void write_log(std::string_view line);

// The name that messages begin with: "spfwrap" until a main gives another,
// which must be a literal.
void set_program_name(std::string_view name);

// "spfwrap: warning: what", "spfwrap: fatal: what".
void write_warning(std::string_view what);
// "spfwrap: warning: pid P: what". P is the pid= of the connection's log lines,
// so that what belongs to it is found together.
void write_warning(long pid, std::string_view what);
void write_fatal(std::string_view what);

}  // namespace spf
