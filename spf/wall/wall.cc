#include "spf/wall/wall.hh"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
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

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// At `soft` there may be a signal; at `hard` there is the end.
void limit(int resource, rlim_t soft, rlim_t hard) {
  const auto which = static_cast<__rlimit_resource>(resource);
  rlimit both;
  // A tighter one that we were given can't be raised, and shall not be.
  if (hard > 0 && getrlimit(which, &both) == 0) hard = std::min(hard, both.rlim_max);
  both = {std::min(soft, hard), hard};
  if (setrlimit(which, &both) != 0) fail("setrlimit");
}

void limit(int resource, rlim_t most) { limit(resource, most, most); }

}  // namespace

SealedAddresses::SealedAddresses(const std::vector<SocketAddress>& addresses) {
  void* const memory =
      mmap(reinterpret_cast<void*>(sealed_address), sealed_size, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  auto* const slots = static_cast<SealedSlot*>(memory);
  std::fill_n(slots, 2 * sealed_slots, SealedSlot{addresses.front()});
  std::size_t next4 = 0, next6 = sealed_slots;
  for (const SocketAddress& address : addresses) {
    std::size_t& next = address.family() == AF_INET ? next4 : next6;
    slots[next].address = address;
    places_.push_back(&slots[next++].address);
  }
  if (mprotect(memory, sealed_size, PROT_READ) != 0) fail("mprotect");
}

SealedAddresses::~SealedAddresses() {
  munmap(reinterpret_cast<void*>(sealed_address), sealed_size);
}

bool raise_wall() {
  limit(RLIMIT_CORE, 0);
  signal(SIGXCPU, SIG_DFL);  // it may have been ignored where we come from
  limit(RLIMIT_CPU, walled_cpu_seconds, walled_cpu_seconds + 1);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_NPROC, 0);
  limit(RLIMIT_NOFILE, 64);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    fail("no_new_privs");
  if (sanitized) return true;
  limit(RLIMIT_AS, 64 << 20);
  const sock_fprog program = {std::size(filter), filter};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace spf
