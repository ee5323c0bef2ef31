// latency: how long a check takes over a slow and bad line, by spfwrap, libspf2's
// spfquery and pyspf. See `make latency`.
//
//   latency [-c CHECKS] [-s SERVERS] [-n SEED] [-p PROGRAM[,PROGRAM]] FILE [RECORD ...]
//
// CHECKS for each cell where packets are lost, a tenth of it, but five at least,
// where none are. SERVERS: how many name servers a check knows; all are alike.
// Prints a table, and writes the same to FILE, a line for each cell and program,
// for plot.gp.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/latency/checkers.hh"
#include "tests/latency/far_server.hh"
#include "tests/latency/records.hh"
#include "tests/support/clock.hh"
#include "tests/support/namespaces.hh"
#include "tests/support/process.hh"
#include "tests/support/temp_dir.hh"

namespace {

using namespace latency;
using test::Clock;

constexpr unsigned delays[] = {0, 20, 100};  // ms of a round trip
constexpr unsigned losses[] = {0, 5, 20};    // percent, in each direction

struct Options {
  unsigned checks = 100, servers = 1;
  std::uint64_t seed = 1;
  std::string programs = "spfwrap,spfquery,pyspf", file;
  std::vector<std::string> records;
};

// A record by one program at one delay and loss.
struct Cell {
  const Record* record;
  unsigned delay, loss;
  std::string program;
  unsigned first = 0, checks = 0;  // their numbers
  std::vector<double> times = {};
  std::map<std::string, unsigned> results = {};

