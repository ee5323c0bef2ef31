#include "tests/support/temp_dir.hh"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/support/process.hh"

namespace test {

TempDir::TempDir() {
  const char* base = getenv("TMPDIR");
  path_ = std::string(base ? base : "/tmp") + "/spfwrap-test.XXXXXX";
  if (!mkdtemp(path_.data())) throw std::runtime_error("mkdtemp " + path_);
  // Servers that a test starts may run under another uid.
  chmod(path_.c_str(), 0755);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::file(std::string_view name) const { return path_ + "/" + std::string(name); }

std::string TempDir::write(std::string_view name, std::string_view text) const {
  const std::string path = file(name);
  std::ofstream out(path, std::ios::binary);
  if (!out.write(text.data(), text.size()).flush()) throw std::runtime_error("write " + path);
  return path;
}

std::string TempDir::script(std::string_view name, std::string_view text) const {
  const std::string path = write(name, text);
  chmod(path.c_str(), 0755);
  return path;
}

std::string TempDir::make_directory(std::string_view name) const {
  const std::string path = file(name);
  if (mkdir(path.c_str(), 0755) == -1) throw std::runtime_error("mkdir " + path);
  return path;
}

// What stat says of the size is a guess: files of /proc have none.
std::string read_file(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  fstat(fd.get(), &info);
  std::string text(std::max<std::size_t>(info.st_size, 4095) + 1, '\0');
  std::size_t size = 0;
  for (ssize_t count; (count = read(fd.get(), text.data() + size, text.size() - size)) > 0;) {
    size += count;
    if (size == text.size()) text.resize(2 * size);
  }
  text.resize(size);
  return text;
}

}  // namespace test
