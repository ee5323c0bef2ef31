// Runs of spfcheck against a DNS server of the test's own.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include "tests/support/dns_server.hh"
#include "tests/support/process.hh"

namespace test {

class Spfcheck {
 public:
  Spfcheck() {
    settings_ = {{"CONTROLDIR", "/nonexistent"},
                 {"TCPLOCALHOST", "mx.local"},
                 {"NAMESERVERS", dns.address()},
                 {"RES_OPTIONS", "port:" + std::to_string(dns.port())}};
  }

  Finished run(Arguments arguments, const Environment& more = {}) const {
    Environment environment = settings_;
    for (const auto& [name, value] : more) environment[name] = value;
    arguments.insert(arguments.begin(), program("spfcheck"));
    return test::run(arguments, environment);
  }

  DnsServer dns;

 private:
  Environment settings_;
};

// What spfcheck printed, with an n for each number of milliseconds.
inline std::string masked(std::string text) {
  for (std::size_t at = 0; (at = text.find(" ms", at)) != text.npos; ++at) {
    std::size_t begin = at;
    while (begin > 0 && std::isdigit(static_cast<unsigned char>(text[begin - 1]))) --begin;
    text.replace(begin, at - begin, "n");
    at = begin + 1;
  }
  return text;
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != text.npos;
}

// Whether a terminal shows it as it is: lines of printable ASCII.
inline bool is_harmless(const std::string& text) {
  for (const char c : text)
    if (c != '\n' && (c < ' ' || c > '~')) return false;
  return true;
}

inline std::size_t longest_line(const std::string& text) {
  std::size_t longest = 0;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != text.npos; begin = end + 1)
    longest = std::max(longest, end - begin);
  return longest;
}

}  // namespace test
