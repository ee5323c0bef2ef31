// What spfcheck says of the configuration.
#pragma once

#include <string>

#include "spf/settings/config.hh"

namespace spf {

struct ConfigReport {
  enum class Grade {
    good,
    warnings,
    unreadable,  // a control file, or what SMTPS needs: spfwrap takes no mail
  };
  Grade grade;
  std::string text;  // the grade's name in the first line
};
std::string_view name(ConfigReport::Grade grade);

// All settings that spfwrap would find, where it would find them, and what is
// wrong with them. Reads files, asks nothing; the certificate spftls tries.
ConfigReport report_config(const Getenv& getenv);

}  // namespace spf
