#include "spf/engine/static_name.hh"

#include "spf/engine/macro.hh"

namespace spf {

std::optional<std::string> static_name(const std::string& domain_spec, const std::string& domain,
                                       const std::string& sender_domain) {
  if (domain_spec.empty()) return domain;
  bool same_for_all = true;
  std::string name = expand_name(domain_spec, [&](char letter) {
    if (letter == 'd') return domain;
    if (letter == 'o') return sender_domain;
    same_for_all = false;
    return std::string();
  });
  if (!same_for_all) return {};
  return name;
}

}  // namespace spf
