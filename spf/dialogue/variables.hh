// What prog finds in its environment of a verdict, and of TLS.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "spf/engine/verdict.hh"
#include "spf/tls/status.hh"

namespace spf {

// Octets of the value of one of them.
inline constexpr std::size_t max_variable = 1000;

// The names of all variables that speak of a verdict: none of them reaches prog
// from outside.
inline constexpr std::array<std::string_view, 9> variable_names = {
    "SPFRESULT", "SPFIDENTITY",    "SPFDOMAIN",      "SPFMECHANISM", "SPFHEADER",
    "SPFEXPLANATION", "SPFAUTHRESULTS", "SPFHELORESULT", "SPFPOLICY"};

// What variables tell beside the verdict itself; "" is nothing.
struct VariableValues {
  std::string_view received_spf = {};            // header_value's
  std::string_view authentication_results = {};  // authentication_results_value's
  std::string_view helo_result = {};             // for the HELO name, where it is wanted
  std::string_view policy = {};                  // why it is let through though its level refuses it
};

// "NAME=value" for each of them that this verdict has.
std::vector<std::string> variables(const Verdict& verdict, const VariableValues& values);

// The same of a session inside TLS, as sslserver and the qmail patches have
// them. prog is not to do TLS itself, nor to ask whether it is there.
std::vector<std::string> tls_variables(const TlsStatus& tls);

// What prog must not find in its environment inside TLS, but for the above.
inline constexpr std::array<std::string_view, 9> tls_variable_names = {
    "SSL_PROTOCOL", "SSL_CIPHER", "SSL_TLS_SNI", "FORCETLS", "SMTPS",
    "UCSPITLS", "SSLCTLFD", "SSLREADFD", "SSLWRITEFD"};

}  // namespace spf
