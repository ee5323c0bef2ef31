// Writes the seccomp filter of wall.cc as C source to standard output. It runs
// when spfwrap is built: the filter is the same for every check, so libseccomp
// need not compile it anew in each.

#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/futex.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>

#include "spf/wall/wall.hh"

namespace {

void check(int result) {
  if (result >= 0) return;
  std::fprintf(stderr, "wall_filter: fatal: libseccomp: error %d\n", -result);
  std::exit(111);
}

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_KILL_PROCESS)) {
    if (context_ == nullptr) check(-ENOMEM);
    // The kernel plays it for every system call that there is: a tree of the
    // calls' numbers is shorter than a list.
    check(seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2));
  }
  ~Filter() { seccomp_release(context_); }

  // Calls are named, since not every architecture has each of them.
  void allow(const char* name, std::initializer_list<scmp_arg_cmp> arguments = {}) {
    add(SCMP_ACT_ALLOW, name, arguments);
  }
  // For calls that are refused without harm: malloc does without them.
  void refuse(const char* name) { add(SCMP_ACT_ERRNO(EPERM), name, {}); }

  void write() {
    // The library writes to a descriptor only.
    std::FILE* file = std::tmpfile();
    if (file == nullptr) check(-errno);
    check(seccomp_export_bpf(context_, fileno(file)));
    std::rewind(file);
    sock_filter line;
    while (std::fread(&line, sizeof line, 1, file) == 1)
      std::printf("{%u, %u, %u, 0x%x},\n", line.code, line.jt, line.jf, line.k);
    std::fclose(file);
  }

 private:
  void add(std::uint32_t action, const char* name,
           std::initializer_list<scmp_arg_cmp> arguments) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call != __NR_SCMP_ERROR)
      check(seccomp_rule_add_array(context_, action, call, arguments.size(), arguments.begin()));
  }

  scmp_filter_ctx context_;
};

scmp_arg_cmp is(unsigned argument, scmp_datum_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}

// One of two values that differ in one bit: shorter than a rule for each.
scmp_arg_cmp is_either(unsigned argument, scmp_datum_t one, scmp_datum_t other) {
  const scmp_datum_t bit = one ^ other;
  if ((bit & (bit - 1)) != 0) check(-EINVAL);
  return {argument, SCMP_CMP_MASKED_EQ, ~bit, one & other};
}

// connect()'s address: the sealed slot `first`, or one of those of its family behind it.
scmp_arg_cmp is_slot(std::size_t first) {
  constexpr std::uintptr_t family = spf::sealed_slots * sizeof(spf::SealedSlot);
  static_assert((family & (family - 1)) == 0 && spf::sealed_stand_in % (2 * family) == 0);
  return {1, SCMP_CMP_MASKED_EQ, ~scmp_datum_t(family - sizeof(spf::SealedSlot)),
          spf::sealed_stand_in + first * sizeof(spf::SealedSlot)};
}

}  // namespace

int main() {
  Filter filter;

  for (const char* name : {"exit", "exit_group", "rt_sigreturn", "restart_syscall"})
    filter.allow(name);
  for (const char* name : {"clock_gettime", "clock_gettime64", "gettimeofday", "time", "getrandom"})
    filter.allow(name);
  // C++ exceptions wake whom a lock might keep waiting.
  filter.allow("futex", {is(1, FUTEX_WAKE_PRIVATE)});

  // Memory: new and anonymous only. What is mapped stays as it is, above all
  // the sealed addresses.
  filter.allow("brk");
  for (const char* name : {"mmap", "mmap2"})
    filter.allow(name, {is(0, 0), is(2, PROT_READ | PROT_WRITE),
                        is(3, MAP_PRIVATE | MAP_ANONYMOUS)});
  for (const char* name : {"munmap", "mremap", "madvise"}) filter.refuse(name);

  // DNS over UDP, on the sockets that are open and connected already, and over
  // TCP; nowhere is an address named but the sealed ones in connect().
  // MSG_FASTOPEN would connect, so flags are told apart.
  for (const char* name : {"poll", "ppoll", "ppoll_time64", "recvfrom", "close"})
    filter.allow(name);
  filter.allow("sendto", {is_either(3, 0, MSG_NOSIGNAL), is(4, 0), is(5, 0)});
  filter.allow("socket", {is_either(0, AF_INET, AF_INET6),
                          is(1, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC), is(2, 0)});
  filter.allow("connect", {is_slot(0), is(2, sizeof(sockaddr_in))});
  filter.allow("connect", {is_slot(spf::sealed_slots), is(2, sizeof(sockaddr_in6))});

  filter.allow("write", {is(0, spf::walled_output)});
  filter.write();
}
