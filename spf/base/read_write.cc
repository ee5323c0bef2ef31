#include "spf/base/read_write.hh"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "spf/base/descriptor.hh"

namespace spf {

FileText read_file(const char* path) {
  const Descriptor file(open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return {{}, errno};
  FileText result;
  result.text.resize(longest_file);
  std::size_t size = 0;
  while (size < longest_file) {
    const ssize_t count = read(file.get(), result.text.data() + size, longest_file - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) result.error = errno;
    if (count <= 0) break;
    size += std::size_t(count);
  }
  result.text.resize(size);
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
