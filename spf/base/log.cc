#include "spf/base/log.hh"

#include <string>

#include "spf/base/read_write.hh"
#include "spf/base/sanitise.hh"

namespace spf {
namespace {

constexpr std::size_t max_line = 1000;

std::string_view program_name = "spfwrap";

void write_message(std::string_view kind, std::string_view what) {
  std::string line(program_name);
  line += kind;
  write_log(line + printable(what, max_line));
}

}  // namespace

void write_log(std::string_view line) {
  std::string whole(line);
  whole += '\n';
  write_all(2, whole);
}

void set_program_name(std::string_view name) { program_name = name; }

void write_warning(std::string_view what) { write_message(": warning: ", what); }

void write_warning(long pid, std::string_view what) {
  write_message(": warning: pid " + std::to_string(pid) + ": ", what);
}

void write_fatal(std::string_view what) { write_message(": fatal: ", what); }

}  // namespace spf
