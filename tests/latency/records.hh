// The records that make latency checks, from the file beside this one.
#pragma once

#include <string>
#include <vector>

#include "tests/support/dns_server.hh"

namespace latency {

struct Record {
  std::string name;
  std::string result;   // that a check has
  unsigned trips = 0;   // round trips that its questions need, one after another
  std::string guess;    // spfguess, "" where there is none
  bool both = false;    // the HELO name is judged too, as with SPFHELO, by those who can

  std::string helo() const { return "mail." + name + ".example"; }
  std::string sender() const { return "joe@" + name + ".example"; }
};

inline constexpr const char* client = "192.0.2.1";

struct Records {
  std::vector<Record> all;
  std::vector<std::vector<std::string>> zone;  // owner, type, data

  void publish(DnsServer& server) const;
  // Throws std::runtime_error where there is none.
  const Record& find(const std::string& name) const;
};

// Throws std::runtime_error, which names the line.
Records read_records(const std::string& path = "tests/latency/records");

}  // namespace latency
