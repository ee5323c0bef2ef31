// The syntax of a Received-SPF header, read by RFC 7208 section 9.1 and RFC
// 5322 section 3.2 and nothing of ours.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fuzz {

struct ReceivedSpf {
  std::string result;
  std::string comment;                                      // without its brackets and escapes
  std::vector<std::pair<std::string, std::string>> pairs;  // values without quotes and escapes
};

// Reads a whole field with its name and CRLF. Nothing, if it is none.
std::optional<ReceivedSpf> read_received_spf(std::string_view field);

}  // namespace fuzz
