#include "spf/proxy/annotation_file.hh"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace spf {
namespace {

constexpr int lowest_descriptor = 10;

int must(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

}  // namespace

AnnotationFile::AnnotationFile() : writer_(must(memfd_create("annotation", MFD_CLOEXEC), "memfd")) {
  const std::string path = "/proc/self/fd/" + std::to_string(writer_.get());
  const Descriptor low(must(open(path.c_str(), O_RDONLY | O_CLOEXEC), path.c_str()));
  reader_ = Descriptor(must(fcntl(low.get(), F_DUPFD_CLOEXEC, lowest_descriptor), "dup"));
}

void AnnotationFile::write(std::string_view octets) {
  must(ftruncate(writer_.get(), 0), "annotation");
  for (off_t done = 0; std::size_t(done) < octets.size();) {
    const ssize_t count = pwrite(writer_.get(), octets.data() + done, octets.size() - done, done);
    if (count < 0 && errno == EINTR) continue;
    must(count < 0 ? -1 : 0, "annotation");
    done += count;
  }
}

}  // namespace spf
