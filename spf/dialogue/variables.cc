#include "spf/dialogue/variables.hh"

#include "spf/base/sanitise.hh"

namespace spf {

std::vector<std::string> variables(const Verdict& verdict, const VariableValues& values) {
  std::vector<std::string> result;
  const auto add = [&result](std::string_view variable, std::string_view text) {
    result.push_back(std::string(variable) + '=' + printable(text, max_variable));
  };
  add("SPFRESULT", name(verdict.result));
  add("SPFIDENTITY", name(verdict.identity));
  add("SPFDOMAIN", verdict.domain);
  if (verdict.mechanism) add("SPFMECHANISM", *verdict.mechanism);
  add("SPFHEADER", values.received_spf);
  if (verdict.result == Result::fail) add("SPFEXPLANATION", verdict.explanation);
  const auto add_if_any = [&add](std::string_view variable, std::string_view text) {
    if (!text.empty()) add(variable, text);
  };
  add_if_any("SPFAUTHRESULTS", values.authentication_results);
  add_if_any("SPFHELORESULT", values.helo_result);
  add_if_any("SPFPOLICY", values.policy);
  return result;
}

std::vector<std::string> tls_variables(const TlsStatus& tls) {
  std::vector<std::string> result = {"FORCETLS=0", "SSL_PROTOCOL=" + tls.protocol,
                                     "SSL_CIPHER=" + tls.cipher};
  if (!tls.server_name.empty()) result.push_back("SSL_TLS_SNI=" + tls.server_name);
  return result;
}

}  // namespace spf
