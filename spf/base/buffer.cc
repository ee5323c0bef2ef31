#include "spf/base/buffer.hh"

#include <sys/mman.h>

#include <new>

namespace spf {
namespace {

// What passes through is mail and passwords: a process that evaluates what
// strangers publish (walled_process.hh) must not have it, and its fork is
// cheaper without.
char* map_for_this_process(std::size_t size) {
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  if (madvise(memory, size, MADV_DONTFORK) != 0) {
    munmap(memory, size);
    throw std::bad_alloc();
  }
  return static_cast<char*>(memory);
}

}  // namespace

void Buffer::Unmap::operator()(char* memory) const { munmap(memory, size); }

Buffer::Buffer(std::size_t capacity)
    : bytes_(map_for_this_process(capacity), Unmap{capacity}), capacity_(capacity) {}

}  // namespace spf
