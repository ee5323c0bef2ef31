// This machine's own addresses.
#pragma once

#include "spf/address.hh"

namespace spf {

// Whether the address is one of this machine's own. False, too, where the
// system does not tell.
bool is_own_address(const Address& address);

}  // namespace spf
