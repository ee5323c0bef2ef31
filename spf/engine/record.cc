#include "spf/engine/record.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <utility>

#include "spf/base/ascii.hh"
#include "spf/base/dns_name.hh"
#include "spf/base/number.hh"
#include "spf/engine/macro.hh"

namespace spf {

namespace {

constexpr std::string_view version = "v=spf1";

// toplabel = ( *alphanum ALPHA *alphanum ) /
//            ( 1*alphanum "-" *( alphanum / "-" ) alphanum )
bool is_toplabel(std::string_view label) {
  if (label.empty() || !is_alphanum(label.front()) || !is_alphanum(label.back())) return false;
  bool all_digits = true;
  for (const char c : label) {
    if (!is_alphanum(c) && c != '-') return false;
    all_digits = all_digits && is_digit(c);
  }
  return !all_digits;
}

// domain-spec = macro-string domain-end
// domain-end  = ( "." toplabel [ "." ] ) / macro-expand
std::optional<std::string> domain_spec_problem(std::string_view text) {
  if (text.empty()) return "empty domain";
  if (auto problem = macro_problem(text, MacroUse::domain_spec)) return problem;
  std::string_view rest = text, tail;  // tail: what follows the last macro-expand
  while (!rest.empty()) {
    const bool expand = rest.front() == '%';
    next_macro_piece(rest);
    if (expand) tail = rest;
  }
  if (text.find('%') == text.npos) tail = text;
  if (tail.empty()) return {};
  tail = without_trailing_dot(tail);
  const auto dot = tail.rfind('.');
  if (dot == tail.npos) return "domain without a dot";
  if (!is_toplabel(tail.substr(dot + 1))) return "bad top-level label";
  return {};
}

// "0" / %x31-39 *DIGIT, at most `limit`
std::optional<unsigned> prefix_length(std::string_view digits, unsigned limit) {
  if (digits.starts_with('0') && digits.size() > 1) return {};
  return parse_number(digits, 0, limit);
}

// Cuts the digits off the end of `value` if they follow `slashes`; a
// domain-spec cannot end so, hence nothing of it is lost.
std::optional<std::string_view> cut_prefix(std::string_view& value, std::string_view slashes) {
  auto digits = value.size();
  while (digits > 0 && is_digit(value[digits - 1])) --digits;
  if (digits == value.size() || !value.substr(0, digits).ends_with(slashes)) return {};
  const auto cut = value.substr(digits);
  value = value.substr(0, digits - slashes.size());
  return cut;
}

// [ ":" domain-spec ] [ dual-cidr-length ]
std::optional<std::string> parse_dual_cidr(std::string_view& value, Directive& directive) {
  if (const auto digits = cut_prefix(value, "//")) {
    const auto prefix = prefix_length(*digits, 128);
    if (!prefix) return "bad IPv6 prefix length";
    directive.prefix6 = *prefix;
  }
  if (const auto digits = cut_prefix(value, "/")) {
    const auto prefix = prefix_length(*digits, 32);
    if (!prefix) return "bad IPv4 prefix length";
    directive.prefix4 = *prefix;
  }
  return {};
}

// ip4 = "ip4" ":" ip4-network [ ip4-cidr-length ], and ip6 in the same way
std::optional<std::string> parse_network(std::string_view value, Directive& directive) {
  const bool ip4 = directive.mechanism == Mechanism::ip4;
  if (!value.starts_with(':')) return "address missing";
  value.remove_prefix(1);
  if (const auto slash = value.find('/'); slash != value.npos) {
    const auto prefix = prefix_length(value.substr(slash + 1), ip4 ? 32 : 128);
    if (!prefix) return "bad prefix length";
    (ip4 ? directive.prefix4 : directive.prefix6) = *prefix;
    value = value.substr(0, slash);
  }
  // Not by Address, which takes ::ffff:0:0 for an IPv4 one: here it may be the
  // beginning of an IPv6 network.
  const std::string network(value);
  if (network.size() >= INET6_ADDRSTRLEN || network.find('\0') != network.npos ||
      inet_pton(ip4 ? AF_INET : AF_INET6, network.c_str(), directive.network.data()) != 1)
    return ip4 ? "bad IPv4 address" : "bad IPv6 address";
  return {};
}

// What stands after a mechanism's name, up to the end of the term.
std::optional<std::string> parse_value(std::string_view value, Directive& directive) {
  switch (directive.mechanism) {
    case Mechanism::all:
      if (!value.empty()) return "all takes no argument";
      return {};
    case Mechanism::ip4:
    case Mechanism::ip6:
      return parse_network(value, directive);
    case Mechanism::a:
    case Mechanism::mx:
      if (auto problem = parse_dual_cidr(value, directive)) return problem;
      [[fallthrough]];
    case Mechanism::ptr:
      if (value.empty()) return {};
      break;
    case Mechanism::include:
    case Mechanism::exists:
      break;
  }
  if (!value.starts_with(':')) return value.empty() ? "domain missing" : "bad mechanism";
  value.remove_prefix(1);
  directive.domain_spec = value;
  return domain_spec_problem(value);
}

struct Name {
  const char* name;
  Mechanism mechanism;
};
constexpr Name mechanisms[] = {
    {"all", Mechanism::all}, {"include", Mechanism::include}, {"a", Mechanism::a},
    {"mx", Mechanism::mx},   {"ptr", Mechanism::ptr},         {"ip4", Mechanism::ip4},
    {"ip6", Mechanism::ip6}, {"exists", Mechanism::exists},
};

// directive = [ qualifier ] mechanism
std::optional<std::string> parse_directive(std::string_view term, Directive& directive) {
  directive.text = term;
  switch (term.front()) {
    case '-': directive.qualifier = Qualifier::fail; break;
    case '~': directive.qualifier = Qualifier::softfail; break;
    case '?': directive.qualifier = Qualifier::neutral; break;
    default: directive.qualifier = Qualifier::pass; break;
  }
  if (std::string_view("+-~?").find(term.front()) != std::string_view::npos)
    term.remove_prefix(1);
  const auto end = std::find_if_not(term.begin(), term.end(), is_alphanum);
  const std::string_view name = term.substr(0, std::size_t(end - term.begin()));
  for (const auto& [text, mechanism] : mechanisms)
    if (equal_ignoring_case(name, text)) {
      directive.mechanism = mechanism;
      return parse_value(term.substr(name.size()), directive);
    }
  return "unknown mechanism";
}

// The name of a modifier (name "="), nothing where the term is a directive.
// name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
std::optional<std::string_view> modifier_name(std::string_view term) {
  if (!is_alpha(term.front())) return {};
  const auto end = std::find_if_not(term.begin(), term.end(), [](char c) {
    return is_alphanum(c) || c == '-' || c == '_' || c == '.';
  });
  if (end == term.end() || *end != '=') return {};
  return term.substr(0, std::size_t(end - term.begin()));
}

std::optional<std::string> parse_modifier(std::string_view name, std::string_view value,
                                          Record& record) {
  auto* known = equal_ignoring_case(name, "redirect") ? &record.redirect
                : equal_ignoring_case(name, "exp")    ? &record.exp
                                                      : nullptr;
  if (!known) {
    record.unknown.push_back({std::string(name), std::string(value)});
    return macro_problem(value, MacroUse::modifier);
  }
  if (*known) return "given twice";  // section 6
  *known = value;
  return domain_spec_problem(value);
}

// Calls `take(term, position)` for each term, which SP alone separates.
template <class Take>
void for_each_term(std::string_view text, std::size_t start, Take take) {
  for (auto begin = text.find_first_not_of(' ', start); begin != text.npos;) {
    const auto end = std::min(text.find(' ', begin), text.size());
    if (!take(text.substr(begin, end - begin), begin)) return;
    begin = text.find_first_not_of(' ', end);
  }
}

}  // namespace

bool is_spf_record(std::string_view text) {
  return starts_with_ignoring_case(text, version) &&
         (text.size() == version.size() || text[version.size()] == ' ');
}

RecordSelection select_record(const std::vector<std::string>& texts) {
  RecordSelection selection;
  for (const std::string& text : texts)
    if (is_spf_record(text) && selection.count++ == 0) selection.text = &text;
  return selection;
}

std::variant<Record, SyntaxProblem> parse_record(std::string_view text) {
  if (!is_spf_record(text)) return SyntaxProblem{std::string(text), "no SPF record", 0};
  Record record;
  std::optional<SyntaxProblem> wrong;
  for_each_term(text, version.size(), [&](std::string_view term, std::size_t position) {
    std::optional<std::string> problem;
    if (const auto name = modifier_name(term)) {
      problem = parse_modifier(*name, term.substr(name->size() + 1), record);
    } else {
      Directive directive;
      directive.position = position;
      problem = parse_directive(term, directive);
      record.directives.push_back(std::move(directive));
    }
    if (problem) wrong = SyntaxProblem{std::string(term), *problem, position};
    return !problem;
  });
  if (wrong) return *wrong;
  return record;
}

std::size_t place_of_rules(const std::vector<Directive>& directives) {
  std::size_t last = 0;
  while (last < directives.size() && directives[last].mechanism != Mechanism::all) ++last;
  if (last == directives.size() || directives[last].qualifier == Qualifier::pass)
    return directives.size();
  std::size_t first = last;
  while (first > 0 && directives[first - 1].qualifier == directives[last].qualifier) --first;
  return first;
}

Terms parse_terms(std::string_view text) {
  Terms terms;
  for_each_term(text, is_spf_record(text) ? version.size() : 0,
                [&](std::string_view term, std::size_t position) {
    Directive directive;
    directive.position = position;
    const auto problem = modifier_name(term) ? "a modifier has no place here"
                                             : parse_directive(term, directive);
    if (problem)
      terms.problems.push_back({std::string(term), *problem, position});
    else
      terms.directives.push_back(std::move(directive));
    return true;
  });
  return terms;
}

}  // namespace spf
