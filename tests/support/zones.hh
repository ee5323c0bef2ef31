// The zones most dialogue tests use. The name says the result for the client
// 192.0.2.1 or 2001:db8::1: a@pass.example.org passes, and so on. Of
// temperror.example the name server knows nothing, and refuses.
#pragma once

#include <vector>

#include "tests/support/name_server.hh"

namespace test {

std::vector<Zone> standard_zones();

}  // namespace test
