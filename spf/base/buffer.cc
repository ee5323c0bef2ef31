#include "spf/base/buffer.hh"

#include <sys/mman.h>

#include "spf/base/unforked.hh"

namespace spf {

BufferMemory::BufferMemory(std::size_t size) : all_(map_unforked(size)), left_(all_) {}

BufferMemory::~BufferMemory() { munmap(all_.data(), all_.size()); }

std::span<char> BufferMemory::take(std::size_t size) {
  const std::span<char> taken = left_.first(size);
  left_ = left_.subspan(size);
  return taken;
}

}  // namespace spf
