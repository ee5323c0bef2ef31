#include "spf/dialogue/header_fields.hh"

#include "spf/dialogue/authentication_results.hh"
#include "spf/dialogue/received_spf.hh"
#include "spf/dialogue/variables.hh"

namespace spf {

HeaderValues header_values(const Query& query, const Judgement& judgement, const Config& config) {
  HeaderValues values;
  const bool results = config.header_type != HeaderType::spf;
  values.received_spf = header_value(query, judgement.verdict, config.receiver);
  if (results)
    values.authentication_results = authentication_results_value(judgement.verdict, config.authserv_id);
  if (!judgement.helo) return values;
  values.helo_received_spf = header_value(query, *judgement.helo, config.receiver);
  if (results)
    values.helo_authentication_results =
        authentication_results_value(*judgement.helo, config.authserv_id);
  return values;
}

std::string header_fields(const HeaderValues& values, HeaderType type) {
  std::string fields;
  for (const std::string& value : {values.received_spf, values.helo_received_spf})
    if (type != HeaderType::ar && !value.empty()) fields += received_spf(value);
  for (const std::string& value : {values.authentication_results, values.helo_authentication_results})
    if (type != HeaderType::spf && !value.empty()) fields += authentication_results(value);
  return fields;
}

std::vector<std::string> variables(const JudgedMail& mail, const HeaderValues& values) {
  return variables(mail.judgement.verdict, {.received_spf = values.received_spf,
                                            .authentication_results = values.authentication_results,
                                            .helo_result = mail.helo_result(),
                                            .policy = mail.reason()});
}

}  // namespace spf
