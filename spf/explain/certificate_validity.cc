#include "spf/explain/certificate_validity.hh"

#include <algorithm>
#include <chrono>

namespace spf {
namespace {

using namespace std::chrono;

std::string date(Certificate::Time time) {
  const std::string text = utc_text(time);
  return text.substr(0, text.find('T'));
}

std::string days_text(seconds time) {
  const auto count = floor<days>(time).count();
  if (count == 0) return "less than a day";
  return std::to_string(count) + (count == 1 ? " day" : " days");
}

}  // namespace

CertificateValidity validity(const Certificate& certificate, Certificate::Time now) {
  const auto& [from, until, names] = certificate;
  const std::string last = date(until);
  if (now > until)
    return {last + ", " + days_text(now - until) + " ago", "the certificate has expired: " + last};
  const std::string left = days_text(until - now) + " left";
  std::string warning;
  if (now < from)
    warning = "the certificate is not valid before " + utc_text(from);
  else if (until - now < std::min<seconds>(days(14), (until - from) / 3))
    warning = "the certificate expires soon: " + last + ", " + left;
  return {last + ", " + left, warning};
}

}  // namespace spf
