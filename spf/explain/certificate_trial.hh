// Whether spftls can use the certificate that the settings name.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "spf/settings/config.hh"
#include "spf/tls/certificate.hh"

namespace spf {

// The certificate, or why it can't be used, in the words of spfwrap's log.
struct CertificateTrial {
  std::optional<Certificate> certificate;
  std::string reason;
};

// Runs `spftls -n` with the files that `config` names, for no longer than
// `limit`. `spftls` is its path.
CertificateTrial try_certificate(const std::string& spftls, const Config& config,
                                 std::chrono::milliseconds limit);

}  // namespace spf
