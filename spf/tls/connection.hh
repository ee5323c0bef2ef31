// One client's TLS on descriptors 0 and 1, and its plaintext on another. Only
// spftls links this.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "spf/base/buffer.hh"
#include "spf/tls/status.hh"

namespace spf {

class TlsConnection {
 public:
  // All descriptors are set non-blocking. `plain` is a stream socket and stays
  // the caller's. Throws TlsError.
  TlsConnection(SSL_CTX* context, int plain);

  // Waits for the client at most so long in all. The status is `established`
  // or `failed`; after `failed` the client has its alert and that was it.
  TlsStatus handshake(std::chrono::seconds time);

  // Copies in both directions until both have ended or one is cut off. The end
  // of what the client sends is passed on as such only where TLS vouches for
  // it (close_notify); else everything ends when it does. `first` goes to
  // `plain` before all else. What was wrong with the client's TLS, if that ended
  // it; "" where it was not, however the connection went.
  std::string relay(std::string_view first);

 private:
  void read_client();
  void read_plain();
  void write_plain();
  void write_client();
  void wait();
  int trouble(int result);
  void lose_client(bool due);
  bool client_readable() const;
  bool plain_readable() const;

  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  std::unique_ptr<SSL, Free> ssl_;
  const int plain_;
  const bool client_is_socket_;
  BufferMemory memory_;
  Buffer to_plain_, to_client_;
  std::string problem_;  // relay()'s

  // Which way is open, and which descriptor is worth a try before the next wait.
  bool client_sends_ = true, plain_sends_ = true;
  bool client_gone_ = false, plain_gone_ = false;
  bool told_plain_ = false, told_client_ = false;
  bool client_in_ = true, client_out_ = true, plain_in_ = true, plain_out_ = true;
};

}  // namespace spf
