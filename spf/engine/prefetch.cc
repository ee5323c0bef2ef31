#include "spf/engine/prefetch.hh"

#include <utility>

#include "spf/base/dns_name.hh"
#include "spf/engine/limits.hh"

namespace spf {

void Prefetch::begin(const std::string& domain, const std::vector<Directive>& rules,
                     const std::vector<Directive>& without_record) {
  ask_record({.text = domain}, {.domain = domain, .due = true, .lookups = 0, .rules = &rules,
                                .without_record = &without_record});
}

void Prefetch::record(const Record& record, const std::string& domain, unsigned lookups,
                      const std::vector<Directive>* rules) {
  walk(record, {.domain = domain, .due = true, .lookups = lookups, .rules = rules,
                .without_record = nullptr});
}

void Prefetch::local_terms(const std::vector<Directive>& terms, const std::string& domain) {
  Walk way = {.domain = domain, .due = true, .lookups = 0, .counts = false};
  walk(terms.data(), terms.data() + terms.size(), way);
}

void Prefetch::explanation(const std::string& domain_spec, const std::string& domain) {
  const Walk way = {.domain = domain, .due = true, .lookups = 0, .counts = false};
  if (const auto target = name(domain_spec, way)) ask(*target, RrType::txt);
}

void Prefetch::used(std::string_view name, RrType type) {
  const auto asked = asked_.find({std::string(name), type});
  if (asked == asked_.end() || std::exchange(asked->second, true)) return;
  --unused_;
}

void Prefetch::walk(const Record& record, const Expected& place) {
  const bool is_new = records_.insert(place.domain).second;
  if (!is_new && !place.due) return;
  Walk way = {.domain = place.domain, .due = place.due, .lookups = place.lookups, .counts = is_new};
  const Directive* const begin = record.directives.data();
  const Directive* const end = begin + record.directives.size();
  const Directive* const middle = place.rules ? begin + place_of_rules(record.directives) : end;
  if (!walk(begin, middle, way)) return;
  if (middle != end) {
    // They are counted by themselves, as when they are evaluated.
    Walk local = {.domain = place.domain, .due = place.due, .lookups = 0, .counts = false,
                  .first = way.first};
    const auto& rules = *place.rules;
    if (!walk(rules.data(), rules.data() + rules.size(), local)) return;
    way.first = local.first;
    if (!walk(middle, end, way)) return;
  }
  if (!record.redirect || !count(way)) return;
  if (const auto target = name(*record.redirect, way))
    ask_record(*target, {.domain = target->text, .due = way.due && way.first, .lookups = way.lookups,
                         .rules = place.rules, .without_record = nullptr});
}

// False where nothing behind them is to be asked for.
bool Prefetch::walk(const Directive* begin, const Directive* end, Walk& way) {
  for (const Directive* directive = begin; directive != end; ++directive) {
    if (directive->mechanism == Mechanism::all || directive->has_in_network(identities_.client)) return false;
    if (!directive->asks_dns()) continue;
    if (!count(way)) return false;
    term(*directive, way);
    way.first = false;
  }
  return true;
}

// Whether a term that asks DNS may count. Terms are counted where they are due,
// and all that were seen, as they may be: so the whole of what is asked has a bound.
bool Prefetch::count(Walk& way) {
  if (way.due && ++way.lookups > Limits::most_lookups) return false;
  return !way.counts || ++terms_ <= Limits::most_lookups;
}

void Prefetch::term(const Directive& directive, const Walk& way) {
  const auto target = name(directive.domain_spec, way);
  if (!target) return;
  switch (directive.mechanism) {
    case Mechanism::include:
      ask_record(*target, {.domain = target->text, .due = way.due && way.first, .lookups = way.lookups,
                           .rules = nullptr, .without_record = nullptr});
      break;
    case Mechanism::a: ask(*target, address_type(identities_.client)); break;
    case Mechanism::exists: ask(*target, RrType::a); break;
    case Mechanism::mx: ask_exchanges(*target); break;
    case Mechanism::ptr:  // the same question for every ptr; its names are asked when it is evaluated
    case Mechanism::all:
    case Mechanism::ip4:
    case Mechanism::ip6: break;
  }
}

// Nothing where it may not be asked for early.
std::optional<Prefetch::Name> Prefetch::name(const std::string& domain_spec, const Walk& way) const {
  if (domain_spec.empty()) return Name{.text = way.domain};
  if (domain_spec.find('%') == domain_spec.npos) return Name{.text = domain_spec};
  bool needs_dns = false;
  Name result;
  result.text = expand_name(domain_spec, [&](char letter) {
    if (letter == 'p') needs_dns = true;
    if (letter != 'd') result.tells = true;
    return letter == 'p' ? std::string() : macro_value(letter, identities_, way.domain);
  });
  if (needs_dns || (result.tells && !way.due)) return {};
  return result;
}

void Prefetch::ask(const Name& name, RrType type, Resolver::Follow follow) {
  if (unused_ >= most_ || (name.tells && telling_ == Limits::most_lookups)) return;
  if (!is_dns_name(name.text) || !asked_.try_emplace({name.text, type}, false).second) return;
  ++unused_;
  if (name.tells) ++telling_;
  resolver_.prefetch(name.text, type, std::move(follow));
}

void Prefetch::ask_record(const Name& name, Expected expected) {
  ask(name, RrType::txt, [self = shared_from_this(), evaluation = evaluation_,
                           expected = std::move(expected)](const Answer& answer) {
    if (evaluation == self->evaluation_) self->arrived(answer, expected);
  });
}

void Prefetch::arrived(const Answer& answer, const Expected& expected) {
  const RecordSelection found = select_record(answer.texts);
  if (found.count == 0 && expected.without_record && answer.status != Answer::Status::trouble)
    local_terms(*expected.without_record, expected.domain);
  if (found.count != 1) return;
  const auto parsed = parse_record(*found.text);
  if (const Record* record = std::get_if<Record>(&parsed)) walk(*record, expected);
}

void Prefetch::ask_exchanges(const Name& name) {
  ask(name, RrType::mx, [self = shared_from_this(), evaluation = evaluation_](const Answer& answer) {
    if (evaluation != self->evaluation_ || Limits::too_many_mx(answer)) return;
    for (const std::string& exchange : answer.texts)
      self->ask({.text = exchange}, address_type(self->identities_.client));
  });
}

}  // namespace spf
