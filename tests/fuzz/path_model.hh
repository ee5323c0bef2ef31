// How real servers read the argument of MAIL or RCPT, written down from their
// sources: each as lenient as it can be configured.
#pragma once

#include <optional>
#include <string_view>

#include "tests/fuzz/path_grammar.hh"

namespace fuzz {

enum class Server { qmail, mailfront, postfix, exim };
inline constexpr Server servers[] = {Server::qmail, Server::mailfront, Server::postfix, Server::exim};

// Nothing, where the server refuses it. `me` is what qmail puts in the place of
// `own`, an IPv4 address of this machine, in a literal: it reads numbers with
// any zeros before them, and of each the last eight bits.
std::optional<ReadMailbox> read_path(std::string_view argument, Server server, std::string_view own = "",
                                     std::string_view me = "");

}  // namespace fuzz
