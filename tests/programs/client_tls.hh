// A client's TLS as octets that come and go; what carries them is its user's affair.
#pragma once

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace client {

class Tls {
 public:
  struct Settings {
    std::string version;  // 1.2 or 1.3 alone
    std::string ciphers;  // for TLS 1.2
    std::string name;     // the server's (SNI)
    std::string ca;       // a file, in which its chain must end
  };
  enum class Result { done, wants_more, ended, broken };

  // Throws std::runtime_error where OpenSSL can't do what is wanted.
  explicit Tls(const Settings& settings) : context_(context(settings)), ssl_(SSL_new(context_.get())) {
    incoming_ = BIO_new(BIO_s_mem());
    outgoing_ = BIO_new(BIO_s_mem());
    need(ssl_ && incoming_ && outgoing_);
    BIO_set_mem_eof_return(incoming_, -1);  // more is to come
    SSL_set_bio(ssl_.get(), incoming_, outgoing_);
    SSL_set_connect_state(ssl_.get());
    if (!settings.name.empty()) need(SSL_set_tlsext_host_name(ssl_.get(), settings.name.c_str()) == 1);
  }

  // What the server has sent; nothing is its end.
  void received(std::string_view octets) {
    if (octets.empty())
      BIO_set_mem_eof_return(incoming_, 0);
    else
      need(BIO_write(incoming_, octets.data(), int(octets.size())) == int(octets.size()));
  }

  // What it is to be sent, and has been once this is called.
  std::string to_send() {
    std::string octets(BIO_pending(outgoing_), '\0');
    BIO_read(outgoing_, octets.data(), int(octets.size()));
    return octets;
  }

  Result handshake() {
    ERR_clear_error();
    return result_of(SSL_do_handshake(ssl_.get()));
  }

  Result read(std::string& to) {
    char octets[SSL3_RT_MAX_PLAIN_LENGTH];  // a record
    ERR_clear_error();
    const int count = SSL_read(ssl_.get(), octets, sizeof octets);
    if (count > 0) to.append(octets, count);
    return result_of(count);
  }

  // Whether it is possible: not when it is broken.
  bool write(std::string_view octets) {
    ERR_clear_error();
    return SSL_write(ssl_.get(), octets.data(), int(octets.size())) > 0;
  }

  void close_notify() {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }

  // Once the handshake is done.
  std::string protocol() const { return SSL_get_version(ssl_.get()); }
  std::string cipher() const { return SSL_get_cipher_name(ssl_.get()); }

  // Why something is broken, as the SSL_R_... of OpenSSL has it.
  static std::string reason() {
    const char* const text = ERR_reason_error_string(ERR_peek_last_error());
    std::string reason = text ? text : "no reason given";
    for (char& c : reason) c = c == ' ' ? '_' : char(toupper(c));
    return reason;
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  static void need(bool done) {
    if (!done) throw std::runtime_error(reason());
  }

  static std::unique_ptr<SSL_CTX, Free> context(const Settings& settings) {
    // openssl.cnf is for all programs of a host, and costs time to read.
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, nullptr);
    std::unique_ptr<SSL_CTX, Free> made(SSL_CTX_new(TLS_client_method()));
    need(made != nullptr);
    SSL_CTX* const c = made.get();
    need(SSL_CTX_set_min_proto_version(c, settings.version == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(c, settings.version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION) == 1);
    if (!settings.ciphers.empty()) need(SSL_CTX_set_cipher_list(c, settings.ciphers.c_str()) == 1);
    if (!settings.ca.empty()) {
      need(SSL_CTX_load_verify_locations(c, settings.ca.c_str(), nullptr) == 1);
      SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
    }
    return made;
  }

  Result result_of(int returned) const {
    switch (SSL_get_error(ssl_.get(), returned)) {
      case SSL_ERROR_NONE: return Result::done;
      case SSL_ERROR_WANT_READ: return Result::wants_more;
      case SSL_ERROR_ZERO_RETURN: return Result::ended;
      default: return Result::broken;
    }
  }

  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  BIO *incoming_, *outgoing_;  // the SSL owns them
};

}  // namespace client
