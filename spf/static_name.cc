#include "spf/static_name.hh"

#include <string_view>

#include "spf/macro.hh"

namespace spf {

std::optional<std::string> static_name(const std::string& domain_spec, const std::string& domain,
                                       const std::string& sender_domain) {
  if (domain_spec.empty()) return domain;
  std::string name;
  for (std::string_view rest = domain_spec; !rest.empty();) {
    const auto piece = next_macro_piece(rest);
    if (!piece) return {};
    if (piece->kind == MacroPiece::Kind::literal)
      name += piece->literal;
    else if (piece->letter == 'd')
      name += transform(domain, *piece);
    else if (piece->letter == 'o')
      name += transform(sender_domain, *piece);
    else
      return {};
  }
  if (name.ends_with('.')) name.pop_back();
  return name;
}

}  // namespace spf
