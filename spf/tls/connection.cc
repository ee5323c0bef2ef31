#include "spf/tls/connection.hh"

#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "spf/base/descriptor.hh"
#include "spf/tls/context.hh"

namespace spf {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int client_input = 0;
constexpr int client_output = 1;
constexpr std::size_t buffer_size = 65536;

constexpr short broken = POLLERR | POLLHUP | POLLNVAL;

void set_nonblocking_too(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

// What the client asked for, as it was sent; "" if nothing.
std::string server_name(const SSL* ssl) {
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return name ? name : "";
}

}  // namespace

TlsConnection::TlsConnection(SSL_CTX* context, int plain)
    : ssl_(SSL_new(context)),
      plain_(plain),
      client_is_socket_(is_socket(client_input)),
      memory_(2 * buffer_size),
      to_plain_(memory_.take(buffer_size)),
      to_client_(memory_.take(buffer_size)) {
  if (!ssl_ || SSL_set_rfd(ssl_.get(), client_input) != 1 ||
      SSL_set_wfd(ssl_.get(), client_output) != 1)
    throw TlsError("OpenSSL: " + openssl_reason("out of memory"));
  for (const int fd : {client_input, client_output, plain}) set_nonblocking_too(fd);
}

TlsStatus TlsConnection::handshake(std::chrono::seconds time) {
  const auto failed = [](std::string reason) {
    return TlsStatus{TlsStatus::Kind::failed, std::move(reason)};
  };
  const Clock::time_point end = Clock::now() + time;
  for (;;) {
    ERR_clear_error();
    const int result = SSL_accept(ssl_.get());
    if (result == 1) break;
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_SYSCALL) return failed(std::strerror(errno));
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
      return failed(openssl_reason("connection closed"));

    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd fds[] = {{error == SSL_ERROR_WANT_READ ? client_input : client_output,
                     short(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0},
                    {plain_, 0, 0}};
    if (left.count() <= 0)
      return failed("no handshake in " + std::to_string(time.count()) + " seconds");
    if (poll(fds, 2, int(left.count()) + 1) > 0 && fds[1].revents) return failed("given up");
  }
  return {TlsStatus::Kind::established, "", SSL_get_version(ssl_.get()),
          SSL_get_cipher_name(ssl_.get()), server_name(ssl_.get())};
}

// What SSL_get_error says of `result`; where the connection is broken, that is
// noted.
int TlsConnection::trouble(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE &&
      error != SSL_ERROR_ZERO_RETURN) {
    const unsigned long cause = ERR_peek_error();
    const bool cut_off = ERR_GET_REASON(cause) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    if (cause != 0 && !cut_off) problem_ = openssl_reason("connection broken");
    lose_client(cut_off);  // it may have closed after its last word
  }
  return error;
}

// Nobody hears replies any more. What the client said is delivered if it is due.
void TlsConnection::lose_client(bool due) {
  client_gone_ = true;
  to_client_.clear();
  if (!due) to_plain_.clear();
}

bool TlsConnection::client_readable() const {
  return client_in_ && client_sends_ && !client_gone_ && to_plain_.room() > 0;
}

bool TlsConnection::plain_readable() const {
  return plain_in_ && plain_sends_ && to_client_.room() > 0;
}

void TlsConnection::read_client() {
  while (client_readable()) {
    const std::span<char> space = to_plain_.space();
    std::size_t count = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), space.data(), space.size(), &count);
    if (result == 1) {
      to_plain_.written(count);
      continue;
    }
    switch (trouble(result)) {
      case SSL_ERROR_ZERO_RETURN: client_sends_ = false; break;
      case SSL_ERROR_WANT_READ: client_in_ = false; break;
      case SSL_ERROR_WANT_WRITE: client_in_ = client_out_ = false; break;
    }
  }
}

