// What spfcheck finds of the configuration.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/explain/certificate_validity.hh"
#include "spf/settings/config.hh"
#include "spf/tls/certificate.hh"

namespace spf {

struct ConfigReport {
  enum class Grade {
    good,
    warnings,
    unreadable,  // a control file, or what SMTPS needs: spfwrap takes no mail
  };
  Grade grade;
  std::vector<std::string> errors, warnings;
  std::vector<Setting> settings;  // long values shortened
  std::optional<unsigned> level;  // nothing where its file can't be read
  bool smtps;
  std::string receiver;                    // how this host calls itself
  std::string tls;                         // what is done of it, in words
  bool auth_needs_tls;
  std::optional<Certificate> certificate;  // where spftls can use it
  CertificateValidity validity;            // of that
  std::optional<uid_t> tried_by;           // where it was tried
  std::vector<std::string> name_servers;
};
std::string_view name(ConfigReport::Grade grade);

// All settings that spfwrap would find, where it would find them, and what is
// wrong with them. Reads files, asks nothing; the certificate spftls tries. Throws
// std::bad_alloc.
ConfigReport report_config(const Getenv& getenv);

}  // namespace spf
