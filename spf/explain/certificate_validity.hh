// How long a certificate is good for, as of now.
#pragma once

#include <string>

#include "spf/tls/certificate.hh"

namespace spf {

struct CertificateValidity {
  std::string until;    // its last day, and the days left
  std::string warning;  // what is wrong with it now or will be soon, or ""
};

// Soon is less than 14 days, or less than a third of its whole life where that
// is shorter: what renews a certificate does so earlier, and has failed by then.
CertificateValidity validity(const Certificate& certificate, Certificate::Time now);

}  // namespace spf
