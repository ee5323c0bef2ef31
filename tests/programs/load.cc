// Loads several servers by turns and prints the median of each:
//   load sessions ROUNDS COUNT CLIENTS name=port ...   sessions per second,
//        one message of 2 kB each, CLIENTS of them at a time
//   load body ROUNDS MEGABYTES name=port ...           MB per second of one body
#include <string.h>
#include <sys/wait.h>

#include <chrono>
#include <vector>

#include "tests/programs/client.hh"

namespace {

constexpr char sender[] = "a@pass.example.org";

struct Target {
  std::string name;
  int port;
  std::vector<double> results = {};
};

double seconds_of(auto work) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void one_session(int port, const std::string& message) {
  client::Session session(port);
  session.open_message(sender);
  session.send(message);
  session.ask(".\r\n", "250");
  session.quit();
}

double sessions_per_second(int port, int count, int clients) {
  static const std::string message = client::message(2048);
  const double seconds = seconds_of([&] {
    for (int i = 0; i < clients; ++i)
      if (fork() == 0) {
        for (int n = count / clients; n > 0; --n) one_session(port, message);
        _exit(0);
      }
    for (int i = 0, status; i < clients; ++i)
      if (wait(&status) == -1 || status != 0) exit(111);
  });
  return (count / clients * clients) / seconds;
}

double megabytes_per_second(int port, int megabytes) {
  static const std::string block = client::message(1 << 20);
  client::Session session(port);
  session.open_message(sender);
  const double seconds = seconds_of([&] {
    for (int i = 0; i < megabytes; ++i) session.send(block);
    session.ask(".\r\n", "250");
  });
  session.quit();
  return block.size() / 1e6 * megabytes / seconds;
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
  const int rounds = atoi(argv[2]), amount = atoi(argv[3]), clients = atoi(argv[4]);
  std::vector<Target> targets;
  for (int i = sessions ? 5 : 4; i < argc; ++i) {
    const std::string word = argv[i];
    const auto equals = word.find('=');
    if (equals == word.npos) usage();
    targets.push_back({word.substr(0, equals), atoi(word.c_str() + equals + 1)});
  }
  // One round that does not count warms everything up.
  for (int round = 0; round <= rounds; ++round)
    for (Target& target : targets) {
      const double result = sessions ? sessions_per_second(target.port, amount, clients)
                                     : megabytes_per_second(target.port, amount);
      if (round) target.results.push_back(result);
    }
  for (Target& target : targets) {
    std::sort(target.results.begin(), target.results.end());
    printf("%s %.1f\n", target.name.c_str(), target.results[target.results.size() / 2]);
  }
}
