#include "spf/dialogue/header_fields.hh"

#include "spf/dialogue/authentication_results.hh"
#include "spf/dialogue/received_spf.hh"

namespace spf {

HeaderValues header_values(const Query& query, const Verdict& verdict, const Config& config) {
  HeaderValues values;
  values.received_spf = header_value(query, verdict, config.receiver);
  if (config.header_type != HeaderType::spf)
    values.authentication_results = authentication_results_value(verdict, config.authserv_id);
  return values;
}

std::string header_fields(const HeaderValues& values, HeaderType type) {
  std::string fields;
  if (type != HeaderType::ar) fields += received_spf(values.received_spf);
  if (type != HeaderType::spf) fields += authentication_results(values.authentication_results);
  return fields;
}

}  // namespace spf
