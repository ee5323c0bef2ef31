#include "spf/stat/log_file.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>

namespace spf {
namespace {

using namespace std::literals;

// What a compressed file begins with, and the program of that name.
constexpr struct {
  std::string_view magic;
  const char* program;
} compressors[] = {
    {"\x1f\x8b"sv, "gzip"},
    {"BZh"sv, "bzip2"},
    {"\xfd"
     "7zXZ\0"sv,
     "xz"},
    {"\x28\xb5\x2f\xfd"sv, "zstd"},
};

const char* compressor_of(std::string_view start) {
  for (const auto& [magic, program] : compressors)
    if (start.starts_with(magic)) return program;
  return nullptr;
}

ssize_t read_some(int fd, std::span<char> space) {
  ssize_t count;
  do count = ::read(fd, space.data(), space.size());
  while (count < 0 && errno == EINTR);
  return count;
}

}  // namespace

LogFile::LogFile(const std::string& path)
    : LogFile(path, Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC))) {}

LogFile LogFile::standard_input() {
  return LogFile("descriptor 0", Descriptor(fcntl(0, F_DUPFD_CLOEXEC, 3)));
}

LogFile::LogFile(std::string name, Descriptor file) : name_(std::move(name)), file_(std::move(file)) {
  struct stat status;
  if (!file_ || fstat(file_.get(), &status) != 0) fail(std::strerror(errno));
  if (!S_ISREG(status.st_mode)) return;
  size_ = std::uint64_t(status.st_size);
  char start[6];
  const ssize_t count = pread(file_.get(), start, sizeof start, lseek(file_.get(), 0, SEEK_CUR));
  if (count <= 0) return;  // read() will tell
  if (const char* program = compressor_of({start, std::size_t(count)})) decompress(program);
}

void LogFile::decompress(const char* program) {
  program_ = program;
  Pipe pipe = make_pipe();
  char option[] = "-dc";
  std::string name(program);
  char* const argv[] = {name.data(), option, nullptr};
  std::vector<char*> environment;
  for (char** entry = environ; *entry; ++entry) environment.push_back(*entry);
  InheritedSignals signals{{}, false};
  sigprocmask(SIG_SETMASK, nullptr, &signals.mask);
  try {
    process_ = Process::spawn(argv, std::move(environment), {file_.get(), pipe.write_end.get()}, signals);
  } catch (const std::system_error& error) {
    fail("unable to run "s + program + ": " + error.code().message());
  }
  output_ = std::move(pipe.read_end);
}

std::size_t LogFile::read(std::span<char> space) {
  const ssize_t count = read_some(output_ ? output_.get() : file_.get(), space);
  if (count < 0) fail(std::strerror(errno));
  if (!begun_ && !program_)
    if (const char* program = compressor_of({space.data(), std::size_t(count)}))
      fail("compressed by "s + program + ", and no file");
  begun_ = true;
  if (count == 0 && process_.pid() != 0)
    if (const int status = process_.wait(); status != 0) fail(program_ + " ended"s + end_text(status));
  return std::size_t(count);
}

std::uint64_t LogFile::position() const {
  // The program has the same file description, so it moves this.
  const off_t at = size_ > 0 ? lseek(file_.get(), 0, SEEK_CUR) : 0;
  return at > 0 ? std::uint64_t(at) : 0;
}

void LogFile::fail(const std::string& why) const {
  throw std::runtime_error("unable to read " + name_ + ": " + why);
}

}  // namespace spf
