// footprint PORT SERVER PROGRAM [CONNECTIONS]: the private memory, in kB, of one
// connection to the server with process id SERVER that runs PROGRAM; whatever else
// it starts is not counted. With CONNECTIONS: the mean of so many, all of which
// wait after EHLO.
#include <list>

#include "tests/programs/footprint.hh"

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    fputs("footprint: usage: footprint PORT SERVER PROGRAM [CONNECTIONS]\n", stderr);
    return 100;
  }
  const int port = atoi(argv[1]), server = atoi(argv[2]);
  char* const programs[] = {argv[3], nullptr};
  if (argc == 4) {
    footprint::print<client::Session>(port, server, programs);
    return 0;
  }
  const int connections = atoi(argv[4]);
  std::list<client::Session> sessions;
  while (int(sessions.size()) < connections) sessions.emplace_back(port).open();
  printf("%ld\n", footprint::private_memory(server, programs) / connections);
  for (client::Session& session : sessions) session.quit();
}
