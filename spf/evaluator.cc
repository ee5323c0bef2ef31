#include "spf/evaluator.hh"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "spf/interfaces.hh"
#include "spf/udns.hh"
#include "spf/wall.hh"

namespace spf {
namespace {

// More than any verdict has.
constexpr std::size_t max_verdict = 65536;

// Ends what comes through the pipe: whether the whole wall stood.
constexpr char walled_mark = 'w';
constexpr char unwalled_mark = 'u';

void put_number(std::string& out, std::uint32_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

class Source {
 public:
  explicit Source(std::string_view octets) : octets_(octets) {}

  std::uint32_t number() {
    std::uint32_t value = 0;
    const std::string_view octets = take(sizeof value);
    std::memcpy(&value, octets.data(), octets.size());
    return value;
  }
  std::string text() { return std::string(take(number())); }
  // Whether exactly all of it was taken.
  bool exact() const { return good_ && octets_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (count > octets_.size()) {
      good_ = false;
      count = 0;
    }
    const std::string_view taken = octets_.substr(0, count);
    octets_.remove_prefix(count);
    return taken;
  }

  std::string_view octets_;
  bool good_ = true;
};

void write_all(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t count = write(fd, octets.data(), octets.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    octets.remove_prefix(count);
  }
}

// The life of the forked process. No verdict is temperror.
[[noreturn]] void evaluate(const Query& query, CheckOptions options, std::chrono::seconds time,
                           int verdict, Evaluator::Check* check) {
  // It has no descriptor of client, child or log.
  if (dup2(verdict, verdict_descriptor) < 0) _exit(1);
  close_range(verdict_descriptor + 1, ~0u, 0);
  try {
    options.own_address = is_own_address(query.client);
    UdnsResolver resolver(std::chrono::steady_clock::now() + time);
    const bool walled = raise_wall();
    const Verdict result = check(query, options, resolver, nullptr);
    write_all(verdict_descriptor, encode(result) + (walled ? walled_mark : unwalled_mark));
  } catch (...) {
    _exit(1);
  }
  _exit(0);
}

}  // namespace

std::string encode(const Verdict& verdict) {
  std::string out;
  put_number(out, static_cast<std::uint32_t>(verdict.result));
  put_number(out, static_cast<std::uint32_t>(verdict.identity));
  put_number(out, verdict.mechanism.has_value());
  put_number(out, verdict.local_policy);
  put_number(out, verdict.lookups);
  put_number(out, verdict.voids);
  put_number(out, verdict.milliseconds);
  put_text(out, verdict.domain);
  put_text(out, verdict.mechanism.value_or(std::string()));
  put_text(out, verdict.problem);
  put_text(out, verdict.explanation);
  return out;
}

std::optional<Verdict> decode(std::string_view octets) {
  Source source(octets);
  const std::uint32_t result = source.number();
  const std::uint32_t identity = source.number();
  if (result > static_cast<std::uint32_t>(Result::temperror) ||
      identity > static_cast<std::uint32_t>(Identity::helo))
    return {};
  Verdict verdict;
  verdict.result = static_cast<Result>(result);
  verdict.identity = static_cast<Identity>(identity);
  const bool has_mechanism = source.number() != 0;
  verdict.local_policy = source.number() != 0;
  verdict.lookups = source.number();
  verdict.voids = source.number();
  verdict.milliseconds = source.number();
  verdict.domain = source.text();
  std::string mechanism = source.text();
  if (has_mechanism) verdict.mechanism = std::move(mechanism);
  verdict.problem = source.text();
  verdict.explanation = source.text();
  if (!source.exact()) return {};
  return verdict;
}

Evaluator::Evaluator(const Query& query, const CheckOptions& options, std::chrono::seconds time,
                     Check* check)
    : query_(query) {
  Pipe pipe = make_pipe();
  const pid_t pid = fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) evaluate(query, options, time, pipe.write_end.get(), check);
  process_ = Process(pid);
  verdict_ = std::move(pipe.read_end);
  set_nonblocking(verdict_.get());
}

std::optional<Verdict> Evaluator::read() {
  for (;;) {
    char octets[4096];
    const ssize_t count = ::read(verdict_.get(), octets, sizeof octets);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return {};
    if (count <= 0 || received_.size() > max_verdict) break;
    received_.append(octets, count);
    const char mark = received_.back();
    if (mark != walled_mark && mark != unwalled_mark) continue;
    if (auto verdict = decode(std::string_view(received_).substr(0, received_.size() - 1))) {
      if (mark == unwalled_mark) complaint_ = "SPF check without seccomp: the kernel has none";
      return verdict;
    }
  }
  complaint_ = "SPF check died" + process_.end_text();
  return trouble(query_);
}

Verdict Evaluator::trouble(const Query& query) {
  const Subject about = subject(query);
  Verdict verdict;
  verdict.result = Result::temperror;
  verdict.identity = about.identity;
  verdict.domain = about.domain;
  return verdict;
}

}  // namespace spf
