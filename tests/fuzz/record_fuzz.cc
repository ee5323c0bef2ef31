// The grammar of records takes any octets, and what it accepts keeps its word.
#include <string>
#include <string_view>

#include "spf/engine/macro.hh"
#include "spf/engine/record.hh"
#include "spf/dns/resolver.hh"
#include "tests/fuzz/fuzz.hh"

namespace fuzz {
namespace {

void check_directive(const spf::Directive& directive, std::string_view text) {
  require(text.substr(directive.position, directive.text.size()) == directive.text,
          "a directive out of nowhere");
  require(directive.prefix4 <= 32 && directive.prefix6 <= 128, "a prefix over its bounds");
  for (const char* client : {"192.0.2.1", "2001:db8::1"})
    require(!directive.has_in_network(*spf::Address::parse(client)) || !directive.asks_dns(),
            "a network where there is none");
  require(!spf::macro_problem(directive.domain_spec, spf::MacroUse::domain_spec),
          "a domain-spec that is none");
}

// Whole, in part, and as a name, which is by section 7.3 what is left when
// labels are taken off the whole one by one.
void check_expansion(std::string_view text) {
  const spf::Identities who = {*spf::Address::parse("2001:db8::1"), "a.b-c+d,e/f_g=h\xff@x.example",
                               "helo.example", "", 1};
  const auto value = [&](char letter) { return spf::macro_value(letter, who, "d.example"); };
  const std::string whole = spf::expand_text(text, std::string::npos, value);
  require(spf::expand_text(text, 100, value) == whole.substr(0, 100), "another text in part");
  std::string name = whole;
  if (name.ends_with('.')) name.pop_back();
  while (name.size() > spf::longest_name && name.find('.') != name.npos) name.erase(0, name.find('.') + 1);
  const std::string cut = spf::expand_name(text, value);
  require(name.size() > spf::longest_name ? cut.size() > spf::longest_name : cut == name, "another name");
  require(cut.size() <= spf::longest_name + 2, "a name longer than it takes");
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
    check_expansion(text);
  }
}

}  // namespace fuzz
