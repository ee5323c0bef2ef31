// The search for a reason to let a message through that its level refuses: as a
// check (evaluator.hh), behind the same wall, and with limits of its own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "spf/engine/exemption.hh"
#include "spf/proxy/walled_check.hh"

namespace spf {

class Exempter final : public WalledCheck {
 public:
  // How it is searched for; tests have others.
  using Search = Exemption(const Query&, const ExemptionOptions&, Resolver&, Trace&);

  // Starts the search, which asks `name_servers` and ends within `time`. Throws
  // std::system_error.
  Exempter(const Query& query, const ExemptionOptions& options,
           const SealedAddresses& name_servers, std::chrono::seconds time,
           Search* search = exemption);

  std::optional<CheckAnswer> read(const CheckAnswer& otherwise) override;
};

// An exemption as octets, and back; nothing for octets that are not exactly one.
std::string encode(const Exemption& exemption);
std::optional<Exemption> decode_exemption(std::string_view octets);

}  // namespace spf
