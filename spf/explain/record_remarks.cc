#include "spf/explain/record_remarks.hh"

#include <algorithm>
#include <array>
#include <cstddef>

#include "spf/base/ascii.hh"

namespace spf {
namespace {

// Octets to insert, leave out or replace.
std::size_t edit_distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t j = 0; j <= other.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= other.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(one[i - 1]) != other[j - 1]);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

const Directive* first_all(const Record& record) {
  for (const Directive& directive : record.directives)
    if (directive.mechanism == Mechanism::all) return &directive;
  return nullptr;
}

}  // namespace

std::string_view term_name(std::string_view term) {
  if (!term.empty() && std::string_view("+-~?").find(term.front()) != term.npos)
    term.remove_prefix(1);
  return term.substr(0, term.find_first_of(":=/"));
}

std::string suggestion(std::string_view name) {
  static constexpr std::array<std::string_view, 10> names = {
      "all", "include:", "a:", "mx:", "ptr:", "ip4:", "ip6:", "exists:", "redirect=", "exp="};
  if (name.size() > 12) return {};
  std::string_view best;
  for (const std::string_view written : names) {
    const std::string_view known = written.substr(0, written.find_first_of(":="));
    // A short name is near to many; ipv4 is one letter from ip4.
    const std::size_t distance = edit_distance(name, known);
    if (distance == 0 || (distance == 1 && known.size() > 2) || (distance == 2 && known.size() > 5)) {
      best = written;
      if (distance == 0) break;
    }
  }
  return best.empty() ? std::string() : "did you mean \"" + std::string(best) + "\"?";
}

std::vector<std::string> record_remarks(const Record& record) {
  std::vector<std::string> remarks;
  const auto add = [&remarks](const std::string& text) { remarks.push_back(text); };
  const Directive* const all = first_all(record);
  if (!all && !record.redirect)
    add("no all and no redirect=: whoever is not listed gets neutral");
  if (all && all->qualifier == Qualifier::pass)
    add(all->text + ": everybody may send in this name");
  if (all && all->qualifier == Qualifier::neutral)
    add(all->text + ": nothing is said of whoever is not listed; ~all or -all would");
  if (all && record.redirect) add("redirect= is not used where there is all");
  if (all)
    for (const Directive& directive : record.directives)
      if (directive.position > all->position) add(directive.text + ": never reached, after all");
  for (const Directive& directive : record.directives)
    if (directive.mechanism == Mechanism::ptr)
      add(directive.text + ": slow, and not to be used (RFC 7208 section 5.5)");
  for (const UnknownModifier& modifier : record.unknown)
    if (const std::string meant = suggestion(modifier.name); !meant.empty())
      add(modifier.name + "=" + modifier.value + ": an unknown modifier, ignored; " + meant);
  return remarks;
}

}  // namespace spf