  double time(double share) const {
    return times.at(std::max<std::size_t>(std::size_t(std::ceil(share * double(times.size()))), 1) - 1);
  }
  double share(const std::string& result) const {
    const auto found = results.find(result);
    return found == results.end() ? 0 : double(found->second) / double(times.size());
  }
};

// How many checks wait side by side: where nothing is lost so few that none is in
// another's way, and where DNS is not far at all, one.
unsigned side_by_side(const Cell& cell) {
  if (cell.loss == 0) return cell.delay == 0 ? 1 : 8;
  return cell.program == "pyspf" ? 150 : 400;
}

// How many processes run or could.
unsigned running_processes() {
  const std::string stat = test::read_file("/proc/stat");
  const std::string key = "\nprocs_running ";
  const auto at = stat.find(key);
  return at == stat.npos ? 0 : unsigned(std::atoi(stat.c_str() + at + key.size()));
}

class Run {
 public:
  Run(const Options& options, const Records& records) : options_(options), records_(records) {
    refusal_ = test::enter_namespaces();
    plan();
    far_ = std::make_unique<FarServer>([&](DnsServer& server) { records_.publish(server); }, all_,
                                       refusal_.empty() ? 53 : 0);
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) < 0) throw std::runtime_error("no pipe");
    in_ = test::Fd(pipe[0]);
    out_ = test::Fd(pipe[1]);
  }

  // Why spfquery is not measured, "" where it is.
  const std::string& refusal() const { return refusal_; }
  const std::vector<Cell>& cells() const { return cells_; }
  const FarServer& far() const { return *far_; }

  void all() {
    for (const auto make : {make_spfwrap, make_spfquery, make_pyspf}) {
      if (make == make_spfquery && !refusal_.empty()) continue;
      const std::unique_ptr<Checker> checker = make(out_.get());
      for (const bool lossy : {false, true}) {
        std::vector<Cell*> cells;
        for (Cell& cell : cells_)
          if (cell.program == checker->name() && (cell.loss != 0) == lossy) cells.push_back(&cell);
        if (cells.empty()) continue;
        const auto start = Clock::now();
        try {
          run(*checker, cells, lossy);
        } catch (const std::exception& error) {  // what there is so far is worth telling
          std::fprintf(stderr, "%s: given up: %s\n", checker->name(), error.what());
          running_.clear();
          break;
        }
        std::fprintf(stderr, "%s, %s: %lld s\n", checker->name(), lossy ? "with loss" : "without loss",
                     static_cast<long long>(test::since(start).count() / 1000));
      }
    }
    for (Cell& cell : cells_) std::sort(cell.times.begin(), cell.times.end());
  }

 private:
  void plan() {
    for (const Record& record : records_.all) {
      if (!options_.records.empty() &&
          std::find(options_.records.begin(), options_.records.end(), record.name) == options_.records.end())
        continue;
      for (const unsigned delay : delays)
        for (const unsigned loss : losses)
          for (const char* program : {"spfwrap", "spfquery", "pyspf"}) {
            if (("," + options_.programs + ",").find("," + std::string(program) + ",") == std::string::npos) continue;
            Cell cell{&record, delay, loss, program};
            cell.first = all_;
            cell.checks = loss == 0 ? std::max(options_.checks / 10, 5u) : options_.checks;
            all_ += cell.checks;
            cells_.push_back(cell);
          }
    }
  }

  // By turns where packets are lost, so that long checks and short ones are mixed.
  void run(Checker& checker, const std::vector<Cell*>& cells, bool by_turns) {
    std::vector<std::pair<Cell*, unsigned>> order;
    for (Cell* cell : cells)
      for (unsigned i = 0; i < cell->checks; ++i) order.emplace_back(cell, i);
    if (by_turns)
      std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    for (const auto& [cell, i] : order) {
      while (running_.size() >= side_by_side(*cell)) take(Clock::now() + std::chrono::seconds(Checker::longest + 10));
      wait_for_processor(*cell);
      start(checker, *cell, i);
    }
    while (!running_.empty()) take(Clock::now() + std::chrono::seconds(Checker::longest + 10));
  }

  // Checks that wait cost nothing, those that want to run are not to wait for one
  // another. Not for ever, as others may use the machine.
  void wait_for_processor(const Cell& cell) {
    const auto limit = Clock::now() + std::chrono::milliseconds(cell.program == "pyspf" ? 40 : 10);
    do take(Clock::now() + std::chrono::milliseconds(2));
    while (running_processes() > processors_ && Clock::now() < limit);
  }

  void start(Checker& checker, Cell& cell, unsigned i) {
    Task task{cell.first + i, cell.record, {}, far_->port()};
    for (unsigned server = 0; server < options_.servers; ++server)
      task.servers.push_back(FarServer::address(task.number, server));
    // The same packets are lost for each program.
    std::uint64_t seed = options_.seed;
    for (const std::uint64_t part : {std::uint64_t(cell.record - records_.all.data()), std::uint64_t(cell.delay),
                                     std::uint64_t(cell.loss), std::uint64_t(i)})
      seed = seed * 10007 + part;
    far_->set(task.number, {std::chrono::milliseconds(cell.delay), cell.loss / 100.0, seed});
    running_[task.number] = &cell;
    checker.start(task);
  }

  // Takes what has come, or waits for it until `limit`.
  void take(Clock::time_point limit) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit - Clock::now()).count();
    pollfd fd = {in_.get(), POLLIN, 0};
    if (poll(&fd, 1, int(std::max<long long>(left, 0))) <= 0) {
      if (left > 1000) throw std::runtime_error("checks that do not end");
      return;
    }
    char bytes[4096];
    const ssize_t count = read(in_.get(), bytes, sizeof bytes);
    if (count <= 0) throw std::runtime_error("read");
    said_.append(bytes, std::size_t(count));
    for (std::size_t end; (end = said_.find('\n')) != said_.npos; said_.erase(0, end + 1)) {
      const auto outcome = outcome_of(said_.substr(0, end));
      const auto cell = outcome ? running_.find(outcome->number) : running_.end();
      if (cell == running_.end()) throw std::runtime_error("no outcome: " + said_.substr(0, end));
      cell->second->times.push_back(outcome->milliseconds);
      ++cell->second->results[outcome->result];
      running_.erase(cell);
    }
  }

  const Options& options_;
  const Records& records_;
  std::string refusal_;
  const unsigned processors_ = std::max(std::thread::hardware_concurrency(), 1u);
  unsigned all_ = 0;
  std::vector<Cell> cells_;
  std::unique_ptr<FarServer> far_;
  test::Fd in_, out_;
  std::map<unsigned, Cell*> running_;
  std::string said_;
};

// What a cell says.
struct Row {
  double trips = -1;  // less than none: not to be told
  double packets = 0, questions = 0, p50 = 0, p99 = 0, temperror = 0;
};

class Table {
 public:
  explicit Table(const Run& run) : run_(run) {}

