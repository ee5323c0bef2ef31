#include "spf/dialogue/variables.hh"

#include "spf/base/sanitise.hh"

namespace spf {

std::vector<std::string> variables(const Verdict& verdict, std::string_view value,
                                   std::string_view results, std::string_view policy) {
  std::vector<std::string> result;
  const auto add = [&result](std::string_view variable, std::string_view text) {
    result.push_back(std::string(variable) + '=' + printable(text, max_variable));
  };
  add("SPFRESULT", name(verdict.result));
  add("SPFIDENTITY", name(verdict.identity));
  add("SPFDOMAIN", verdict.domain);
  if (verdict.mechanism) add("SPFMECHANISM", *verdict.mechanism);
  add("SPFHEADER", value);
  if (verdict.result == Result::fail) add("SPFEXPLANATION", verdict.explanation);
  if (!results.empty()) add("SPFAUTHRESULTS", results);
  if (!policy.empty()) add("SPFPOLICY", policy);
  return result;
}

std::vector<std::string> tls_variables(const TlsStatus& tls) {
  std::vector<std::string> result = {"FORCETLS=0", "SSL_PROTOCOL=" + tls.protocol,
                                     "SSL_CIPHER=" + tls.cipher};
  if (!tls.server_name.empty()) result.push_back("SSL_TLS_SNI=" + tls.server_name);
  return result;
}

}  // namespace spf
