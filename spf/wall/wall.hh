// The wall round the process that evaluates what strangers publish: libspf2
// parses there, and a hole in it must lead nowhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "spf/base/socket_address.hh"

namespace spf {

// The one descriptor to which a walled process may write.
inline constexpr int walled_output = 0;

// What the soft limit on CPU time, in seconds, gives a walled process.
inline constexpr unsigned walled_cpu_seconds = 1;

// The addresses to which a walled process may connect, in memory that nothing
// behind the wall can change. seccomp can compare pointers but not what they
// point to, so each address has its place: IPv4 addresses in the first
// `sealed_slots` of them, IPv6 addresses in as many more. In a place that is
// not needed stands another of the addresses: zeros there would be AF_UNSPEC,
// with which connect(2) undoes a connection. The places of a family differ in
// three bits of their address, so that the filter needs one comparison for all
// of them.
inline constexpr std::size_t sealed_size = 4096;
inline constexpr std::size_t sealed_slots = 8;

struct alignas(256) SealedSlot {
  SocketAddress address;
};
static_assert(2 * sealed_slots * sizeof(SealedSlot) == sealed_size);

// Where they are: near what else is mapped, since memory far from all other costs
// each process page tables of its own.
std::uintptr_t sealed_address();

// Stands for sealed_address() in the filter, which is written when spfwrap is built.
inline constexpr std::uint64_t sealed_stand_in = 0x5ea1ed005ea10000;

// Made before the process forks that is to be walled: once for many.
class SealedAddresses {
 public:
  // Needs 1 to sealed_slots addresses, and no other object of its kind. Throws
  // std::system_error.
  explicit SealedAddresses(const std::vector<SocketAddress>& addresses);
  ~SealedAddresses();
  SealedAddresses(const SealedAddresses&) = delete;
  SealedAddresses& operator=(const SealedAddresses&) = delete;

  // In the order given.
  const std::vector<const SocketAddress*>& get() const { return places_; }

 private:
  std::vector<const SocketAddress*> places_;
};

// From here on the process can compute, speak over the connected sockets that
// it has, open TCP to the sealed addresses and write to walled_output; anything
// else kills it. It gets no new privileges, 64 MB of memory, walled_cpu_seconds
// of CPU (then SIGXCPU), 64 descriptors, no file to write, no process. False
// where the kernel has no seccomp: the rest of the wall stands. Throws
// std::system_error where not even that does.
bool raise_wall();

}  // namespace spf
