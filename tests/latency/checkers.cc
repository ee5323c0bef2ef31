#include "tests/latency/checkers.hh"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "spf/proxy/evaluator.hh"
#include "tests/support/namespaces.hh"
#include "tests/support/process.hh"
#include "tests/support/temp_dir.hh"

namespace latency {

namespace {

using test::Clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

void say(int out, const Outcome& outcome) {
  const std::string line = line_of(outcome);  // less than PIPE_BUF: never mixed with another's
  if (write(out, line.data(), line.size()) != ssize_t(line.size())) _exit(111);
}

// Has `work` find the outcome in a process that nobody waits for.
template <class Work>
void in_process(int out, const Task& task, Work work) {
  signal(SIGCHLD, SIG_IGN);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) say(out, {task.number, "no process", 0});
  if (pid != 0) return;
  signal(SIGCHLD, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  Outcome outcome;
  try {
    outcome = work();
  } catch (const std::exception& error) {
    outcome = {task.number, error.what(), 0};
  }
  say(out, outcome);
  _exit(0);
}

class Spfwrap : public Checker {
 public:
  explicit Spfwrap(int out) : out_(out) {}
  const char* name() const override { return "spfwrap"; }
  void start(const Task& task) override {
    in_process(out_, task, [&] { return check_by_spfwrap(task); });
  }

 private:
  const int out_;
};

class Spfquery : public Checker {
 public:
  explicit Spfquery(int out) : out_(out) {}
  const char* name() const override { return "spfquery"; }
  void start(const Task& task) override {
    std::string resolv_conf = "search .\n";
    for (const std::string& server : task.servers) resolv_conf += "nameserver " + server + "\n";
    const std::string path = files_.write("resolv.conf." + std::to_string(task.number), resolv_conf);
    in_process(out_, task, [&]() -> Outcome {
      if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
          !test::replace_resolv_conf(path).empty())
        return {task.number, std::string("no mounts: ") + std::strerror(errno), 0};
      unlink(path.c_str());
      std::vector<std::string> arguments = {"/usr/bin/spfquery.libspf2", "-ip", client, "-sender",
                                            task.record->sender(), "-helo", task.record->helo()};
      if (!task.record->guess.empty()) {
        arguments.push_back("-guess");
        arguments.push_back("v=spf1 " + task.record->guess);
      }
      const auto start = Clock::now();
      const std::string said = run(arguments);
      const double took = milliseconds_since(start);
      return {task.number, result(said), took};
    });
  }

 private:
  // What a program writes before it ends.
  static std::string run(const std::vector<std::string>& arguments) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) < 0) throw std::runtime_error("no pipe");
    if (fork() == 0) {
      alarm(longest);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(pipe[1], 1);
      dup2(pipe[1], 2);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(pipe[1]);
    std::string text;
    char bytes[4096];
    for (ssize_t count; (count = read(pipe[0], bytes, sizeof bytes)) > 0;) text.append(bytes, std::size_t(count));
    return text;
  }

  // Before the header it may tell what went wrong; where DNS gives no answer, there
  // may be nothing but that.
  static std::string result(const std::string& said) {
    const std::string key = "Received-SPF: ";
    const auto at = said.find(key);
    if (at == said.npos) return said.starts_with("StartError") ? "temperror" : "nothing";
    const auto begin = at + key.size();
    return said.substr(begin, said.find(' ', begin) - begin);
  }

  const int out_;
  test::TempDir files_;
};

class Pyspf : public Checker {
 public:
  explicit Pyspf(int out) {
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) < 0) throw std::runtime_error("no pipe");
    const test::Fd in(pipe[0]);
    tasks_ = test::Fd(pipe[1]);
    program_ = std::make_unique<test::Process>(
        test::Arguments{"/usr/bin/python3", "-B", "tests/latency/pyspf_checks.py"}, test::Environment{},
        test::Streams{in.get(), out, 2});
  }
  const char* name() const override { return "pyspf"; }
  void start(const Task& task) override {
    std::string line = std::to_string(task.number) + '\t' + client + '\t' + task.record->sender() + '\t' +
                       task.record->helo() + '\t' + task.record->guess + '\t' + std::to_string(task.port) + '\t';
    for (const std::string& server : task.servers) line += server + ' ';
    line += '\n';
    if (write(tasks_.get(), line.data(), line.size()) != ssize_t(line.size()))
      throw std::runtime_error("pyspf_checks.py is gone");
  }

 private:
  test::Fd tasks_;
  std::unique_ptr<test::Process> program_;
};

}  // namespace

std::string line_of(const Outcome& outcome) {
  char milliseconds[32];
  std::snprintf(milliseconds, sizeof milliseconds, "%.3f", outcome.milliseconds);
  return std::to_string(outcome.number) + '\t' + outcome.result + '\t' + milliseconds + '\n';
}

std::optional<Outcome> outcome_of(const std::string& line) {
  Outcome outcome;
  char result[256];
  if (std::sscanf(line.c_str(), "%u\t%255[^\t]\t%lf", &outcome.number, result, &outcome.milliseconds) != 3)
    return {};
  outcome.result = result;
  return outcome;
}

Outcome check_by_spfwrap(const Task& task) {
  const spf::Query query{*spf::Address::parse(client), task.record->helo(), task.record->sender()};
  spf::CheckOptions options;
  options.receiver = "mx.local";
  options.guess = task.record->guess;
  options.helo = task.record->both;
  std::vector<spf::SocketAddress> servers;
  for (const std::string& server : task.servers)
    servers.push_back(*spf::SocketAddress::parse(server, std::uint16_t(task.port)));
  const auto start = Clock::now();
  const spf::SealedAddresses sealed(servers);
  spf::Evaluator evaluator(query, options, sealed, std::chrono::seconds(20));
  for (;;) {
    pollfd output = {evaluator.descriptor(), POLLIN, 0};
    poll(&output, 1, -1);
    const auto answer = evaluator.read(spf::no_verdict(query, options.helo));
    if (!answer) continue;
    const double took = milliseconds_since(start);
    const bool sound = evaluator.complaint().empty();
    return {task.number, sound ? std::string(name(std::get<spf::Judgement>(*answer).verdict.result)) : evaluator.complaint(), took};
  }
}

std::unique_ptr<Checker> make_spfwrap(int out) { return std::make_unique<Spfwrap>(out); }
std::unique_ptr<Checker> make_spfquery(int out) { return std::make_unique<Spfquery>(out); }
std::unique_ptr<Checker> make_pyspf(int out) { return std::make_unique<Pyspf>(out); }

}  // namespace latency
