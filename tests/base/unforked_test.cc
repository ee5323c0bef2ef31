// Memory that processes we fork don't have, and the environment there.
#include "spf/base/unforked.hh"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <new>
#include <string>

#include "tests/catch.hh"

using namespace spf;

namespace {

// The wait status of a fork that does `what` and ends with exit code 0.
int forked(const std::function<void()>& what) {
  const pid_t pid = fork();
  if (pid == 0) {
    // Not the handlers of the tests and of the sanitizers.
    for (const int fault : {SIGSEGV, SIGBUS}) signal(fault, SIG_DFL);
    what();
    _exit(0);
  }
  int status = -1;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return status;
}

}  // namespace

TEST_CASE("unforked memory is zero, writable, and not there after a fork") {
  const std::span<char> memory = map_unforked(10'000);
  REQUIRE(memory.size() == 10'000);
  CHECK(std::count(memory.begin(), memory.end(), '\0') == 10'000);
  memory.back() = 'x';
  const int status = forked([&] { _exit(memory.back() == 'x' ? 1 : 2); });
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSEGV);
  CHECK(memory.back() == 'x');
  CHECK(munmap(memory.data(), memory.size()) == 0);
}

TEST_CASE("more memory than there can be is an error") {
  CHECK_THROWS_AS(map_unforked(std::size_t{1} << 62), std::bad_alloc);
}

TEST_CASE("the environment moves, and works as before") {
  REQUIRE(setenv("MOVED_ONE", "first", 1) == 0);
  REQUIRE(setenv("MOVED_EMPTY", "", 1) == 0);
  const char* const old = getenv("MOVED_ONE");
  REQUIRE(old != nullptr);
  std::string before;
  for (char** entry = environ; *entry; ++entry) before += std::string(*entry) + "\n";

  move_environment_to_unforked();
  std::string after;
  for (char** entry = environ; *entry; ++entry) after += std::string(*entry) + "\n";
  CHECK(after == before);
  CHECK(std::string(old) == "");
  REQUIRE(getenv("MOVED_ONE") != nullptr);
  CHECK(getenv("MOVED_ONE") == std::string("first"));
  REQUIRE(getenv("MOVED_EMPTY") != nullptr);
  CHECK(getenv("MOVED_EMPTY") == std::string());

  SECTION("moving it again changes nothing") {
    char** const place = environ;
    move_environment_to_unforked();
    CHECK(environ == place);
  }
  SECTION("exec hands it on") {
    FILE* const shell = popen("echo \"$MOVED_ONE\"", "r");
    REQUIRE(shell != nullptr);
    char line[10] = {};
    CHECK(std::fgets(line, sizeof line, shell) != nullptr);
    CHECK(line == std::string("first\n"));
    CHECK(pclose(shell) == 0);
  }
  SECTION("a fork has none") {
    const char* const here = getenv("MOVED_ONE");
    CHECK(WIFSIGNALED(forked([&] { _exit(*here == 'f' ? 1 : 2); })));
    CHECK(forked([] {
      environ = nullptr;
      if (getenv("MOVED_ONE") != nullptr) _exit(1);
    }) == 0);
  }
  SECTION("what is set later moves too") {
    REQUIRE(setenv("MOVED_LATER", "second", 1) == 0);
    const char* const later = getenv("MOVED_LATER");
    move_environment_to_unforked();
    CHECK(std::string(later) == "");
    REQUIRE(getenv("MOVED_LATER") != nullptr);
    CHECK(getenv("MOVED_LATER") == std::string("second"));
    CHECK(getenv("MOVED_ONE") == std::string("first"));
    REQUIRE(unsetenv("MOVED_LATER") == 0);
  }
  REQUIRE(unsetenv("MOVED_ONE") == 0);
  REQUIRE(unsetenv("MOVED_EMPTY") == 0);
}
