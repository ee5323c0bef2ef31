// Addresses as the kernel knows them: this machine's own, and a socket's peer.
#pragma once

#include <optional>

#include "spf/base/address.hh"

namespace spf {

// Whether the address is one of this machine's own. False, too, where the
// system does not tell.
bool is_own_address(const Address& address);

// Whom an IP socket is connected to; nothing for anything else.
std::optional<Address> peer_address(int fd);

}  // namespace spf
