// One SPF check in a process of its own, behind a wall (walled_process.hh): it
// may wait for DNS while the dialogue goes on, and what the check parses can't
// harm the dialogue.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "spf/engine/check.hh"
#include "spf/engine/verdict.hh"
#include "spf/proxy/walled_check.hh"

namespace spf {

class Evaluator final : public WalledCheck {
 public:
  // How the check is made; tests have others.
  using Check = Judgement(const Query&, const CheckOptions&, Resolver&);

  // Starts the check, which asks `name_servers` and ends within `time`. Throws
  // std::system_error.
  Evaluator(const Query& query, const CheckOptions& options,
            const SealedAddresses& name_servers, std::chrono::seconds time,
            Check* check = spf::check);

  std::optional<CheckAnswer> read(const CheckAnswer& otherwise) override;
};

// A judgement as octets, and back; nothing for octets that are not exactly one.
std::string encode(const Judgement& judgement);
std::optional<Judgement> decode(std::string_view octets);

}  // namespace spf
