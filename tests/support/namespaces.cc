#include "tests/support/namespaces.hh"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tests/support/process.hh"

namespace test {

std::string enter_namespaces() {
  const int user = geteuid() == 0 ? 0 : CLONE_NEWUSER;
  if (unshare(CLONE_NEWNET | CLONE_NEWNS | user) < 0) return std::strerror(errno);
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return std::strerror(errno);
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING;
  return ioctl(socket.get(), SIOCSIFFLAGS, &loopback) == 0 ? "" : std::strerror(errno);
}

std::string replace_resolv_conf(const std::string& path) {
  return mount(path.c_str(), "/etc/resolv.conf", nullptr, MS_BIND, nullptr) == 0 ? "" : std::strerror(errno);
}

}  // namespace test
