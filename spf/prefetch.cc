#include "spf/prefetch.hh"

#include <algorithm>

#include "spf/limits.hh"

namespace spf {

namespace {

bool is_macro_free(const std::string& domain_spec) {
  return domain_spec.find('%') == domain_spec.npos;
}

}  // namespace

void Prefetch::record(const Record& record, const std::string& domain) {
  for (const Directive& directive : record.directives) {
    if (ends_evaluation(directive)) return;
    if (directive.asks_dns() && is_macro_free(directive.domain_spec)) term(directive, domain);
  }
  if (record.redirect && is_macro_free(*record.redirect)) ask_record(*record.redirect);
}

void Prefetch::term(const Directive& directive, const std::string& domain) {
  const std::string& name = directive.domain_spec.empty() ? domain : directive.domain_spec;
  switch (directive.mechanism) {
    case Mechanism::include: ask_record(name); break;
    case Mechanism::a: ask(name, client_.is_ip4() ? RrType::a : RrType::aaaa); break;
    case Mechanism::exists: ask(name, RrType::a); break;
    case Mechanism::mx: ask_addresses(name, RrType::mx); break;
    case Mechanism::ptr:  // the same question for every ptr; its names are asked when it is evaluated
    case Mechanism::all:
    case Mechanism::ip4:
    case Mechanism::ip6: break;
  }
}

void Prefetch::ask(const std::string& name, RrType type, Resolver::Follow follow) {
  if (asked_.size() >= Limits::most_lookups || !asked_.insert({name, type}).second) return;
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

void Prefetch::ask_addresses(const std::string& name, RrType type) {
  ask(name, type, [self = shared_from_this()](const Answer& answer) {
    const RrType family = self->client_.is_ip4() ? RrType::a : RrType::aaaa;
    const std::size_t count = std::min<std::size_t>(answer.texts.size(), Limits::most_names);
    for (std::size_t i = 0; i < count; ++i) self->resolver_.prefetch(answer.texts[i], family);
  });
}

bool Prefetch::ends_evaluation(const Directive& directive) const {
  switch (directive.mechanism) {
    case Mechanism::all: return true;
    case Mechanism::ip4:
      if (!client_.is_ip4()) return false;
      return client_.in_network(*Address::parse(directive.network), directive.prefix4);
    case Mechanism::ip6:
      if (client_.is_ip4()) return false;
      return client_.in_network(*Address::parse(directive.network), directive.prefix6);
    default: return false;
  }
}

}  // namespace spf
