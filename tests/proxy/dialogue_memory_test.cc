// What is in the memory of the process that evaluates what strangers publish.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/catch.hh"
#include "tests/support/name_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// The process among spfwrap's children that is spfwrap too: the evaluator.
[[maybe_unused]] pid_t evaluator_of(pid_t spfwrap) {
  const auto exe = [](pid_t pid) {
    char path[4096];
    const ssize_t size = readlink(("/proc/" + std::to_string(pid) + "/exe").c_str(), path, sizeof path);
    return std::string(path, size > 0 ? std::size_t(size) : 0);
  };
  pid_t found = 0;
  wait_until([&] {
    const std::string task = "/proc/" + std::to_string(spfwrap) + "/task/" + std::to_string(spfwrap);
    std::string children = read_file(task + "/children");
    for (char* rest = children.data(); const pid_t child = pid_t(std::strtol(rest, &rest, 10));)
      if (exe(child) == exe(spfwrap)) found = child;
    return found != 0;
  });
  return found;
}

// Whether the process has this text anywhere in memory that it may read.
[[maybe_unused]] bool has_in_memory(pid_t pid, const std::string& text) {
  const std::string maps = read_file("/proc/" + std::to_string(pid) + "/maps");
  std::FILE* const memory = std::fopen(("/proc/" + std::to_string(pid) + "/mem").c_str(), "r");
  REQUIRE(memory != nullptr);
  bool found = false;
  for (std::size_t begin = 0, end; (end = maps.find('\n', begin)) != maps.npos; begin = end + 1) {
    unsigned long first, last;
    char readable;
    if (std::sscanf(maps.c_str() + begin, "%lx-%lx %c", &first, &last, &readable) != 3 || readable != 'r') continue;
    std::string octets(last - first, '\0');
    if (std::fseek(memory, long(first), SEEK_SET) != 0) continue;
    octets.resize(std::fread(octets.data(), 1, octets.size(), memory));
    found = found || octets.find(text) != octets.npos;
  }
  std::fclose(memory);
  return found;
}

}  // namespace

TEST_CASE("the evaluator has neither spfwrap's environment nor what passed through its buffers") {
  if (left_out(sanitized(), "a sanitizer has memory without end")) return;
  const SilentNameServer silent;
  Environment more = silent.environment();
  more["PASSWORD_OF_SOMETHING"] = "mark-in-the-environment";
  more["SPFTIMEOUT"] = "60";
  Wrapped spfwrap(level("2", more));
  spfwrap.hello();
  CHECK(spfwrap.ask("MAIL FROM:<a@[192.0.2.9]>") == "250 ok");  // needs no DNS
  CHECK(spfwrap.talk({"RCPT TO:<b@example.org>", "DATA"}) == "250 ok\n354 go ahead\n");
  CHECK(spfwrap.ask("Subject: x\r\n\r\nmark-in-the-message\r\n.").starts_with("250 "));
  spfwrap.client().send("MAIL FROM:<mark-in-the-sender@pass.example.org>\r\n");
  const pid_t evaluator = evaluator_of(spfwrap.process().pid());
  REQUIRE(evaluator != 0);
  // It has closed what it does not need: then it has begun to evaluate.
  wait_until([&] { return !descriptors(evaluator).contains(2); });
  for (const char* mark : {"mark-in-the-environment", "mark-in-the-message", "mark-in-the-sender"}) {
    INFO(mark);
    CHECK(has_in_memory(spfwrap.process().pid(), mark));
    CHECK(has_in_memory(evaluator, mark) == (mark == std::string("mark-in-the-sender")));
  }
  spfwrap.process().signal(SIGTERM);
  CHECK(spfwrap.finish() == 0);
}