  void print(const Options& options, std::FILE* file) const {
    std::printf("A check over a slow and bad line: %u checks a cell where packets are lost, %u where none are;\n"
                "%u name server%s; seed %llu\n\n"
                "rtt: ms of a round trip   loss: %% of the packets, in each direction\n"
                "trips: round trips of the fastest check, less what it takes at rtt 0, where nothing is lost\n"
                "pkts: packets that it sends   qs: different questions   p50, p99: ms   temp: %% that end in temperror\n"
                "helo: spfwrap judges two records there, the HELO name's too, the others one\n\n",
                options.checks, std::max(options.checks / 10, 5u), options.servers, options.servers == 1 ? "" : "s",
                static_cast<unsigned long long>(options.seed));
    std::printf("%-10s %8s", "", "");
    for (const std::string& program : programs()) std::printf("  | %-39s", program.c_str());
    std::printf("\n%-10s %4s %3s", "record", "rtt", "los");
    for (std::size_t i = 0; i < programs().size(); ++i)
      std::printf("  | %5s %5s %4s %7s %7s %5s", "trips", "pkts", "qs", "p50", "p99", "temp");
    std::printf("\n");
    std::fprintf(file, "#record\trtt\tloss\tprogram\tchecks\ttrips\tpackets\tquestions\tp50\tp99\ttemperror\n");
    std::string last, oddities;
    for (const Cell& cell : run_.cells()) {
      if (cell.times.empty()) continue;
      const std::string place = line_head(cell);
      if (place != last) {
        std::printf("%s%s", last.empty() ? "" : "\n", last.substr(0, 10) == place.substr(0, 10) ? "" : "\n");
        std::printf("%s", place.c_str());
      }
      last = place;
      const Row row = row_of(cell);
      std::printf("  | %5s %5.1f %4.1f %7.*f %7.*f %5.1f", trips(row).c_str(), row.packets, row.questions,
                  row.p50 < 100, row.p50, row.p99 < 100, row.p99, row.temperror);
      std::fprintf(file, "%s\t%u\t%u\t%s\t%zu\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\n", cell.record->name.c_str(),
                   cell.delay, cell.loss, cell.program.c_str(), cell.times.size(),
                   row.trips < 0 ? "-" : trips(row).c_str(), row.packets, row.questions, row.p50, row.p99,
                   row.temperror);
      for (const auto& [result, count] : cell.results)
        if (result != cell.record->result && result != "temperror")
          oddities += place + "  " + cell.program + " says " + result + " " + std::to_string(count) + " times\n";
    }
    std::printf("\n");
    if (!oddities.empty()) std::printf("\nOther results than expected:\n%s", oddities.c_str());
    const Lateness& late = run_.far().lateness();
    std::printf("\nThe line's own lateness: half of the answers left within %.1f ms, 99 %% within %.1f, 99.9 %% within\n"
                "%.1f; %u packets lost that were not to be\n",
                late.milliseconds(0.5), late.milliseconds(0.99), late.milliseconds(0.999), late.overflows.load());
    if (!run_.refusal().empty())
      std::printf("libspf2's spfquery is left out: no network of its own here: %s\n", run_.refusal().c_str());
  }

 private:
  static std::string line_head(const Cell& cell) {
    char text[64];
    std::snprintf(text, sizeof text, "%-10s %4u %3u", cell.record->name.c_str(), cell.delay, cell.loss);
    return text;
  }
  static std::string trips(const Row& row) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", row.trips);
    return row.trips < 0 ? "" : text;
  }
  std::vector<std::string> programs() const {
    std::vector<std::string> all;
    for (const Cell& cell : run_.cells())
      if (!cell.times.empty() && std::find(all.begin(), all.end(), cell.program) == all.end())
        all.push_back(cell.program);
    return all;
  }

  Row row_of(const Cell& cell) const {
    Row row;
    row.p50 = cell.time(0.5);
    row.p99 = cell.time(0.99);
    row.temperror = 100 * cell.share("temperror");
    for (unsigned i = 0; i < cell.checks; ++i) {
      row.packets += double(run_.far().traffic(cell.first + i).sent) / cell.checks;
      row.questions += double(run_.far().traffic(cell.first + i).questions) / cell.checks;
    }
    if (cell.loss == 0 && cell.delay != 0)
      for (const Cell& near : run_.cells())
        if (near.record == cell.record && near.program == cell.program && near.loss == 0 && near.delay == 0)
          row.trips = std::max((cell.time(0) - near.time(0)) / cell.delay, 0.0);
    return row;
  }

  const Run& run_;
};

Options options_of(int argc, char** argv) {
  Options options;
  for (int option; (option = getopt(argc, argv, "c:s:n:p:")) != -1;) switch (option) {
      case 'c': options.checks = unsigned(std::atoi(optarg)); break;
      case 's': options.servers = unsigned(std::atoi(optarg)); break;
      case 'n': options.seed = unsigned(std::atoi(optarg)); break;
      case 'p': options.programs = optarg; break;
      default: std::exit(100);
    }
  if (optind == argc || options.checks < 1 || options.servers < 1 || options.servers > FarServer::most_servers) {
    std::fprintf(stderr, "latency: usage: latency [-c checks] [-s servers] [-n seed] [-p program,...] file [record ...]\n");
    std::exit(100);
  }
  options.file = argv[optind];
  options.records.assign(argv + optind + 1, argv + argc);
  return options;
}

}  // namespace

int main(int argc, char** argv) try {
  const Options options = options_of(argc, argv);
  signal(SIGPIPE, SIG_IGN);
  const Records records = read_records();
  for (const std::string& name : options.records) records.find(name);
  std::FILE* const file = std::fopen(options.file.c_str(), "we");
  if (!file) throw std::runtime_error("unable to write " + options.file);
  Run run(options, records);
  run.all();
  Table(run).print(options, file);
  return std::fclose(file) == 0 ? 0 : 111;
} catch (const std::exception& error) {
  std::fprintf(stderr, "latency: fatal: %s\n", error.what());
  return 111;
}
