#include "spf/evaluator.hh"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

#include "spf/interfaces.hh"
#include "spf/udns.hh"

namespace spf {
namespace {

// More than any verdict has.
constexpr std::size_t max_verdict = 65536;

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

// The life of the forked process.
[[noreturn]] void evaluate(const Query& query, CheckOptions options, std::chrono::seconds time,
                           int verdict) {
  // It has no descriptor of client, child or log.
  close_range(0, verdict - 1, 0);
  close_range(verdict + 1, ~0u, 0);
  try {
    const auto start = std::chrono::steady_clock::now();
    options.own_address = is_own_address(query.client);
    UdnsResolver resolver(start + time);
    Verdict result = check(query, options, resolver);
    const auto took = std::chrono::steady_clock::now() - start;
    result.milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    write_all(verdict, encode(result));
  } catch (...) {
    _exit(1);  // no verdict is temperror
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

Evaluator::Evaluator(const Query& query, const CheckOptions& options, std::chrono::seconds time)
    : query_(query) {
  Pipe pipe = make_pipe();
  const pid_t pid = fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0) evaluate(query, options, time, pipe.write_end.get());
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
    if (auto verdict = decode(received_)) return verdict;
  }
  failed_ = true;
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
