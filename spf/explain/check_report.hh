// What spfcheck says of one client and sender.
#pragma once

#include <string>

#include "spf/engine/check.hh"
#include "spf/settings/config.hh"
#include "spf/dns/resolver.hh"

namespace spf {

struct CheckReport {
  Verdict verdict;
  std::string text;  // the result's name in the first line
};

// Makes the check that spfwrap would make with this configuration. `client` and
// level of `config` do not matter for it.
CheckReport report_check(const Query& query, const Config& config, bool own_address,
                         Resolver& resolver);

}  // namespace spf
