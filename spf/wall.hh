// The wall round the process that evaluates what strangers publish: libspf2
// parses there, and a hole in it must lead nowhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace spf {

// The one descriptor to which a walled process may write.
inline constexpr int verdict_descriptor = 0;

// Where memory is that a walled process can't change: connect() is allowed to
// the addresses in it and to no other, and only pointers can be told apart.
inline constexpr std::uintptr_t sealed_address = 0x100000000000;
inline constexpr std::size_t sealed_size = 4096;

// A copy of `size` octets (at most sealed_size) at `from` that nothing can
// change any more, at sealed_address where that is free. Null where there is
// no memory.
struct Unmap {
  void operator()(const void* memory) const;
};
using Sealed = std::unique_ptr<const void, Unmap>;
Sealed seal(const void* from, std::size_t size);

// From here on the process can compute, ask its DNS sockets, open TCP to the
// sealed addresses and write to verdict_descriptor; anything else kills it.
// It gets no new privileges, 64 MB of memory, 10 s of CPU, 64 descriptors, no
// file to write, no process. False where the kernel has no seccomp: the rest
// of the wall stands. Throws std::system_error where not even that does.
bool raise_wall();

}  // namespace spf
