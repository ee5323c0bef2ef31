#include "spf/engine/exemption.hh"

#include <exception>

#include "spf/engine/forwarders.hh"

namespace spf {

namespace {

Exemption exempt(std::string reason) {
  if (reason.size() > longest_reason) reason.resize(longest_reason);
  return {std::move(reason), false};
}

}  // namespace

Exemption exemption(const Query& query, const ExemptionOptions& options, Resolver&, Trace&) try {
  const Forwarders forwarders = parse_forwarders(options.forwarders);
  for (const Forwarders::Network& network : forwarders.networks)
    if (query.client.in_network(network.address, network.prefix))
      return exempt("forwarder:" + network.text);
  return {};
} catch (const std::exception&) {
  return {{}, true};
}

std::vector<std::string> forwarder_problems(std::string_view forwarders) {
  std::vector<std::string> problems = parse_forwarders(forwarders).problems;
  for (std::string& problem : problems) problem.insert(0, "spfforwarders: ");
  return problems;
}

}  // namespace spf
