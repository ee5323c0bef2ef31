// What spftls and spfwrap say to each other on the socket pair between them,
// before it carries the client's plaintext: spftls a line when it has its
// certificate, or can't use it; spfwrap `tls_go` when the client is handed
// over; spftls a line when the handshake is done, or has failed.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "spf/base/buffer.hh"

namespace spf {

inline constexpr std::string_view tls_go = "go\n";

// What spftls has to read its certificate.
inline constexpr std::chrono::seconds tls_ready_time{10};

// Bounds on a line, its LF included, and on a reason in it.
inline constexpr std::size_t max_tls_status = 1024;
inline constexpr std::size_t max_tls_reason = 800;

struct TlsStatus {
  enum class Kind {
    ready,        // certificate and key can be used
    unusable,     // they can't: `reason`
    established,  // `protocol`, `cipher`, `server_name`; plaintext follows
    failed,       // the handshake, because of `reason`
  };
  Kind kind;
  std::string reason = {};
  std::string protocol = {}, cipher = {};  // as OpenSSL names them, no blanks
  std::string server_name = {};            // that the client asked for (SNI), or ""

  bool operator==(const TlsStatus&) const = default;
};

// The status as a line with its LF. What comes from outside is made printable.
std::string tls_status_line(const TlsStatus& status);

// `line` has no LF. Nothing, if it is no line of spftls.
std::optional<TlsStatus> parse_tls_status(std::string_view line);

// Takes one line off the front of `buffer` as soon as all of it is there. One
// that is not `good`, nor says why it is `bad`, or is over its bound, is `bad`.
std::optional<TlsStatus> take_tls_status(Buffer& buffer, TlsStatus::Kind good, TlsStatus::Kind bad);

}  // namespace spf
