#include "spf/settings/levels.hh"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "spf/base/ascii.hh"
#include "spf/base/dns_name.hh"
#include "spf/base/mailbox.hh"
#include "spf/base/number.hh"
#include "spf/base/sanitise.hh"
#include "spf/engine/idna.hh"

namespace spf {
namespace {

// What an octet of a pattern is, a bit each.
enum : std::uint8_t { in_domain = 1, in_local_part = 2 };

constexpr std::array<std::uint8_t, 256> octet_kinds = [] {
  std::array<std::uint8_t, 256> kinds{};
  for (unsigned octet = 0; octet < kinds.size(); ++octet) {
    const char c = char(octet);
    const bool ascii = octet < 0x80;
    // An address literal has brackets and colons.
    if (ascii && (is_alphanum(c) || std::string_view("-_.[]:").find(c) != std::string_view::npos))
      kinds[octet] |= in_domain;
    if (!ascii || (c > ' ' && c != 0x7f && c != '"' && c != '\\')) kinds[octet] |= in_local_part;
  }
  return kinds;
}();

bool all_are(std::uint8_t kind, std::string_view text) {
  std::uint8_t common = kind;
  for (const char c : text) common &= octet_kinds[static_cast<unsigned char>(c)];
  return common != 0;
}

struct Parts {
  std::string_view pattern, level;
};

Parts parts_of(std::string_view line) {
  const std::size_t colon = line.rfind(':');
  if (colon == line.npos) return {line, {}};
  return {line.substr(0, colon), line.substr(colon + 1)};
}

std::optional<unsigned> level_of(const Parts& parts) { return parse_number(parts.level, 0, max_level); }

// What is wrong with a pattern, "" if nothing is.
std::string_view problem_of(std::string_view pattern) {
  const std::size_t at = pattern.find('@');
  if (at == pattern.npos) return "no @";
  const std::string_view local = pattern.substr(0, at);
  std::string_view domain = pattern.substr(at + 1);
  if (local.empty() && domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.empty() && (local.empty() || pattern.ends_with('.'))) return "no address";
  if (!all_are(in_local_part, local)) return "a blank, a quote or a control character before the @";
  if (!all_are(in_domain, domain)) return "a domain that is none, or not written with A-labels";
  if (domain.starts_with('.') || domain.ends_with('.')) return "a domain with a dot too many";
  return {};
}

// What is wrong with a line, "" for a rule.
std::string_view problem_of(const Parts& parts) {
  return level_of(parts) ? problem_of(parts.pattern) : "no level from 0 to 6 after a colon";
}

// How specific a pattern is, if it is for this address; the longer of two is more so.
enum class Fit { none, local_part, below_domain, domain, address };

Fit fit(std::string_view pattern, std::string_view local, std::string_view domain) {
  const auto is = [](std::string_view text, std::string_view other) { return equal_ignoring_case(text, other); };
  if (pattern.starts_with("@.")) {
    const std::string_view below = pattern.substr(1);
    return domain.size() > below.size() && ends_with_ignoring_case(domain, below) ? Fit::below_domain : Fit::none;
  }
  if (pattern.starts_with('@')) return is(pattern.substr(1), domain) ? Fit::domain : Fit::none;
  if (pattern.ends_with('@')) return is(pattern.substr(0, pattern.size() - 1), local) ? Fit::local_part : Fit::none;
  const bool whole = pattern.size() == local.size() + 1 + domain.size() && pattern[local.size()] == '@';
  return whole && starts_with_ignoring_case(pattern, local) && ends_with_ignoring_case(pattern, domain)
             ? Fit::address
             : Fit::none;
}

// A local part as servers store it, who are free to write it with quotes.
std::string without_quotes(std::string_view local) {
  std::string result;
  for (std::size_t i = 0; i < local.size(); ++i) {
    if (local[i] == '"') continue;
    if (local[i] == '\\' && i + 1 < local.size()) ++i;
    result += local[i];
  }
  return result;
}

}  // namespace

Levels::Levels(ListFile list) : list_(std::move(list)) {
  list_.each([&](const ListLine& line) {
    const Parts parts = parts_of(line.text);
    ++lines_;
    if (const auto level = level_of(parts); level && problem_of(parts.pattern).empty())
      levels_ |= 1u << *level;
    else
      ++unusable_;
  });
}

std::optional<Levels::Rule> Levels::find(std::string_view mailbox) const {
  if (levels_ == 0 || mailbox.empty()) return {};
  const std::size_t at = domain_separator(mailbox);
  const std::string local = without_quotes(mailbox.substr(0, at));
  const std::string domain =
      at == mailbox.npos ? std::string() : to_a_labels(without_trailing_dot(mailbox.substr(at + 1)));
  std::optional<Rule> best;
  Fit best_fit = Fit::none;
  list_.each([&](const ListLine& line) {
    const Parts parts = parts_of(line.text);
    const Fit found = fit(parts.pattern, local, domain);
    if (found < best_fit || found == Fit::none) return;
    if (found == best_fit && parts.pattern.size() <= best->pattern.size()) return;
    if (!problem_of(parts).empty()) return;
    best_fit = found;
    best = Rule{*level_of(parts), line.number, std::string(parts.pattern)};
  });
  return best;
}

Levels::Problems Levels::problems(std::size_t most) const {
  Problems result;
  if (unusable_ == 0) return result;
  list_.each([&](const ListLine& line) {
    const std::string_view problem = problem_of(parts_of(line.text));
    if (problem.empty()) return;
    if (result.named.size() == most)
      ++result.more;
    else
      result.named.push_back("line " + std::to_string(line.number) + ": " + std::string(problem) + ": " +
                             printable(line.text, 80));
  });
  return result;
}

}  // namespace spf
