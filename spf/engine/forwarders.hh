// control/spfforwarders: whose mail is forwarded to us (see spfwrap(8)).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "spf/base/address.hh"

namespace spf {

// Domains of one list. Each may cost the questions of an SPF check, and all of
// them together have those of one (limits.hh).
inline constexpr std::size_t most_forwarder_domains = 20;

struct Forwarders {
  struct Network {
    Address address;
    unsigned prefix;   // bits, at most address.bits()
    std::string text;  // the line
  };
  std::vector<Network> networks;
  std::vector<std::string> domains;   // with A-labels and no dot at the end; each
                                      // once, at most most_forwarder_domains
  std::vector<std::string> problems;  // `line 3: what is wrong`
};

// Reads the file's text, one rule a line: an address, an address/prefix or a
// domain. A line that is none of these is a problem.
Forwarders parse_forwarders(std::string_view text);

}  // namespace spf
