#include "spf/base/buffer.hh"

#include <sys/mman.h>

#include <new>

namespace spf {

// What passes through is mail and passwords: a process that evaluates what
// strangers publish (walled_process.hh) must not have it, and its fork is
// cheaper without.
BufferMemory::BufferMemory(std::size_t size) {
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  if (madvise(memory, size, MADV_DONTFORK) != 0) {
    munmap(memory, size);
    throw std::bad_alloc();
  }
  left_ = all_ = {static_cast<char*>(memory), size};
}

BufferMemory::~BufferMemory() { munmap(all_.data(), all_.size()); }

std::span<char> BufferMemory::take(std::size_t size) {
  const std::span<char> taken = left_.first(size);
  left_ = left_.subspan(size);
  return taken;
}

}  // namespace spf