void TlsConnection::write_client() {
  while (client_out_ && !client_gone_ && !to_client_.empty()) {
    std::size_t count = 0;
    ERR_clear_error();
    const int result =
        SSL_write_ex(ssl_.get(), to_client_.data().data(), to_client_.data().size(), &count);
    if (result == 1)
      to_client_.consume(count);
    else if (trouble(result) == SSL_ERROR_WANT_WRITE)
      client_out_ = false;
    else
      return;
  }
  if (plain_sends_ || told_client_ || client_gone_ || !to_client_.empty() || !client_out_) return;
  ERR_clear_error();
  const int result = SSL_shutdown(ssl_.get());
  if (result < 0 && trouble(result) == SSL_ERROR_WANT_WRITE) {
    client_out_ = false;
    return;
  }
  if (shutdown(client_output, SHUT_WR) != 0) close(client_output);
  told_client_ = true;
}

void TlsConnection::read_plain() {
  while (plain_readable()) {
    const std::span<char> space = to_client_.space();
    const ssize_t count = read(plain_, space.data(), space.size());
    if (count > 0) {
      // spfwrap may have to get rid of a reply before it takes that last word.
      if (!client_gone_) to_client_.written(count);
      // Less than there is room for was all, but for its end.
      plain_in_ = plain_gone_ || std::size_t(count) == space.size();
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else if (count < 0 && errno == EAGAIN) {
      plain_in_ = false;
    } else {
      plain_sends_ = false;
    }
  }
}

void TlsConnection::write_plain() {
  while (plain_out_ && !plain_gone_ && !to_plain_.empty()) {
    const ssize_t count = write(plain_, to_plain_.data().data(), to_plain_.data().size());
    if (count > 0)
      to_plain_.consume(count);
    else if (errno == EAGAIN)
      plain_out_ = false;
    else if (errno != EINTR)
      plain_gone_ = true;
  }
  if (plain_gone_) to_plain_.clear();
  if (client_sends_ || told_plain_ || !to_plain_.empty()) return;
  shutdown(plain_, SHUT_WR);
  told_plain_ = true;
}

// A socket that is closed in both directions says so although nobody asks; once
// that is known it is not watched, or this would not wait.
void TlsConnection::wait() {
  const bool reads_client = client_sends_ && to_plain_.room() > 0;
  const bool reads_plain = plain_sends_ && to_client_.room() > 0;
  const bool watches_client =
      !client_gone_ && (reads_client || (client_is_socket_ && !told_client_));
  pollfd in{watches_client ? client_input : -1, short(reads_client ? POLLIN : 0), 0};
  pollfd out{client_gone_ || client_out_ ? -1 : client_output, POLLOUT, 0};
  pollfd plain{plain_gone_ ? -1 : plain_,
               short((reads_plain ? POLLIN : 0) | (to_plain_.empty() ? 0 : POLLOUT)), 0};
  pollfd fds[] = {in, out, plain};
  if (poll(fds, 3, -1) < 0) return;
  if (fds[0].revents) client_in_ = true;
  if (fds[1].revents) client_in_ = client_out_ = true;
  if (fds[2].revents & (POLLIN | broken)) plain_in_ = true;
  if (fds[2].revents & (POLLOUT | broken)) plain_out_ = true;
  if (!reads_client && (fds[0].revents & broken)) lose_client(false);
  if (fds[2].revents & broken) plain_gone_ = true;
}

std::string TlsConnection::relay(std::string_view first) {
  to_plain_.append(first);
  write_plain();  // even if the client is gone by now: there was a handshake
  for (;;) {
    read_client();
    write_plain();
    read_plain();
    write_client();
    // What the client sent before it was cut off has arrived, and is due.
    if (client_gone_ && (to_plain_.empty() || plain_gone_)) return problem_;
    if (told_client_ && (plain_gone_ || told_plain_)) return problem_;
    if (!client_readable() && !plain_readable()) wait();
  }
}

}  // namespace spf
