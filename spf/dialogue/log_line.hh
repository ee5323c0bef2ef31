// The line of the log for a MAIL that was evaluated, or a RCPT that was refused; and
// that for a session which has no other.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "spf/engine/check.hh"
#include "spf/engine/verdict.hh"

namespace spf {

// What a log line says beside the verdict.
struct LogEntry {
  unsigned code;  // of the reply to the client: 250 accepted, else rejected
  std::string_view recipient;
  std::string_view remote_host;
  long pid;
  std::string_view tls;  // the protocol, as OpenSSL names it, or "none"
  unsigned level;        // that decided
  std::string_view policy;         // why it is let through though its level refuses it, or ""
  std::string_view trouble;        // why it is not known whether it would be, or ""
  std::optional<unsigned> shadow;  // the code that SPFSHADOW would have given
  std::string_view helo_result;    // for the HELO name, where it is wanted, or ""
};
std::string log_line(const LogEntry& entry, const Query& query, const Verdict& verdict);

// Of a session that had TLS, and in which nothing was checked.
std::string unchecked_line(long pid, std::string_view tls, std::string_view client);

}  // namespace spf
