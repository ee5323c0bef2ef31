// The client's side of the proxy, and spftls, which may stand before it.
#include <algorithm>
#include <string>
#include <system_error>

#include "spf/base/environment.hh"
#include "spf/dialogue/variables.hh"
#include "spf/proxy/proxy.hh"
#include "spf/tls/status.hh"

namespace spf {

// Whether that is news for the session.
bool Proxy::write_to_client() {
  Buffer& buffer = session_.to_client();
  if (!client_.output_open) {
    buffer.clear();
    return false;
  }
  if (!session_.output_ready()) return false;
  const std::size_t room = buffer.room();
  if (write_from(1, buffer) == Io::closed) {
    client_.output_open = false;
    session_.client_lost();
    buffer.clear();
  }
  if (tls_ && tls_->handing_over && buffer.empty()) start_tls();
  return buffer.room() != room;
}

void Proxy::hear_client() {
  if (end_) {
    discard(0, client_.input_open);
  } else if (read_into(0, session_.from_client()) == Io::closed) {
    client_.input_open = false;
    session_.client_closed();
  }
}

void Proxy::lose_client() {
  client_.input_open = client_.output_open = false;
  session_.client_lost();
}

void Proxy::stop_lingering() { client_.lingers = false; }

void Proxy::prepare_tls() {
  try {
    Os::Tls started = os_.start_tls();
    tls_.emplace(Tls{std::move(started.socket), std::move(started.process)});
  } catch (const std::system_error& error) {
    session_.from_tls().append(tls_status_line(
        {TlsStatus::Kind::unusable, std::string("unable to run spftls: ") + error.what()}));
  }
}

void Proxy::dismiss_tls() { tls_.reset(); }

void Proxy::hear_tls() {
  if (read_into(tls_->socket.get(), session_.from_tls()) != Io::closed) return;
  tls_->speaks = false;
  session_.tls_closed();
}

// The client is spftls' from here on: descriptors 0 and 1 are now the
// plaintext, and no other process has the client's socket.
void Proxy::start_tls() {
  tls_->handing_over = false;
  if (os_.write(tls_->socket.get(), tls_go) != ssize_t(tls_go.size())) {
    // It is gone, which shows as the end of what it says.
  }
  os_.replace_client(tls_->socket.get());
  tls_->socket.reset();
  client_.is_socket = true;
  remove_variables(tls_variable_names);
}

// Out of what prog finds in its environment from now on.
void Proxy::remove_variables(std::span<const std::string_view> names) {
  std::erase_if(environment_, [names](const char* entry) { return sets_one_of(entry, names); });
}

}  // namespace spf
