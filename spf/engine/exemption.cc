#include "spf/engine/exemption.hh"

#include <exception>
#include <list>
#include <set>
#include <utility>

#include "spf/base/dns_name.hh"
#include "spf/engine/check_host.hh"
#include "spf/engine/dmarc.hh"
#include "spf/engine/forwarders.hh"

namespace spf {

namespace {

// What may be asked early for all forwarders together. The check before has
// asked, too, and what a forwarder's record needs must still be askable.
constexpr std::size_t most_ahead = Limits::most_questions / 2;

// A resolver that asks no more than so much early.
class Sparing : public Resolver {
 public:
  explicit Sparing(Resolver& resolver) : resolver_(resolver) {}

  void prefetch(std::string_view name, RrType type, Follow follow) override {
    const std::pair question(canonical_name(name), type);
    if (!asked_.contains(question)) {
      if (asked_.size() == most_ahead) return;
      asked_.insert(question);
    }
    resolver_.prefetch(name, type, std::move(follow));
  }
  const Answer& lookup(std::string_view name, RrType type) override {
    return resolver_.lookup(name, type);
  }

 private:
  Resolver& resolver_;
  std::set<std::pair<std::string, RrType>> asked_;
};

// The evaluation of one forwarder's own record.
struct Forwarder {
  std::string domain;
  CheckHost host;

  Forwarder(const std::string& name, const Query& query, Resolver& resolver, Trace& trace)
      : domain(name), host(resolver, {query.client, "postmaster@" + name, query.helo, {}, 0}, trace) {
    static const std::vector<Directive> none;
    host.ask_ahead(domain, none, none);
  }
};

Exemption exempt(std::string reason) { return {std::move(reason), false, {}}; }

Exemption in_trouble(std::string problem) { return {{}, true, std::move(problem)}; }

// The first of the forwarders' domains whose own record passes the client.
Exemption passed_by(std::list<Forwarder>& forwarders, Trace& trace) {
  Exemption none;
  for (auto& [domain, host] : forwarders) {
    trace.forwarder(domain);
    const Result result = host.check(domain, {}).result;
    trace.forwarder_done(domain, result);
    if (result == Result::pass) return exempt("forwarder:" + domain);
    if (result == Result::temperror && !none.trouble) none = in_trouble("forwarder:" + domain);
  }
  return none;
}

// What a DMARC checker behind us will decide.
Exemption left_to_dmarc(const std::string& domain, Resolver& resolver, Trace& trace) {
  trace.dmarc(domain);
  const DmarcFinding found = find_dmarc_policy(domain, resolver, trace);
  const std::string policy(name(found.policy));
  trace.dmarc_done(domain, found.trouble          ? "no answer"
                           : found.domain.empty() ? "no record"
                                                  : policy + " at " + found.domain);
  if (found.trouble) return in_trouble("dmarc:" + domain);
  if (found.policy == DmarcPolicy::none) return {};
  return exempt("dmarc:" + found.domain + ":" + policy);
}

std::optional<Exemption> without_dns(const Query& query, const Forwarders& forwarders, bool dmarc) {
  for (const Forwarders::Network& network : forwarders.networks)
    if (query.client.in_network(network.address, network.prefix))
      return exempt("forwarder:" + network.text);
  if (forwarders.domains.empty() && !dmarc) return Exemption{};
  return {};
}

Exemption decide(const Query& query, const ExemptionOptions& options, Resolver& resolver,
                 Trace& trace) {
  const Forwarders forwarders = parse_forwarders(options.forwarders);
  if (auto known = without_dns(query, forwarders, options.dmarc)) return *std::move(known);

  Sparing sparing(resolver);
  // All the records before what any of them needs.
  for (const std::string& domain : forwarders.domains) sparing.prefetch(domain, RrType::txt, {});
  std::list<Forwarder> all;
  for (const std::string& domain : forwarders.domains) all.emplace_back(domain, query, sparing, trace);
  const std::string domain = options.dmarc ? subject(query).domain : std::string();
  for (const std::string& name : dmarc_names(domain)) resolver.prefetch(name, RrType::txt);

  Exemption by_forwarder = passed_by(all, trace);
  if (!options.dmarc || !by_forwarder.reason.empty()) return by_forwarder;
  Exemption by_dmarc = left_to_dmarc(domain, resolver, trace);
  return by_dmarc.reason.empty() && by_forwarder.trouble ? by_forwarder : by_dmarc;
}

}  // namespace

Exemption exemption(const Query& query, const ExemptionOptions& options, Resolver& resolver,
                    Trace& trace) try {
  return decide(query, options, resolver, trace);
} catch (const std::exception&) {
  return in_trouble({});
}

std::optional<Exemption> exemption_without_dns(const Query& query, const ExemptionOptions& options) {
  return without_dns(query, parse_forwarders(options.forwarders), options.dmarc);
}

std::vector<std::string> forwarder_problems(std::string_view forwarders) {
  std::vector<std::string> problems = parse_forwarders(forwarders).problems;
  for (std::string& problem : problems) problem.insert(0, "spfforwarders: ");
  return problems;
}

}  // namespace spf
