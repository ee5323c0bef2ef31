// libFuzzer: the grammar takes any octets, and what it accepts keeps its word.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "spf/macro.hh"
#include "spf/record.hh"

namespace {

void require(bool condition) {
  if (!condition) abort();
}

void check_directive(const spf::Directive& directive, std::string_view text) {
  require(text.substr(directive.position, directive.text.size()) == directive.text);
  require(directive.prefix4 <= 32 && directive.prefix6 <= 128);
  require(directive.network.size() < 46);
  require(!spf::macro_problem(directive.domain_spec, spf::MacroUse::domain_spec));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto parsed = spf::parse_record(text);
  if (const auto* record = std::get_if<spf::Record>(&parsed)) {
    require(spf::is_spf_record(text));
    for (const auto& directive : record->directives) check_directive(directive, text);
    for (const auto& spec : {record->redirect, record->exp})
      require(!spec || !spf::macro_problem(*spec, spf::MacroUse::domain_spec));
  } else {
    const auto& problem = std::get<spf::SyntaxProblem>(parsed);
    require(!problem.what.empty() && text.substr(problem.position, problem.term.size()) == problem.term);
  }
  for (const auto& directive : spf::parse_terms(text).directives) check_directive(directive, text);
  if (!spf::macro_problem(text, spf::MacroUse::explanation)) {
    std::string_view rest = text;
    while (!rest.empty()) require(spf::next_macro_piece(rest).has_value());
  }
  return 0;
}
