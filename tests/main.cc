// The one Catch2 main. Called without arguments, as prove does, a test program
// prints TAP; with arguments it is an ordinary Catch2 program.
#define CATCH_CONFIG_RUNNER
#include "tests/catch.hh"

int main(int argc, char** argv) {
  const char* tap[] = {argv[0], "-r", "tap"};
  return argc > 1 ? Catch::Session().run(argc, argv) : Catch::Session().run(3, tap);
}
