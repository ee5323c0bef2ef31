// make_log LINES [SEED [DOMAINS CLIENTS]]: a log of that many lines on descriptor 1.
#include <cstdio>
#include <cstdlib>

#include "tests/stat/made_log.hh"

int main(int argc, char** argv) {
  if (argc < 2) return 100;
  test::LogPlan plan;
  if (argc > 2) plan.seed = std::strtoul(argv[2], nullptr, 10);
  if (argc > 4) plan.domains = std::strtoul(argv[3], nullptr, 10), plan.clients = std::strtoul(argv[4], nullptr, 10);
  test::MadeLog log(plan);
  for (long left = std::atol(argv[1]); left > 0;)
    for (std::string lines = log.next(); left > 0 && !lines.empty(); --left) {
      const std::size_t end = lines.find('\n') + 1;
      std::fwrite(lines.data(), 1, end, stdout);
      lines.erase(0, end);
    }
  return std::fclose(stdout) == 0 ? 0 : 111;
}
