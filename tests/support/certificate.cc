#include "tests/support/certificate.hh"

#include <filesystem>
#include <stdexcept>

#include "tests/support/process.hh"

namespace test {

Certificates::Certificates()
    : directory(built("certificates")),
      root(directory + "/root.pem"),
      server(directory + "/server.pem"),
      chain(directory + "/chain.pem"),
      key(directory + "/key.pem"),
      other_key(directory + "/other.key"),
      encrypted(directory + "/encrypted.pem"),
      weak(directory + "/weak.pem"),
      rsa(directory + "/rsa.pem"),
      rsa_key(directory + "/rsa.key"),
      old(directory + "/old.pem"),
      young(directory + "/young.pem") {
  if (!std::filesystem::is_directory(directory))
    throw std::runtime_error("no certificates: make check makes them in " + directory);
}

const Certificates& certificates() {
  static const Certificates all;
  return all;
}

}  // namespace test
