// tests/programs/tls_client before spfwrap: what a Wrapped's client says and hears
// is inside TLS from the 220 to STARTTLS on.
#pragma once

#include <string>

#include "tests/support/certificate.hh"
#include "tests/support/wrapped.hh"

namespace test {

class TlsClient {
 public:
  explicit TlsClient(Arguments options = {}) : options_(std::move(options)) {}

  // `setup` with the client in it, and with a certificate unless it has one.
  Setup before(Setup setup) const;

  // What it reported, each line followed by \n; the first line alone, once it
  // is there; the last one, once the server has ended.
  std::string report() const { return read_file(files_.file("report")); }
  std::string handshake() const;
  std::string end() const;

 private:
  Arguments options_;
  TempDir files_;
};

// A copy of spfwrap with a spftls of the test's own beside it: a shell script,
// which is run as spftls is, with nothing in its environment.
class OwnSpftls {
 public:
  explicit OwnSpftls(const std::string& script);

  // `setup` with that spfwrap in the place of the other.
  Setup beside(Setup setup) const;

 private:
  TempDir files_;
};

// Reads the greeting, says EHLO, STARTTLS, and EHLO again; the reply to that,
// or what came instead.
std::string start_tls(Wrapped& spfwrap, std::string_view name = "mail.example.org");

// The process of a Wrapped's group that runs `program`, once it is there. Throws
// std::runtime_error if it does not come.
pid_t process_of(Wrapped& spfwrap, const std::string& program);

// The warnings among what a Wrapped wrote on descriptor 2.
std::vector<std::string> warnings(const Wrapped& spfwrap);

}  // namespace test
