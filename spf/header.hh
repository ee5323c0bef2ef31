// What others are told of a verdict: the Received-SPF header (RFC 7208 section
// 9.1), the variables of prog's environment, and the log.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "spf/check.hh"
#include "spf/tls_status.hh"
#include "spf/verdict.hh"

namespace spf {

// The header's value in one line of at most 1,000 octets of printable ASCII. No
// text in it that came from outside looks like a key, with quotes or without.
// `receiver` is R (see Config).
std::string header_value(const Query& query, const Verdict& verdict, std::string_view receiver);

// "Received-SPF: value" folded at 78 columns where possible, with CRLF.
std::string received_spf(std::string_view value);

// The names of all variables this program sets.
inline constexpr std::array<std::string_view, 6> variable_names = {
    "SPFRESULT", "SPFIDENTITY", "SPFDOMAIN", "SPFMECHANISM", "SPFHEADER", "SPFEXPLANATION"};

// "NAME=value" for each of them that this verdict has. `value` is header_value's.
std::vector<std::string> variables(const Verdict& verdict, std::string_view value);

// The same of a session inside TLS, as sslserver and the qmail patches have
// them. prog is not to do TLS itself, nor to ask whether it is there.
std::vector<std::string> tls_variables(const TlsStatus& tls);

// What prog must not find in its environment inside TLS, but for the above.
inline constexpr std::array<std::string_view, 9> tls_variable_names = {
    "SSL_PROTOCOL", "SSL_CIPHER", "SSL_TLS_SNI", "FORCETLS", "SMTPS",
    "UCSPITLS", "SSLCTLFD", "SSLREADFD", "SSLWRITEFD"};

// What a log line says beside the verdict.
struct LogEntry {
  unsigned code;  // of the reply to the client: 250 accepted, else rejected
  std::string_view recipient;
  std::string_view remote_host;
  long pid;
  std::string_view tls;  // the protocol, as OpenSSL names it, or "none"
};
std::string log_line(const LogEntry& entry, const Query& query, const Verdict& verdict);

}  // namespace spf
