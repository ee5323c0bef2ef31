#include "spf/base/usage.hh"

#include "spf/base/exit_code.hh"
#include "spf/base/lines.hh"
#include "spf/base/read_write.hh"

namespace spf {
namespace {

// The ways to call it, one below the other.
std::string synopsis(const Usage& usage, std::string start) {
  std::string text;
  for (const std::string_view line : lines_of(usage.arguments)) {
    if (!text.empty()) text += '\n';
    text.append(start).append(usage.program).append(" ").append(line);
    start.assign(start.size(), ' ');
  }
  return text;
}

}  // namespace

std::optional<int> answer_about(const Usage& usage, int argc, char** argv) {
  if (argc < 2) return {};
  const std::string_view asked = argv[1];
  std::string text;
  if (asked == "--version")
    text.append(usage.program).append(" " SPF_VERSION "\n");
  else if (asked == "--help")
    text.append(synopsis(usage, "usage: ")).append("\n\n").append(usage.about).append("\n");
  else
    return {};
  return write_all(1, text) ? 0 : system_trouble;
}

std::string usage_message(const Usage& usage) {
  return synopsis(usage, std::string(usage.program) + ": usage: ");
}

}  // namespace spf
