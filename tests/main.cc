// The one Catch2 main. A room's tests are one program; called by a test file's name
// it runs the cases of that file. Without arguments, as prove calls it, it prints
// TAP; with arguments it is an ordinary Catch2 program.
//
// A case tagged [waits] does little but wait until some time is over. Under
// prove all those of a program wait side by side, each in a process of its own,
// while one more runs the other cases.
#define CATCH_CONFIG_RUNNER
#include "tests/tap_reporter.hh"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

// Some of the cases in a process of their own, and the TAP that it wrote.
struct Part {
  std::string cases;  // as Catch2 wants them named
  int tap = -1;
  pid_t pid = -1;
};

// A title as Catch2 wants it on its command line, where a comma ends one.
std::string escaped(const std::string& title) {
  std::string result;
  for (const char c : title) {
    if (std::string_view("\\,[]\"").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

// The test file whose name this program was called by; "" if it was called by its own.
std::string test_file(const std::string& called) {
  const std::string name = called.substr(called.rfind('/') + 1);
  return name == "tests" ? "" : name;
}

bool in_file(const Catch::TestCaseInfo& info, const std::string& file) {
  return file.empty() || std::string_view(info.lineInfo.file).ends_with("/" + file + ".cc");
}

std::vector<Part> parts(const std::string& file) {
  std::vector<Part> all;
  bool others = false;
  for (const auto& test : Catch::getRegistryHub().getTestCaseRegistry().getAllTests()) {
    const auto& info = test.getTestCaseInfo();
    if (!in_file(info, file)) continue;
    const bool waits = info.tagsAsString().find("[waits]") != std::string::npos;
    if (waits) all.push_back({escaped(info.name)});
    others = others || !waits;
  }
  if (others) all.push_back({"~[waits]"});
  return all;
}

int run(const std::string& file, std::vector<const char*> arguments) {
  Catch::Session session;
  if (const int error = session.applyCommandLine(static_cast<int>(arguments.size()), arguments.data())) return error;
  if (!file.empty()) {
    auto& config = session.configData();
    config.filenamesAsTags = true;
    if (config.testsOrTags.empty()) config.testsOrTags.push_back("");
    for (std::string& cases : config.testsOrTags) cases += "[#" + file + "]";
  }
  return session.run();
}

// Prints what a part wrote; how many results that were.
unsigned print(const Part& part) {
  lseek(part.tap, 0, SEEK_SET);
  FILE* in = fdopen(part.tap, "r");
  char* line = nullptr;
  unsigned count = 0;
  for (std::size_t size = 0; getline(&line, &size, in) > 0;) {
    const std::string_view text = line;
    count += text.starts_with("ok ") || text.starts_with("not ok ");
    fputs(line, stdout);
  }
  free(line);
  fclose(in);
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  // Memory that was had is kept: on a virtual machine it costs much to get it again.
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  const std::string file = test_file(argv[0]);
  if (argc > 1) return run(file, {argv, argv + argc});
  std::vector<Part> all = parts(file);
  for (Part& part : all) {
    part.tap = memfd_create("tap", MFD_CLOEXEC);  // which no program under test inherits
    part.pid = fork();
    if (part.tap == -1 || part.pid == -1) throw std::runtime_error("memfd_create or fork");
    if (part.pid != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(part.tap, STDOUT_FILENO);
    return run(file, {argv[0], "-r", "cases", part.cases.c_str()});
  }

  unsigned count = 0;
  bool failed = false;
  for (const Part& part : all) {
    int status = -1;
    waitpid(part.pid, &status, 0);
    const unsigned results = print(part);
    const bool ended = WIFEXITED(status) && results > 0;
    if (!ended) printf("not ok - %s: run to the end\n", part.cases.c_str());
    count += results + !ended;
    failed = failed || !ended || WEXITSTATUS(status) != 0;
  }
  printf("1..%u\n", count);
  return failed;
}
