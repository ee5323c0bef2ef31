// Prints a port of 127.0.0.1 that is free for UDP and TCP at the moment.
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

int main() {
  for (int tries = 0; tries < 100; ++tries) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const int udp = socket(AF_INET, SOCK_DGRAM, 0), tcp = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(udp, generic, size) || getsockname(udp, generic, &size)) return 111;
    if (bind(tcp, generic, size)) continue;
    printf("%d\n", ntohs(address.sin_port));
    return 0;
  }
  return 111;
}
