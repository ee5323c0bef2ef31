// What stands on top of a message that was checked.
#pragma once

#include <string>
#include <vector>

#include "spf/dialogue/policy.hh"
#include "spf/engine/check.hh"
#include "spf/engine/verdict.hh"
#include "spf/settings/config.hh"

namespace spf {

// What is written down of a verdict, each in one line.
struct HeaderValues {
  std::string received_spf;            // SPFHEADER: there whatever SPFHEADERTYPE says
  std::string authentication_results;  // SPFAUTHRESULTS: "" with SPFHEADERTYPE=spf
  // The same for the HELO name beside MAIL's domain, "" where that was not judged.
  std::string helo_received_spf, helo_authentication_results;
};
HeaderValues header_values(const Query& query, const Judgement& judgement, const Config& config);

// The fields that SPFHEADERTYPE wants, folded, with CRLF; of each kind that for the
// HELO name is the second.
std::string header_fields(const HeaderValues& values, HeaderType type);

// "NAME=value" for each variable that speaks of this MAIL (variables.hh).
std::vector<std::string> variables(const JudgedMail& mail, const HeaderValues& values);

}  // namespace spf
