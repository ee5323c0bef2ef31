// What is fuzzed. Each of these takes any octets, makes of them whatever the
// part it drives may meet, and throws Broken where that part does not keep its
// word. libfuzzer.cc makes a libFuzzer program of one of them; fuzz_test.cc
// runs them all for a moment.
#pragma once

#include <stdexcept>
#include <string_view>

namespace fuzz {

struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

inline void require(bool condition, const char* what) {
  if (!condition) throw Broken(what);
}

void session(std::string_view data);  // a whole dialogue, with models on both sides
void path(std::string_view data);     // MAIL and RCPT, against how servers read them
void reply(std::string_view data);    // a child's replies, and ours
void header(std::string_view data);   // header, variables and log line
void record(std::string_view data);   // the grammar of SPF records
void engine(std::string_view data);   // a whole check, with hostile DNS
void exemption(std::string_view data);  // what lets through, with hostile DNS
void message(std::string_view data);  // one DNS message
void fields(std::string_view data);   // header fields taken out of a message
void log(std::string_view data);      // a log, and the tables of it

}  // namespace fuzz
