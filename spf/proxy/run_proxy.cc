#include "spf/proxy/run_proxy.hh"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "spf/base/own_address.hh"
#include "spf/base/process.hh"
#include "spf/base/environment.hh"
#include "spf/dialogue/session.hh"
#include "spf/proxy/annotation_file.hh"
#include "spf/proxy/kernel.hh"
#include "spf/proxy/proxy.hh"

namespace spf {
namespace {

std::string value_of(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// SPFANNOTATE=queue: prog runs spfqueue where it would have run another program.
class QueueProgram {
 public:
  // Throws std::system_error where it can't be had.
  QueueProgram() {
    const std::string spfqueue = beside_this_program("spfqueue");
    if (access(spfqueue.c_str(), X_OK) != 0)
      throw std::system_error(errno, std::generic_category(), spfqueue);
    std::string next = value_of("QMAILQUEUE");
    if (same_file(next, spfqueue)) next = value_of("SPFQUEUE");
    if (next.empty()) next = CONF_QMAIL "/bin/qmail-queue";
    variables_ = {"QMAILQUEUE=" + spfqueue, "SPFQUEUE=" + next,
                  "SPFFD=" + std::to_string(annotations_.reader())};
  }

  AnnotationFile& annotations() { return annotations_; }

  // As long as this lives.
  void add_to(std::vector<char*>& environment) {
    constexpr std::array<std::string_view, 3> names = {"QMAILQUEUE", "SPFQUEUE", "SPFFD"};
    std::erase_if(environment, [&](const char* entry) { return sets_one_of(entry, names); });
    for (std::string& variable : variables_) environment.push_back(variable.data());
  }

 private:
  AnnotationFile annotations_;
  std::vector<std::string> variables_;
};

}  // namespace

void run_proxy(Config config, char* const* argv, std::vector<char*> environment) {
  // A closed descriptor 0, 1 or 2 must not become a pipe of ours.
  for (int fd; (fd = open("/dev/null", O_RDWR)) >= 0;)
    if (fd > 2) {
      close(fd);
      break;
    }
  std::optional<QueueProgram> queue;
  std::string problem;
  if (config.annotate == Annotate::queue) try {
      queue.emplace();
      queue->add_to(environment);
    } catch (const std::system_error& error) {
      problem = std::string("SPFANNOTATE=queue: ") + error.what() + "; acting as with data";
      config.annotate = Annotate::data;
    }
  Kernel kernel(config, queue ? &queue->annotations() : nullptr);
  if (!problem.empty()) kernel.warn(problem);
  Session session(config, getpid(), is_own_address);
  const int code = Proxy(config, session, kernel, argv, std::move(environment)).run();
  kernel.exit(code);  // the proxy is gone by now, and has reaped whom it started
}

}  // namespace spf
