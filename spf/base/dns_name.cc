#include "spf/base/dns_name.hh"

#include "spf/base/ascii.hh"

namespace spf {

std::string_view without_trailing_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool is_dns_name(std::string_view name) {
  name = without_trailing_dot(name);
  if (name.empty() || name.size() > longest_name) return false;
  for (std::size_t begin = 0, end; begin <= name.size(); begin = end + 1) {
    end = name.find('.', begin);
    if (end == name.npos) end = name.size();
    if (end == begin || end - begin > longest_label) return false;
  }
  return true;
}

std::string canonical_name(std::string_view name) {
  std::string result(without_trailing_dot(name));
  for (char& c : result) c = lower(c);
  return result;
}

bool is_within(std::string_view name, std::string_view domain) {
  domain = without_trailing_dot(domain);
  return !domain.empty() && ends_with_ignoring_case(name, domain) &&
         (name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.');
}

}  // namespace spf
