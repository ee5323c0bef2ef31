#include "tests/support/certificate.hh"

#include <stdexcept>

namespace test {

namespace {

// $1 is the directory. EC keys cost nothing to make.
constexpr const char* script = R"(
set -e
cd "$1"
ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256'
ca='basicConstraints=critical,CA:TRUE'
request() { openssl req -x509 -days 10 -nodes "$@"; }
request $ec -keyout root.key -out root.pem -subj /CN=root -addext $ca
request $ec -keyout middle.key -out middle.pem -subj /CN=middle -CA root.pem -CAkey root.key -addext $ca
request $ec -keyout key.pem -out own.pem -subj /CN=mx.local -CA middle.pem -CAkey middle.key
request -newkey rsa:2048 -keyout rsa.key -out rsa.own -subj /CN=mx.local -CA middle.pem -CAkey middle.key
request -newkey rsa:1024 -keyout weak.key -out weak.own -subj /CN=mx.local
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key
openssl pkey -in key.pem -aes256 -passout pass:secret -out encrypted.key
cat own.pem middle.pem >chain.pem
cat key.pem chain.pem >server.pem
cat rsa.key rsa.own middle.pem >rsa.pem
cat encrypted.key chain.pem >encrypted.pem
cat weak.key weak.own >weak.pem
)";

}  // namespace

Certificates::Certificates()
    : root(files.file("root.pem")),
      server(files.file("server.pem")),
      chain(files.file("chain.pem")),
      key(files.file("key.pem")),
      other_key(files.file("other.key")),
      encrypted(files.file("encrypted.pem")),
      weak(files.file("weak.pem")),
      rsa(files.file("rsa.pem")) {
  const Finished made = run({"sh", "-c", script, "sh", files.path()}, {}, 60s);
  if (made.code != 0) throw std::runtime_error("openssl: " + made.err);
}

const Certificates& certificates() {
  static const Certificates all;
  return all;
}

}  // namespace test
