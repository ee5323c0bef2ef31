// What a process behind the wall has, and what it can't do: each tried from inside.
#include "spf/wall/wall.hh"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <string>
#include <thread>

#include "spf/wall/walled_process.hh"
#include "tests/catch.hh"
#include "tests/support/own_buffer.hh"
#include "tests/support/process.hh"

using namespace spf;
using namespace std::chrono_literals;

namespace {

using Clock = WalledProcess::Clock;

const std::vector<SocketAddress> ip4_only = {*SocketAddress::parse("127.0.0.1", 9),
                                             *SocketAddress::parse("127.0.0.2", 9)};
const std::vector<SocketAddress> both_families = {*SocketAddress::parse("127.0.0.1", 9),
                                                  *SocketAddress::parse("::1", 9)};
const SocketAddress elsewhere = *SocketAddress::parse("127.0.0.3", 9);

// The first descriptor beside the output: the socket to the first name server.
constexpr int udp_socket = walled_output + 1;

std::uintptr_t sealed_slot(std::size_t index) { return sealed_address() + index * sizeof(SealedSlot); }

// What a walled process says that does `what`, or how it died.
std::string result(const std::vector<SocketAddress>& servers, const std::function<std::string()>& what) {
  const SealedAddresses sealed(servers);
  WalledProcess process(sealed, Clock::now() + 20s, 1, [&](Resolver&) { return what(); });
  for (;;) {
    pollfd p = {process.descriptor(), POLLIN, 0};
    if (poll(&p, 1, 20000) <= 0) return "hangs";
    switch (process.read()) {
      case WalledProcess::State::working: break;
      case WalledProcess::State::done: return process.take_text();
      case WalledProcess::State::died: return process.end();
    }
  }
}

[[maybe_unused]] std::string number(long result) { return result >= 0 ? "done" : "refused"; }

int tcp_socket(int family) { return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// connect(2) of a fresh socket to what stands at `address`.
[[maybe_unused]] std::string connects(std::uintptr_t address, socklen_t size, int family = AF_INET) {
  const int fd = tcp_socket(family);
  errno = 0;
  if (connect(fd, reinterpret_cast<const sockaddr*>(address), size) == 0) return "done";
  return errno == EINPROGRESS || errno == ECONNREFUSED ? "done" : std::strerror(errno);
}

bool gone(pid_t pid, std::chrono::milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (kill(pid, 0) == 0) {
    waitpid(pid, nullptr, WNOHANG);
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

[[noreturn]] void wait_for_ever() {
  for (;;) poll(nullptr, 0, -1);
}

}  // namespace

TEST_CASE("a walled process has no environment and no descriptors of its parent") {
  setenv("SECRET", "tell nobody", 1);
  const char* const secret = getenv("SECRET");
  REQUIRE(secret != nullptr);
  CHECK(result(ip4_only, [&] { return std::string(getenv("SECRET") ? "there" : "not there"); }) == "not there");
  CHECK(result(ip4_only, [&] { return std::string(secret); }) == "");
  REQUIRE(getenv("SECRET") != nullptr);
  CHECK(getenv("SECRET") == std::string("tell nobody"));
  // Two sockets to name servers and the output; the next one is free.
  CHECK(result(ip4_only, [] { return std::to_string(tcp_socket(AF_INET)); }) == "3");
  unsetenv("SECRET");
}

TEST_CASE("what passes through buffers is not in its memory") {
  test::OwnBuffer buffer(65536);
  buffer.append("AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n");
  const char* const text = buffer.data().data();
  const std::string outcome = result(ip4_only, [&] { return std::string(text, 4); });
  CHECK(outcome.starts_with("died"));  // of SIGSEGV, or in the handler that tests have for it
  CHECK(buffer.data().starts_with("AUTH"));
}

TEST_CASE("a walled process dies with its parent") {
  REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  Pipe report = make_pipe();
  const pid_t parent = fork();
  if (parent == 0) {
    const SealedAddresses sealed(ip4_only);
    WalledProcess process(sealed, Clock::now() + 60s, 1, [](Resolver&) -> std::string { wait_for_ever(); });
    const pid_t pid = process.process().pid();
    if (write(report.write_end.get(), &pid, sizeof pid) < 0) _exit(1);
    wait_for_ever();
  }
  pid_t pid = 0;
  REQUIRE(read(report.read_end.get(), &pid, sizeof pid) == ssize_t(sizeof pid));
  CHECK_FALSE(gone(pid, 200ms));
  kill(parent, SIGKILL);
  CHECK(gone(pid, 5s));
  waitpid(parent, nullptr, 0);
}

TEST_CASE("a walled process is killed once it has said its text") {
  const SealedAddresses sealed(ip4_only);
  WalledProcess process(sealed, Clock::now() + 60s, 1, [](Resolver&) -> std::string {
    const std::uint32_t heading[] = {2, 1};
    char all[sizeof heading + 2] = {};
    std::memcpy(all, heading, sizeof heading);
    std::memcpy(all + sizeof heading, "ok", 2);
    if (write(walled_output, all, sizeof all) < 0) abort();
    wait_for_ever();
  });
  pollfd p = {process.descriptor(), POLLIN, 0};
  REQUIRE(poll(&p, 1, 20000) == 1);
  REQUIRE(process.read() == WalledProcess::State::done);
  CHECK(process.take_text() == "ok");
  int status = 0;
  const auto until = Clock::now() + 5s;
  std::optional<int> end;
  while (!(end = process.process().try_wait()) && Clock::now() < until) std::this_thread::sleep_for(5ms);
  REQUIRE(end);
  status = *end;
  CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
}

TEST_CASE("where descriptors can't be closed nothing is evaluated") {
  const pid_t pid = fork();
  if (pid == 0) {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program = {std::size(filter), filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(2);
    _exit(result(ip4_only, [] { return std::string("evaluated"); }) == "died with exit code 71" ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
}

TEST_CASE("each place has an address, none has zeros") {
  for (const auto* servers : {&ip4_only, &both_families}) {
    const SealedAddresses sealed(*servers);
    for (std::size_t i = 0; i < servers->size(); ++i) CHECK(sealed.get()[i]->text() == (*servers)[i].text());
    for (std::size_t i = 0; i < 2 * sealed_slots; ++i)
      CHECK(reinterpret_cast<const sockaddr*>(sealed_slot(i))->sa_family != AF_UNSPEC);
  }
  CHECK_THROWS(std::make_unique<SealedAddresses>(ip4_only) && std::make_unique<SealedAddresses>(ip4_only));
}

TEST_CASE("packets and connections go to the sealed addresses only") {
  if (test::left_out(test::sanitized(), "the wall's bounds on system calls are not built with the sanitizers")) return;
  constexpr const char* killed = "died of signal 31";  // SIGSYS
  const auto ip4_slot = [] { return sealed_slot(0); };
  const auto ip6_slot = [] { return sealed_slot(sealed_slots); };
  const struct {
    const char* what;
    const std::vector<SocketAddress>& servers;
    std::function<std::string()> tried;
    std::string outcome;
  } cases[] = {
      {"a packet to the name server", ip4_only, [] { return number(send(udp_socket, "x", 1, 0)); }, "done"},
      {"the same, as TCP sends", ip4_only, [] { return number(send(udp_socket, "x", 1, MSG_NOSIGNAL)); }, "done"},
      {"a packet to somebody else", ip4_only,
       [] { return number(sendto(udp_socket, "x", 1, 0, elsewhere.get(), elsewhere.size)); }, killed},
      {"a packet to a sealed address by name", ip4_only,
       [&] { return number(sendto(udp_socket, "x", 1, 0, reinterpret_cast<const sockaddr*>(ip4_slot()), sizeof(sockaddr_in))); },
       killed},
      {"no address, but a length", ip4_only,
       [] { return number(sendto(udp_socket, "x", 1, 0, nullptr, sizeof(sockaddr_in))); }, killed},
      {"sendmsg", ip4_only,
       [] {
         msghdr message = {};
         return number(sendmsg(udp_socket, &message, 0));
       },
       killed},
      {"a connection to the first server", ip4_only, [&] { return connects(ip4_slot(), sizeof(sockaddr_in)); }, "done"},
      {"to the second", ip4_only, [] { return connects(sealed_slot(1), sizeof(sockaddr_in)); }, "done"},
      {"to a place that is not needed: another of the servers", ip4_only,
       [] { return connects(sealed_slot(5), sizeof(sockaddr_in)); }, "done"},
      {"to an IPv6 server", both_families, [&] { return connects(ip6_slot(), sizeof(sockaddr_in6), AF_INET6); }, "done"},
      {"to somebody else", ip4_only,
       [] { return connects(reinterpret_cast<std::uintptr_t>(elsewhere.get()), elsewhere.size); }, killed},
      {"to a place, but not at its beginning", ip4_only,
       [&] { return connects(ip4_slot() + 2, sizeof(sockaddr_in)); }, killed},
      {"to the zeros behind an address", ip4_only, [&] { return connects(ip4_slot() + 64, sizeof(sockaddr_in)); }, killed},
      {"to the end of the page", ip4_only,
       [] { return connects(sealed_address() + sealed_size - 16, sizeof(sockaddr_in)); }, killed},
      {"to half-way between two places", ip4_only,
       [&] { return connects(ip4_slot() + sizeof(SealedSlot) / 2, sizeof(sockaddr_in)); }, killed},
      {"to behind the page", ip4_only,
       [] { return connects(sealed_address() + sealed_size, sizeof(sockaddr_in)); }, killed},
      {"to a place of the other family", both_families,
       [&] { return connects(ip6_slot(), sizeof(sockaddr_in)); }, killed},
      {"to a place with another length", ip4_only, [&] { return connects(ip4_slot(), sizeof(sockaddr_in6)); }, killed},
      {"to a place with no length", ip4_only, [&] { return connects(ip4_slot(), 0); }, killed},
      {"the UDP socket, to somebody else", ip4_only,
       [] { return number(connect(udp_socket, elsewhere.get(), elsewhere.size)); }, killed},
      {"MPTCP", ip4_only,
       [] { return number(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 262)); }, killed},
      {"another UDP socket", ip4_only,
       [] { return number(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }, killed},
      {"bind", ip4_only, [] { return number(bind(udp_socket, elsewhere.get(), elsewhere.size)); }, killed},
      {"to stay alive when the parent dies", ip4_only,
       [] { return number(prctl(PR_SET_PDEATHSIG, 0)); }, killed},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    CHECK(result(c.servers, c.tried) == c.outcome);
  }
}
