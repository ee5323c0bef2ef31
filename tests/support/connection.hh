// Both ends of a connection, as spfwrap may find one on its descriptors.
#pragma once

#include "tests/support/process.hh"

namespace test {

enum class Over {
  pair,     // a socket pair, which tells each end at once what the other does
  packets,  // one that keeps what is written apart
  ip4,      // TCP from 127.0.0.2
  ip6,      // TCP from ::1
  mapped,   // TCP from 127.0.0.2 to a socket of IPv6
};

struct Connection {
  Fd client, server;
};

// Throws std::runtime_error where it can't be made.
Connection connection(Over over);

}  // namespace test
