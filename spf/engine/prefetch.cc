#include "spf/engine/prefetch.hh"

#include <utility>

#include "spf/engine/limits.hh"

namespace spf {

namespace {

// What may be asked in vain: so much that the ten terms that are evaluated can
// still ask all they need.
constexpr std::size_t most_ahead =
    Limits::most_questions - (1 + Limits::most_lookups * (1 + Limits::most_names));

bool is_macro_free(const std::string& domain_spec) {
  return domain_spec.find('%') == domain_spec.npos;
}

}  // namespace

void Prefetch::record(const Record& record, const std::string& domain) {
  if (!records_.insert(domain).second) return;
  for (const Directive& directive : record.directives) {
    if (directive.mechanism == Mechanism::all || directive.has_in_network(client_)) return;
    if (!directive.asks_dns()) continue;
    if (++terms_ > Limits::most_lookups) return;
    if (is_macro_free(directive.domain_spec)) term(directive, domain);
  }
  if (record.redirect && ++terms_ <= Limits::most_lookups && is_macro_free(*record.redirect))
    ask_record(*record.redirect);
}

void Prefetch::term(const Directive& directive, const std::string& domain) {
  const std::string& name = directive.domain_spec.empty() ? domain : directive.domain_spec;
  switch (directive.mechanism) {
    case Mechanism::include: ask_record(name); break;
    case Mechanism::a: ask(name, address_type(client_)); break;
    case Mechanism::exists: ask(name, RrType::a); break;
    case Mechanism::mx: ask_exchanges(name); break;
    case Mechanism::ptr:  // the same question for every ptr; its names are asked when it is evaluated
    case Mechanism::all:
    case Mechanism::ip4:
    case Mechanism::ip6: break;
  }
}

void Prefetch::ask(const std::string& name, RrType type, Resolver::Follow follow) {
  if (asked_.size() >= most_ahead || !asked_.insert({name, type}).second) return;
  resolver_.prefetch(name, type, std::move(follow));
}

void Prefetch::ask_record(const std::string& domain) {
  ask(domain, RrType::txt, [self = shared_from_this(), domain](const Answer& answer) {
    const RecordSelection found = select_record(answer.texts);
    if (found.count != 1) return;
    const auto parsed = parse_record(*found.text);
    if (const Record* record = std::get_if<Record>(&parsed)) self->record(*record, domain);
  });
}

void Prefetch::ask_exchanges(const std::string& name) {
  ask(name, RrType::mx, [self = shared_from_this()](const Answer& answer) {
    if (Limits::too_many_mx(answer)) return;
    for (const std::string& exchange : answer.texts) self->ask(exchange, address_type(self->client_));
  });
}

}  // namespace spf
