#include "spf/explain/record_hints.hh"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "spf/base/address.hh"
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

// A term without its qualifier, taken apart at the : = or / behind its name.
struct Parts {
  std::string_view name, value;  // value: behind : or =
  char separator = '\0';
};

Parts parts_of(std::string_view term) {
  term = without_qualifier(term);
  const std::size_t end = term.find_first_of(":=/");
  if (end == term.npos) return {term, {}, '\0'};
  if (term[end] == '/') return {term.substr(0, end), {}, '/'};
  return {term.substr(0, end), term.substr(end + 1), term[end]};
}

// "ip4:" or "ip6:" for an address with or without a prefix length, "" for any other text.
std::string_view mechanism_for(std::string_view text) {
  const auto address = Address::parse(text.substr(0, text.find('/')));
  if (!address) return {};
  return address->is_ip4() ? "ip4:" : "ip6:";
}

std::string did_you_mean(std::string_view what) { return "did you mean \"" + std::string(what) + "\"?"; }

bool is_missing_argument(const Parts& parts) {
  return parts.separator != '\0' && parts.separator != '/' && parts.value.empty();
}

// U+2010 to U+2015 and U+2212, as word processors make them of -.
bool begins_with_dash(std::string_view term) {
  if (term.starts_with("\xe2\x88\x92")) return true;
  return term.size() > 2 && term.starts_with("\xe2\x80") && term[2] >= '\x90' && term[2] <= '\x95';
}

}  // namespace

std::string_view without_qualifier(std::string_view term) {
  if (!term.empty() && std::string_view("+-~?").find(term.front()) != term.npos) term.remove_prefix(1);
  return term;
}

std::string suggestion(std::string_view name, std::string_view value) {
  static constexpr std::array<std::string_view, 10> names = {
      "all", "include:", "a:", "mx:", "ptr:", "ip4:", "ip6:", "exists:", "redirect=", "exp="};
  if (name.size() > 12) return {};
  if (!mechanism_for(value).empty()) return did_you_mean(mechanism_for(value));
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
  return best.empty() ? std::string() : did_you_mean(best);
}

std::string hint(std::string_view text, const SyntaxProblem& problem) {
  const std::string_view term = problem.term;
  if (begins_with_dash(term)) return "its dash is not the - of ASCII";
  if (term.find(',') != term.npos) return "blanks stand between terms, not commas";
  if (term.find(';') != term.npos) return "blanks stand between terms, not semicolons";
  if (term.find('"') != term.npos) return "a quote is part of the record here";
  const Parts parts = parts_of(term);
  if (is_missing_argument(parts)) {
    std::string_view next = text.substr(std::min(text.size(), problem.position + term.size()));
    next.remove_prefix(std::min(next.find_first_not_of(' '), next.size()));
    next = next.substr(0, next.find(' '));
    return next.empty() ? std::string() : did_you_mean(std::string(term) + std::string(next));
  }
  if (const auto mechanism = mechanism_for(parts.value); !mechanism.empty())
    return did_you_mean(std::string(mechanism) + std::string(parts.value));
  if (const auto mechanism = mechanism_for(term); !mechanism.empty())
    return did_you_mean(std::string(mechanism) + std::string(term));
  if (!problem.what.starts_with("unknown")) return {};
  if (parts.separator == '\0' && term.find('.') != term.npos)
    return did_you_mean("include:" + std::string(term)) + " or \"a:" + std::string(term) + "\"?";
  return suggestion(parts.name, parts.value);
}

bool is_mistyped_record(std::string_view text) {
  constexpr std::string_view version = "v=spf1";
  text.remove_prefix(std::min(text.find_first_not_of(" \t\"'"), text.size()));
  if (starts_with_ignoring_case(text, "v=spf") || starts_with_ignoring_case(text, "spf1 ") ||
      starts_with_ignoring_case(text, "spf="))
    return true;
  // One letter wrong, missing or too many: v-spf1, vspf1; or two in another order.
  const std::string_view word = text.substr(0, text.find(' '));
  return word.size() >= 5 && word.size() <= 8 &&
         (edit_distance(word, version) <= 1 || equal_ignoring_case(word, "v=sfp1") ||
          equal_ignoring_case(word, "v=psf1"));
}

}  // namespace spf
