#include "spf/message.hh"

#include <unistd.h>

#include <cerrno>
#include <string>

#include "spf/sanitise.hh"

namespace spf {
namespace {

constexpr std::size_t max_line = 1000;

}  // namespace

void write_log(std::string_view line) {
  std::string whole(line);
  whole += '\n';
  std::string_view rest = whole;
  while (!rest.empty()) {
    const ssize_t count = write(2, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    rest.remove_prefix(count);
  }
}

void write_warning(std::string_view what) {
  write_log("spfwrap: warning: " + printable(what, max_line));
}

void write_fatal(std::string_view what) {
  write_log("spfwrap: fatal: " + printable(what, max_line));
}

}  // namespace spf
