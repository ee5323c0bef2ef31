// How real servers read the argument of MAIL or RCPT, written down from their
// sources: each as lenient as it can be configured. And which mailboxes may go
// to them, by a recogniser that has nothing from ours.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fuzz {

enum class Server { qmail, mailfront, postfix, exim };
inline constexpr Server servers[] = {Server::qmail, Server::mailfront, Server::postfix, Server::exim};

struct ReadMailbox {
  std::string local;   // without quotes and backslashes
  std::string domain;  // "" for none
  bool operator==(const ReadMailbox&) const = default;
};

// Nothing, where the server refuses it. `me` is what qmail puts in the place of
// `own`, an IPv4 address of this machine, in a literal: it reads numbers with
// any zeros before them, and of each the last eight bits.
std::optional<ReadMailbox> read_path(std::string_view argument, Server server, std::string_view own = "",
                                     std::string_view me = "");

// Whether `mailbox` is a sender or recipient that all of them read alike.
bool is_read_alike(std::string_view mailbox);

// That mailbox, read by RFC 5321 section 4.1.2.
ReadMailbox by_the_book(std::string_view mailbox);

}  // namespace fuzz
