// How much work one session may make.
#include <string>

#include "tests/catch.hh"
#include "tests/support/transcript.hh"

namespace {

using transcript::hello;

// A MAIL that is refused, whose check takes so many milliseconds of CPU time.
std::string refused(const std::string& cpu_time = "0") {
  return R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,client.example = fail example.org -all )" + cpu_time + R"(
  < 250 ok
)";
}

const std::string deferred = R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,client.example = temperror example.org
  ! log 451
  < 451 SPF lookup failure (#4.3.0)
)";

const std::string malformed = R"(
  > MAIL a@b
  < 501 syntax: MAIL FROM:<address> (#5.5.4)
)";

const std::string too_many = R"(
  > MAIL FROM:<a@example.org>
  < 421 too many messages in one session (#4.7.0)
  ! finish
)";

const std::string too_much = R"(
  > MAIL FROM:<a@example.org>
  < 421 too much work in one session (#4.7.0)
  ! finish
)";

std::string repeated(const std::string& text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

std::string played(const std::string& text) {
  return transcript::play(text, transcript::config(), std::string::npos);
}

}  // namespace

TEST_CASE("a session has a thousand MAILs, refused ones too") {
  CHECK(played(hello + repeated(refused(), 1000) + too_many) == "");
  CHECK(played(hello + repeated(refused() + deferred, 500) + too_many) == "");
  // Those that are no MAIL make no work.
  CHECK(played(hello + repeated(refused() + malformed, 999) + refused() + malformed + too_many) == "");
}

TEST_CASE("those that are let through are a thousand too, each with a start of prog") {
  std::string text = hello;
  for (int i = 0; i < 1000; ++i) {
    const std::string result = i % 2 ? "pass" : "neutral";
    text += R"(
  > MAIL FROM:<a@example.org>
  ? a@example.org,client.example = )" + result + R"( example.org mx
  ! start )" + result + R"(
  - 220 child ESMTP
  + EHLO client.example
  - 250 child
  ! dismiss
  ! log 250
  + MAIL FROM:<a@example.org>
  - 250 sender ok
  < 250 sender ok
)";
  }
  CHECK(played(text + too_many) == "");
}

TEST_CASE("a client that is not checked has a thousand MAILs too") {
  const std::string authenticated = hello + R"(
    > AUTH PLAIN AGEAYg==
    + AUTH PLAIN AGEAYg==
    - 235 ok
    < 235 ok
  )";
  const std::string mail = R"(
    > MAIL FROM:<a@example.org>
    + MAIL FROM:<a@example.org>
    - 250 ok
    < 250 ok
    > RSET
    + RSET
    - 250 ok
    < 250 ok
  )";
  CHECK(played(authenticated + repeated(mail, 1000) + too_many) == "");
}

TEST_CASE("a session has ten seconds of CPU time for its checks, whatever they find") {
  CHECK(played(hello + repeated(refused("1000"), 11) + too_much) == "");
  CHECK(played(hello + refused("10001") + too_much) == "");
  CHECK(played(hello + refused("10000") + refused("1") + too_much) == "");
  CHECK(played(hello + repeated(refused("10"), 1000) + too_many) == "");  // ten seconds are not over
  // What is not checked is not stopped by it: the dialogue goes on.
  CHECK(played(hello + refused("20000") + R"(
    > NOOP
    + NOOP
    - 250 ok
    < 250 ok
  )" + too_much) == "");
}
