// What a TLS server is, in OpenSSL's terms: protocol versions, ciphers,
// certificate and key. Only spftls links this.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "spf/tls/certificate.hh"

namespace spf {

// what() tells what could not be done, and why, as OpenSSL words it.
struct TlsError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct SslContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslContext = std::unique_ptr<SSL_CTX, SslContextFree>;

struct TlsFiles {
  std::string certificate;  // PEM: the server's own first, then its chain
  std::string key;          // PEM, not encrypted; may be the same file
  std::string ciphers;      // for TLS 1.2, in OpenSSL's syntax; "" for its own list
};

// A server that speaks TLS 1.2 and 1.3 with (EC)DHE over elliptic curves, its
// own order of preference, and nothing of resumption, tickets, early data,
// compression or renegotiation. Throws TlsError.
SslContext make_tls_context(const TlsFiles& files);

// What stands in the server's own certificate. Its names are the dNSNames of its
// subjectAltName or, where it has none, its common name (RFC 6125 section 6.4.4).
// Throws TlsError where a time in it is none.
Certificate certificate_of(const SSL_CTX* context);

// Why the last call of OpenSSL failed; `otherwise` where it does not say.
std::string openssl_reason(const std::string& otherwise);

}  // namespace spf
