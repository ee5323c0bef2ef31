#include "spf/base/read_write.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "spf/base/descriptor.hh"

namespace spf {
namespace {

// What is read of `file` at once: all of it, where its size is known.
std::size_t first_piece(const Descriptor& file) {
  struct stat status;
  if (fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0) return 4096;
  return std::size_t(status.st_size) + 1;  // which finds its end too
}

}  // namespace

FileText read_file(const char* path, std::size_t most) {
  const Descriptor file(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return {{}, errno};
  FileText result;
  const std::size_t piece = first_piece(file);
  std::size_t size = 0;
  while (size <= most) {
    if (size == result.text.size()) result.text.resize(std::min(size + piece, most + 1));
    const ssize_t count = read(file.get(), result.text.data() + size, result.text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) result.error = errno;
    if (count <= 0) break;
    size += std::size_t(count);
  }
  if (size > most) result.error = EFBIG;
  result.text.resize(std::min(size, most));
  return result;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(std::size_t(count));
  }
  return true;
}

}  // namespace spf
