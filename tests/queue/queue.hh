// spfqueue before the queue program of tests/programs, with a message and an
// envelope to queue.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "spf/dialogue/annotation.hh"
#include "tests/support/process.hh"
#include "tests/support/temp_dir.hh"

namespace test {

inline const std::string usual_envelope("Fa@example.org\0Tb@mx.local\0Tc@mx.local\0\0", 40);
inline const std::string usual_message = "Received: from x\nSubject: y\n\nbody\n";
inline const spf::Annotation usual_annotation = {
    {"SPFRESULT=pass", "SPFHEADER=pass (x)"}, "Received-SPF: pass (x)\nAuthentication-Results: mx; spf=pass\n"};

// A queued message as the queue program keeps it.
struct QueuedMessage {
  std::string envelope, environment, message;
};

class Queue {
 public:
  Queue() {
    files_.make_directory("tmp");
    files_.make_directory("new");
  }

  const TempDir& files() const { return files_; }
  static std::string prog() { return test_program("queue_program"); }

  // What spfqueue is to find in its environment, with these.
  Environment environment(Environment more = {}) const {
    more.insert({"QUEUE", files_.path()});
    more.insert({"SPFQUEUE", prog()});
    return more;
  }

  std::vector<QueuedMessage> queued() const {
    std::vector<QueuedMessage> result;
    for (const auto& entry : std::filesystem::directory_iterator(files_.file("new"))) {
      std::string text = read_file(entry.path());
      const auto envelope = text.find(std::string("\0\0\n", 3)), end = text.find("\n\n", envelope + 2);
      const auto environment = envelope + 3;
      result.push_back({text.substr(0, envelope + 2),
                        end < environment ? "" : text.substr(environment, end + 1 - environment), {}});
      result.back().message = std::move(text.erase(0, end + 2));
    }
    return result;
  }

 private:
  TempDir files_;
};

// `text` in a file, open at its start.
inline Fd opened(const TempDir& files, const char* name, std::string_view text) {
  return Fd(open(files.write(name, text).c_str(), O_RDONLY | O_CLOEXEC));
}

// A descriptor of 10 or above that what we start inherits, and its number.
class Inherited {
 public:
  explicit Inherited(int fd) : fd_(fcntl(fd, F_DUPFD, 10)) {}
  std::string number() const { return std::to_string(fd_.get()); }

 private:
  Fd fd_;
};

}  // namespace test
