// spfqueue [prog [arg ...]]: stands where qmail-queue does, and puts the header
// fields of an SPF check on top of the message. See spfqueue(8).

#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "spf/base/header_field.hh"
#include "spf/base/log.hh"
#include "spf/base/environment.hh"
#include "spf/base/process.hh"
#include "spf/base/sanitise.hh"
#include "spf/base/usage.hh"
#include "spf/dialogue/variables.hh"
#include "spf/dialogue/annotation.hh"
#include "spf/queue/handover.hh"

namespace {

constexpr spf::Usage usage = {
    "spfqueue", "[ prog [ arg ... ] ]",
    "Stands where qmail-queue does: the message on descriptor 0, the envelope on 1. Puts the\n"
    "header fields of an SPF check on top of the message, and runs prog, normally\n"
    "qmail-queue. SPFANNOTATE=queue has spfwrap set it up. See spfqueue(8)."};

std::string_view value_of(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : std::string_view();
}

// What is behind SPFFD, wherever others that share the descriptor have read to.
// Nothing where that is not the whole of an annotation.
std::optional<spf::Annotation> read_annotation(std::string_view number) {
  int fd = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), fd);
  if (error != std::errc() || end != number.data() + number.size()) return {};
  static char octets[spf::max_annotation + 1];
  std::size_t size = 0;
  while (size < sizeof octets) {
    const ssize_t count = pread(fd, octets + size, sizeof octets - size, size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {};
    if (count == 0) break;
    size += count;
  }
  return spf::decode_annotation({octets, size});
}

// With SPFANNOTATE=env, or where somebody else has set the variables. These are
// in the environment already.
std::string header_from_environment() {
  std::string header;
  const auto add = [&header](const char* name, std::string_view value) {
    if (!value.empty())
      header += spf::folded_field(name, spf::printable(value, spf::max_variable));
  };
  if (value_of("SPFHEADERTYPE") != "ar") add("Received-SPF", value_of("SPFHEADER"));
  add("Authentication-Results", value_of("SPFAUTHRESULTS"));
  return spf::without_cr(header);
}

// Whether this very program would be run again.
bool is_spfqueue(const std::string& prog) {
  const std::string self(reinterpret_cast<const char*>(getauxval(AT_EXECFN)));
  if (prog.find('/') == prog.npos) return prog == self.substr(self.rfind('/') + 1);
  return spf::same_file(prog, self);
}

std::string queue_program() {
  std::string prog(value_of("SPFQUEUE"));
  if (prog.empty() || is_spfqueue(prog)) prog = CONF_QMAIL "/bin/qmail-queue";
  return prog;
}

// What prog finds of ours, and of what led here, is what belongs to this message
// and nothing that leads here again.
std::vector<char*> environment_for_prog(bool without_verdict) {
  constexpr std::array<std::string_view, 3> ways_here = {"SPFFD", "SPFQUEUE", "QMAILQUEUE"};
  std::vector<char*> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (spf::sets_one_of(*entry, ways_here)) continue;
    if (without_verdict && spf::sets_one_of(*entry, spf::variable_names)) continue;
    result.push_back(*entry);
  }
  return result;
}

int run(char** arguments) {
  const std::string_view number = value_of("SPFFD");
  spf::Annotation annotation;
  if (number.empty()) {
    annotation.header = header_from_environment();
  } else if (auto found = read_annotation(number)) {
    annotation = *std::move(found);
  } else {
    spf::write_fatal("unable to read what descriptor " + std::string(number) + " (SPFFD) should have");
    return spf::queue_bug;
  }

  std::vector<char*> environment = environment_for_prog(!number.empty());
  for (std::string& variable : annotation.variables) environment.push_back(variable.data());
  std::string prog, itself;
  char* default_arguments[] = {nullptr, nullptr};
  if (!*arguments) {
    prog = queue_program();
    default_arguments[0] = prog.data();
    arguments = default_arguments;
    if (std::getenv("QMAILQUEUE")) environment.push_back((itself = "QMAILQUEUE=" + prog).data());
  }
  if (!annotation.header.empty())
    return spf::hand_over(arguments, std::move(environment), annotation.header);
  environment.push_back(nullptr);
  execvpe(arguments[0], arguments, environment.data());
  throw std::system_error(errno, std::generic_category(), arguments[0]);
}

}  // namespace

int main(int argc, char** argv) {
  spf::set_program_name("spfqueue");
  if (const auto answered = spf::answer_about(usage, argc, argv)) return *answered;
  try {
    return run(argc > 0 ? argv + 1 : argv);
  } catch (const std::bad_alloc&) {
    spf::write_fatal("out of memory");
    return spf::queue_no_memory;
  } catch (const std::system_error& error) {
    spf::write_fatal(std::string("unable to run the queue program: ") + error.what());
    return error.code() == std::errc::not_enough_memory ? spf::queue_no_memory : spf::queue_no_program;
  }
}
