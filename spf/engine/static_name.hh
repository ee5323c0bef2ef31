// What can be said of a domain-spec without a client.
#pragma once

#include <optional>
#include <string>

namespace spf {

// The name it stands for, if that is the same for all clients: no macro in it
// but %{d}, the current domain, and %{o}, the sender's. "" stands for `domain`.
// The domain-spec is one that parse_record() accepts.
std::optional<std::string> static_name(const std::string& domain_spec, const std::string& domain,
                                       const std::string& sender_domain);

}  // namespace spf
