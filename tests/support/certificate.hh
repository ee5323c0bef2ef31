// Certificates, for mx.local where nothing else is said, as openssl makes them:
// tests/support/certificates, which make runs before all tests. They are everybody's,
// and nobody's to change.
#pragma once

#include <string>

namespace test {

struct Certificates {
  Certificates();

  std::string directory;     // perhaps not for other users to look into
  std::string root;          // what clients trust
  std::string server;        // key, own certificate and the intermediate's, in one file
  std::string chain, key;    // the same in two
  std::string other_key;     // fits no certificate
  std::string encrypted;     // as `server`, but the key needs a passphrase
  std::string weak;          // RSA of 1024 bits
  std::string rsa;           // RSA of 2048 bits, as `server`
  std::string rsa_key;       // its key alone
  std::string old, young;    // for mx.example: only in January 2025, and in 2099
};

// Throws std::runtime_error where they were not made.
const Certificates& certificates();

}  // namespace test
