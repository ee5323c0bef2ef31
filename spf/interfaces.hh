// This machine's own addresses.
#pragma once

#include "spf/address.hh"

namespace spf {

// Whether one of this machine's network interfaces has the address. False,
// too, where the system does not tell.
bool is_own_address(const Address& address);

}  // namespace spf
