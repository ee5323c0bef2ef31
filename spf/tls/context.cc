#include "spf/tls/context.hh"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

namespace spf {
namespace {

// What has no forward secrecy, wants parameters nobody configures, or knows no
// certificate: key exchange is left to elliptic curves.
constexpr const char* never = ":!kRSA:!kDHE:!PSK:!SRP:!aNULL";
constexpr const char* groups = "X25519:P-256:X448:P-384:P-521";
constexpr int security_level = 2;

// A key with a passphrase can't be used, and there is nobody to ask for it.
int no_passphrase(char*, int, int, void*) { return 0; }

Certificate::Time utc(const ASN1_TIME* time) {
  using namespace std::chrono;
  std::tm t{};
  if (ASN1_TIME_to_tm(time, &t) != 1) throw TlsError("certificate: a time in it is none");
  const year_month_day date{year(t.tm_year + 1900), month(unsigned(t.tm_mon) + 1),
                            day(unsigned(t.tm_mday))};
  return sys_days(date) + hours(t.tm_hour) + minutes(t.tm_min) + seconds(t.tm_sec);
}

std::vector<std::string> alternative_names(const X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    int type;
    const void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(all.get(), i), &type);
    if (type != GEN_DNS) continue;
    const auto* const text = static_cast<const ASN1_STRING*>(value);
    if (const int size = ASN1_STRING_length(text); size > 0)
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), size);
  }
  return names;
}

// The last one, which is the most specific; "" where there is none.
std::string common_name(const X509* certificate) {
  const X509_NAME* const subject = X509_get_subject_name(certificate);
  int last = -1;
  for (int at; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, last)) >= 0;) last = at;
  if (last < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
  if (size < 0) return {};
  const std::string name(reinterpret_cast<const char*>(utf8), size);
  OPENSSL_free(utf8);
  return name;
}

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

Certificate certificate_of(const SSL_CTX* context) {
  const X509* const own = SSL_CTX_get0_certificate(context);
  Certificate certificate{utc(X509_get0_notBefore(own)), utc(X509_get0_notAfter(own)),
                          alternative_names(own)};
  if (certificate.names.empty())
    if (std::string name = common_name(own); !name.empty())
      certificate.names.push_back(std::move(name));
  return certificate;
}

}  // namespace spf
