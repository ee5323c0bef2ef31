// What `spftls -n` tells of a certificate that it can use: a line, which
// spfcheck reads.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spf {

struct Certificate {
  using Time = std::chrono::sys_seconds;  // UTC

  Time from, until;                // both included (RFC 5280 section 4.1.2.5)
  std::vector<std::string> names;  // of hosts

  bool operator==(const Certificate&) const = default;
};

// "2027-01-31T10:00:00Z"
std::string utc_text(Certificate::Time time);

// "from TIME until TIME for NAME NAME ...", with its LF: printable, no longer
// than a TlsStatus's line, with "..." in the place of names that it has no room
// for.
std::string certificate_line(const Certificate& certificate);

// `line` has no LF. Nothing, if it is no such line.
std::optional<Certificate> parse_certificate_line(std::string_view line);

}  // namespace spf
