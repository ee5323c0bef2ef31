#include "spf/tls/context.hh"

#include <openssl/err.h>

#include <cstring>

namespace spf {
namespace {

// What has no forward secrecy, wants parameters nobody configures, or knows no
// certificate: key exchange is left to elliptic curves.
constexpr const char* never = ":!kRSA:!kDHE:!PSK:!SRP:!aNULL";
constexpr const char* groups = "X25519:P-256:X448:P-384:P-521";
constexpr int security_level = 2;

// A key with a passphrase can't be used, and there is nobody to ask for it.
int no_passphrase(char*, int, int, void*) { return 0; }

}  // namespace

std::string openssl_reason(const std::string& otherwise) {
  // The first error is the cause, those after it are how it was passed on.
  const unsigned long error = ERR_peek_error();
  if (error == 0) return otherwise;
  if (ERR_SYSTEM_ERROR(error)) return std::strerror(ERR_GET_REASON(error));
  const char* reason = ERR_reason_error_string(error);
  return reason ? reason : otherwise;
}

SslContext make_tls_context(const TlsFiles& files) {
  // openssl.cnf is for all programs of a host, and costs time to read; what
  // would be cleared up at exit goes with the process anyway.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
  ERR_clear_error();
  const auto need = [](bool done, const std::string& what) {
    if (!done) throw TlsError(what + ": " + openssl_reason("no reason given"));
  };

  SslContext context(SSL_CTX_new(TLS_server_method()));
  need(context != nullptr, "OpenSSL");
  SSL_CTX* const c = context.get();
  SSL_CTX_set_security_level(c, security_level);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                             SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_early_data(c, 0);
  SSL_CTX_set_default_passwd_cb(c, no_passphrase);
  // A connection that is idle holds no buffers; one that is not reads more
  // than a record at a time.
  SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                          SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(c, 1);
  SSL_CTX_set_default_read_buffer_len(c, 4 * SSL3_RT_MAX_ENCRYPTED_LENGTH);  // whole records
  need(SSL_CTX_set_num_tickets(c, 0) == 1 && SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set1_groups_list(c, groups) == 1,
       "OpenSSL");
  const std::string ciphers = files.ciphers.empty() ? "DEFAULT" : files.ciphers;
  need(SSL_CTX_set_cipher_list(c, (ciphers + never).c_str()) == 1, "ciphers " + ciphers);
  need(SSL_CTX_use_certificate_chain_file(c, files.certificate.c_str()) == 1, files.certificate);
  need(SSL_CTX_use_PrivateKey_file(c, files.key.c_str(), SSL_FILETYPE_PEM) == 1, files.key);
  need(SSL_CTX_check_private_key(c) == 1, files.key);
  return context;
}

}  // namespace spf
