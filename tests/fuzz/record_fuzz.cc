// The grammar of records takes any octets, and what it accepts keeps its word.
#include <string>
#include <string_view>

#include "spf/macro.hh"
#include "spf/record.hh"
#include "tests/fuzz/fuzz.hh"

namespace fuzz {
namespace {

void check_directive(const spf::Directive& directive, std::string_view text) {
  require(text.substr(directive.position, directive.text.size()) == directive.text,
          "a directive out of nowhere");
  require(directive.prefix4 <= 32 && directive.prefix6 <= 128, "a prefix over its bounds");
  require(directive.network.size() < 46, "a network over its bounds");
  require(!spf::macro_problem(directive.domain_spec, spf::MacroUse::domain_spec),
          "a domain-spec that is none");
}

}  // namespace

void record(std::string_view data) {
  const std::string text(data);
  const auto parsed = spf::parse_record(text);
  if (const auto* record = std::get_if<spf::Record>(&parsed)) {
    require(spf::is_spf_record(text), "no record is taken for one");
    for (const auto& directive : record->directives) check_directive(directive, text);
    for (const auto& spec : {record->redirect, record->exp})
      require(!spec || !spf::macro_problem(*spec, spf::MacroUse::domain_spec),
              "a modifier that is none");
  } else {
    const auto& problem = std::get<spf::SyntaxProblem>(parsed);
    require(!problem.what.empty(), "a problem without a name");
    require(text.substr(problem.position, problem.term.size()) == problem.term,
            "a problem out of nowhere");
  }
  for (const auto& directive : spf::parse_terms(text).directives) check_directive(directive, text);
  if (!spf::macro_problem(text, spf::MacroUse::explanation)) {
    std::string_view rest = text;
    while (!rest.empty())
      require(spf::next_macro_piece(rest).has_value(), "an explanation that does not expand");
  }
}

}  // namespace fuzz
