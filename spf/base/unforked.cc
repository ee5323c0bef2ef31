#include "spf/base/unforked.hh"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>

namespace spf {

std::span<char> map_unforked(std::size_t size) {
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  if (madvise(memory, size, MADV_DONTFORK) != 0) {
    munmap(memory, size);
    throw std::bad_alloc();
  }
  return {static_cast<char*>(memory), size};
}

void move_environment_to_unforked() {
  static char** moved = nullptr;
  if (environ == nullptr || environ == moved) return;
  std::size_t count = 0, octets = 0;
  for (; environ[count] != nullptr; ++count) octets += std::strlen(environ[count]) + 1;
  // The pointers with the null pointer behind them, then what they point to.
  char* const memory = map_unforked((count + 1) * sizeof(char*) + octets).data();
  moved = reinterpret_cast<char**>(memory);
  char* place = memory + (count + 1) * sizeof(char*);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t size = std::strlen(environ[i]) + 1;
    moved[i] = static_cast<char*>(std::memcpy(place, environ[i], size));
    std::memset(environ[i], 0, size);
    place += size;
  }
  environ = moved;
}

}  // namespace spf
