// A buffer with memory of its own.
#pragma once

#include "spf/base/buffer.hh"

namespace test {

struct OwnBuffer : private spf::BufferMemory, spf::Buffer {
  explicit OwnBuffer(std::size_t capacity) : BufferMemory(capacity), Buffer(take(capacity)) {}
};

}  // namespace test
