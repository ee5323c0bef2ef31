#include "spf/tls/status.hh"

#include <array>

#include "spf/base/ascii.hh"
#include "spf/base/sanitise.hh"

namespace spf {
namespace {

constexpr std::size_t max_name = 60;          // of protocol and cipher
constexpr std::size_t max_server_name = 255;  // RFC 1035 section 2.3.4

constexpr std::array<std::string_view, 4> words = {"ready", "unusable", "established", "failed"};

}  // namespace

std::string tls_status_line(const TlsStatus& status) {
  std::string line(words[unsigned(status.kind)]);
  if (!status.reason.empty()) line += ' ' + printable(status.reason, max_tls_reason);
  if (status.kind == TlsStatus::Kind::established) {
    line += ' ' + printable_word(status.protocol, max_name);
    line += ' ' + printable_word(status.cipher, max_name);
    if (!status.server_name.empty())
      line += ' ' + printable_word(status.server_name, max_server_name);
  }
  return line + '\n';
}

std::optional<TlsStatus> parse_tls_status(std::string_view line) {
  // It is spftls that strangers get at first; nothing else comes from a sound one.
  if (printable(line, line.size()) != line) return {};
  const std::string_view word = take_word(line);
  for (unsigned i = 0; i < words.size(); ++i) {
    if (word != words[i]) continue;
    TlsStatus status{TlsStatus::Kind(i)};
    if (status.kind == TlsStatus::Kind::established) {
      status.protocol = take_word(line);
      status.cipher = take_word(line);
      status.server_name = take_word(line);
      if (status.protocol.empty() || status.cipher.empty()) return {};
    } else {
      status.reason = line;
      line = {};
    }
    if (!line.empty()) return {};
    return status;
  }
  return {};
}

std::optional<TlsStatus> take_tls_status(Buffer& buffer, TlsStatus::Kind good,
                                         TlsStatus::Kind bad) {
  const std::string_view waiting = buffer.data();
  const std::size_t lf = waiting.substr(0, max_tls_status).find('\n');
  if (lf == waiting.npos && waiting.size() < max_tls_status) return {};
  std::optional<TlsStatus> status;
  if (lf != waiting.npos) {
    status = parse_tls_status(waiting.substr(0, lf));
    buffer.consume(lf + 1);
  }
  if (status && (status->kind == good || (status->kind == bad && !status->reason.empty())))
    return status;
  return TlsStatus{bad, "spftls does not make sense"};
}

}  // namespace spf
