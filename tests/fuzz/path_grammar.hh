// Which mailboxes all servers read alike, by a recogniser that has nothing from
// ours, and how they read them.
#pragma once

#include <string>
#include <string_view>

namespace fuzz {

struct ReadMailbox {
  std::string local;   // without quotes and backslashes
  std::string domain;  // "" for none
  bool operator==(const ReadMailbox&) const = default;
};

// Whether `mailbox` is a sender or recipient that all of them read alike.
bool is_read_alike(std::string_view mailbox);

// That mailbox, read by RFC 5321 section 4.1.2.
ReadMailbox by_the_book(std::string_view mailbox);

}  // namespace fuzz
