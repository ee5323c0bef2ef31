#include "spf/proxy/exempter.hh"

namespace spf {
namespace {

constexpr char trouble = 't', known = 'k';  // and then the problem, or the reason

}  // namespace

std::string encode(const Exemption& exemption) {
  return exemption.trouble ? trouble + exemption.problem : known + exemption.reason;
}

std::optional<Exemption> decode_exemption(std::string_view octets) {
  if (!octets.starts_with(trouble) && !octets.starts_with(known)) return {};
  Exemption exemption;
  exemption.trouble = octets.starts_with(trouble);
  (exemption.trouble ? exemption.problem : exemption.reason) = octets.substr(1);
  return exemption;
}

Exempter::Exempter(const Query& query, const ExemptionOptions& options,
                   const SealedAddresses& name_servers, std::chrono::seconds time,
                   Search* search)
    : WalledCheck(name_servers, time, [&](Resolver& resolver) {
        Trace nobody;
        return encode(search(query, options, resolver, nobody));
      }) {}

std::optional<CheckAnswer> Exempter::read(const CheckAnswer& otherwise) {
  switch (process_.read()) {
    case WalledProcess::State::working: return {};
    case WalledProcess::State::died: complaint_ = "search for an exemption " + process_.end(); break;
    case WalledProcess::State::done:
      if (auto exemption = decode_exemption(process_.take_text())) return *std::move(exemption);
      complaint_ = "search for an exemption gave no answer";
  }
  return otherwise;
}

}  // namespace spf
