// Certificates for mx.local as openssl makes them, for all tests of a program.
#pragma once

#include <string>

#include "tests/support/process.hh"
#include "tests/support/temp_dir.hh"

namespace test {

struct Certificates {
  Certificates();

  TempDir files;
  std::string root;          // what clients trust
  std::string server;        // key, own certificate and the intermediate's, in one file
  std::string chain, key;    // the same in two
  std::string other_key;     // fits no certificate
  std::string encrypted;     // as `server`, but the key needs a passphrase
  std::string weak;          // RSA of 1024 bits
  std::string rsa;           // RSA of 2048 bits, as `server`
};

// Made at its first use.
const Certificates& certificates();

}  // namespace test
