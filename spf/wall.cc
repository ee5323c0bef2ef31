#include "spf/wall.hh"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <system_error>

namespace spf {
namespace {

// The sanitizers need system calls and memory that the wall forbids.
#ifdef __SANITIZE_ADDRESS__
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

sock_filter filter[] = {
#include "wall_filter.inc"  // written by wall_filter.cc
};

void limit(int resource, rlim_t most) {
  const auto which = static_cast<__rlimit_resource>(resource);
  rlimit both;
  // A tighter one that we were given can't be raised, and shall not be.
  if (getrlimit(which, &both) == 0) most = std::min(most, both.rlim_max);
  both = {most, most};
  if (setrlimit(which, &both) != 0)
    throw std::system_error(errno, std::generic_category(), "setrlimit");
}

}  // namespace

void Unmap::operator()(const void* memory) const {
  munmap(const_cast<void*>(memory), sealed_size);
}

Sealed seal(const void* from, std::size_t size) {
  void* memory = mmap(reinterpret_cast<void*>(sealed_address), sealed_size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  // Another one is there already, as in a program that makes several resolvers.
  if (memory == MAP_FAILED)
    memory = mmap(nullptr, sealed_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  std::memcpy(memory, from, size);
  mprotect(memory, sealed_size, PROT_READ);
  return Sealed(memory);
}

bool raise_wall() {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, 10);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_NPROC, 0);
  limit(RLIMIT_NOFILE, 64);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw std::system_error(errno, std::generic_category(), "no_new_privs");
  if (sanitized) return true;
  limit(RLIMIT_AS, 64 << 20);
  const sock_fprog program = {std::size(filter), filter};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace spf
