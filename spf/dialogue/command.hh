// The syntax of SMTP commands (RFC 5321 section 4.1): what the client may say,
// and the one canonical form in which the child hears it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "spf/base/address.hh"

namespace spf {

// Bounds on a command line, without its line end. RFC 5321 section 4.5.3.1.4
// asks for 512; RFC 4954 section 4 for 12,288 in AUTH.
inline constexpr std::size_t max_command_line = 2048;
inline constexpr std::size_t max_auth_line = 12288;

enum class Verb {
  helo, ehlo, mail, rcpt, data, rset, noop, vrfy, expn, help, auth, quit,
  starttls,
  bdat,
  unknown,
};

// The verb as the child hears it; "" for unknown.
std::string_view name(Verb verb);

struct Command {
  Verb verb;
  std::string_view argument;  // a part of the line; without blanks at its ends
};

// `line` has no line end, no NUL and no CR.
Command parse_command(std::string_view line);

// The bound on a line that begins like `line`.
std::size_t line_limit(std::string_view line);

// Whether `text` may go on as the argument of HELO, EHLO, VRFY, EXPN, HELP or
// AUTH: no control characters.
bool is_plain(std::string_view text);

// The argument of MAIL or RCPT.
struct Path {
  std::string mailbox;     // without angle brackets and source route; "" is the null sender
  std::string parameters;  // separated by one blank each, "" where there are none

  // "MAIL FROM:<mailbox> parameters" or "RCPT TO:<mailbox> parameters".
  std::string command(Verb verb) const;
};

// Whether an address is one of this machine's own.
using IsOwnAddress = bool(const Address&);

// `verb` is mail or rcpt. Nothing, where servers might read the text
// differently from how it is judged (see is_mailbox()); nor for a MAIL from a
// literal of this machine, of loopback or of 0.0.0.0. `is_own` is asked only
// where MAIL has a literal.
std::optional<Path> parse_path(Verb verb, std::string_view argument, IsOwnAddress& is_own);

}  // namespace spf
