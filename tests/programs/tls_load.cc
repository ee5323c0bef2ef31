// Loads several servers by turns with what is inside TLS 1.3, and prints the
// median of each:
//   tls_load starttls ROUNDS COUNT CLIENTS name=port ...  sessions per second,
//        from the greeting to QUIT with a handshake each, CLIENTS of them at a
//        time
//   tls_load smtps ROUNDS COUNT CLIENTS name=port ...     with TLS before the
//        greeting
//   tls_load body ROUNDS MEGABYTES name=port ...          MB per second of one
//        body, after STARTTLS
// or measures like footprint, after STARTTLS:
//   tls_load footprint PORT SERVER PROGRAM ...
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <string.h>

#include <utility>

#include "tests/programs/client.hh"
#include "tests/programs/footprint.hh"
#include "tests/programs/rounds.hh"

namespace {

// One cipher and one group: all servers are to do the same work.
SSL_CTX* context() {
  static SSL_CTX* const c = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_client_method());
    if (!made || SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(made, "TLS_AES_256_GCM_SHA384") != 1 ||
        SSL_CTX_set1_groups_list(made, "X25519") != 1)
      client::die("OpenSSL", "no context");
    return made;
  }();
  return c;
}

class TlsSession : public client::Session {
 public:
  using Session::Session;
  ~TlsSession() override { SSL_free(ssl_); }

  void open() override {
    Session::open();
    ask("STARTTLS\r\n", "220");
    handshake();
    hello();
  }

  void handshake() {
    SSL* const ssl = SSL_new(context());
    if (!ssl || SSL_set_fd(ssl, fd_) != 1 || SSL_connect(ssl) != 1)
      client::die("no handshake", ERR_error_string(ERR_get_error(), nullptr));
    ssl_ = ssl;
  }

  // The server's close_notify is answered, as it should, and then the end of
  // the connection is waited for: nothing of it is left for the next round.
  void quit() override {
    Session::quit();
    if (SSL_shutdown(ssl_) != 1) client::die("QUIT", "no close_notify");
    SSL_free(std::exchange(ssl_, nullptr));
    drain();
  }

 protected:
  ssize_t read(std::span<char> space) override {
    return ssl_ ? SSL_read(ssl_, space.data(), int(space.size())) : Session::read(space);
  }
  ssize_t write(std::string_view bytes) override {
    return ssl_ ? SSL_write(ssl_, bytes.data(), int(bytes.size())) : Session::write(bytes);
  }

 private:
  SSL* ssl_ = nullptr;
};

void starttls(int port) {
  TlsSession session(port);
  session.open();
  session.quit();
}

void smtps(int port) {
  TlsSession session(port);
  session.handshake();
  session.expect("220");
  session.hello();
  session.quit();
}

[[noreturn]] void usage() {
  fputs("tls_load: usage: tls_load starttls|smtps ROUNDS COUNT CLIENTS name=port ...\n"
        "                 tls_load body ROUNDS MEGABYTES name=port ...\n"
        "                 tls_load footprint PORT SERVER PROGRAM ...\n", stderr);
  exit(100);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) usage();
  signal(SIGPIPE, SIG_IGN);
  context();  // once, for all that are forked
  const std::string what = argv[1];
  if (what == "footprint") {
    footprint::print<TlsSession>(atoi(argv[2]), atoi(argv[3]), argv + 4);
    return 0;
  }
  const int rounds = atoi(argv[2]), amount = atoi(argv[3]);
  const auto targets = rounds::targets(argv + (what == "body" ? 4 : 5));
  if (rounds < 1 || targets.empty()) usage();
  if (what == "body") {
    rounds::run(rounds, targets, [&](int port) {
      TlsSession session(port);
      session.open();
      return rounds::megabytes_per_second(session, amount);
    });
  } else if (what == "starttls" || what == "smtps") {
    const auto session = what == "smtps" ? smtps : starttls;
    rounds::run(rounds, targets, [&](int port) {
      return rounds::per_second(amount, atoi(argv[4]), [&] { session(port); });
    });
  } else {
    usage();
  }
}
