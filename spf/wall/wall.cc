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
#include <utility>

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

SealedSlot* sealed = nullptr;

// The filter compares 64 bits in two halves.
void put_sealed_address_into_filter() {
  constexpr std::uint32_t high = sealed_stand_in >> 32, low = std::uint32_t(sealed_stand_in);
  for (sock_filter& line : filter) {
    if (line.code != (BPF_JMP | BPF_JEQ | BPF_K)) continue;
    if (line.k == high)
      line.k = sealed_address() >> 32;
    else if (line.k - low < sealed_size)
      line.k += std::uint32_t(sealed_address()) - low;
  }
}

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

std::uintptr_t sealed_address() { return reinterpret_cast<std::uintptr_t>(sealed); }

SealedAddresses::SealedAddresses(const std::vector<SocketAddress>& addresses) {
  if (sealed != nullptr) throw std::system_error(EEXIST, std::generic_category(), "sealed addresses");
  void* const memory =
      mmap(nullptr, sealed_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fail("mmap");
  sealed = static_cast<SealedSlot*>(memory);
  std::fill_n(sealed, 2 * sealed_slots, SealedSlot{addresses.front()});
  std::size_t next4 = 0, next6 = sealed_slots;
  for (const SocketAddress& address : addresses) {
    std::size_t& next = address.family() == AF_INET ? next4 : next6;
    sealed[next].address = address;
    places_.push_back(&sealed[next++].address);
  }
}

SealedAddresses::~SealedAddresses() { munmap(std::exchange(sealed, nullptr), sealed_size); }

bool raise_wall() {
  limit(RLIMIT_CORE, 0);
  signal(SIGXCPU, SIG_DFL);  // it may have been ignored where we come from
  limit(RLIMIT_CPU, walled_cpu_seconds, walled_cpu_seconds + 1);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_NPROC, 0);
  limit(RLIMIT_NOFILE, 64);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    fail("no_new_privs");
  // Done here, of all processes: where the page was just inherited, no processor
  // has to be told.
  if (sealed != nullptr && mprotect(sealed, sealed_size, PROT_READ) != 0) fail("mprotect");
  if (sanitized) return true;
  limit(RLIMIT_AS, 64 << 20);
  put_sealed_address_into_filter();
  const sock_fprog program = {std::size(filter), filter};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace spf
