// Loads several servers by turns and prints the median of each:
//   load sessions ROUNDS COUNT CLIENTS name=port ...   sessions per second,
//        one message of 2 kB each, CLIENTS of them at a time
//   load body ROUNDS MEGABYTES name=port ...           MB per second of one body
#include <string.h>

#include "tests/programs/client.hh"
#include "tests/programs/rounds.hh"

namespace {

double sessions_per_second(int port, int count, int clients) {
  static const std::string message = client::message(2048);
  return rounds::per_second(count, clients, [&] {
    client::Session session(port);
    session.open();
    session.next_message("a@pass.example.org");
    session.send(message);
    session.ask(".\r\n", "250");
    session.quit();
  });
}

double megabytes_per_second(int port, int megabytes) {
  client::Session session(port);
  session.open();
  return rounds::megabytes_per_second(session, megabytes);
}

[[noreturn]] void usage() {
  fputs("load: usage: load sessions ROUNDS COUNT CLIENTS name=port ...\n"
        "             load body ROUNDS MEGABYTES name=port ...\n", stderr);
  exit(100);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5 || atoi(argv[2]) < 1) usage();
  const bool sessions = strcmp(argv[1], "sessions") == 0;
  const int amount = atoi(argv[3]), clients = atoi(argv[4]);
  const auto targets = rounds::targets(argv + (sessions ? 5 : 4));
  if (targets.empty()) usage();
  rounds::run(atoi(argv[2]), targets, [&](int port) {
    return sessions ? sessions_per_second(port, amount, clients) : megabytes_per_second(port, amount);
  });
}
