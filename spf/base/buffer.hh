// Bounded queues of bytes between descriptors and the session.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

namespace spf {

// The memory of several (unforked.hh).
class BufferMemory {
 public:
  // Throws std::bad_alloc.
  explicit BufferMemory(std::size_t size);
  ~BufferMemory();
  BufferMemory(const BufferMemory&) = delete;
  BufferMemory& operator=(const BufferMemory&) = delete;

  // The next octets; all that are taken must be no more than there are.
  std::span<char> take(std::size_t size);

 private:
  std::span<char> all_, left_;
};

class Buffer {
 public:
  explicit Buffer(std::span<char> memory) : bytes_(memory.data()), capacity_(memory.size()) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::string_view data() const { return {bytes_ + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t room() const { return capacity_ - (end_ - begin_); }

  // All the room there is, in one piece; written(n) adds what was put there.
  std::span<char> space() {
    if (begin_ > 0) {
      std::memmove(bytes_, bytes_ + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    return {bytes_ + end_, capacity_ - end_};
  }
  void written(std::size_t count) { end_ += count; }

  // Needs text.size() <= room().
  void append(std::string_view text) {
    std::memcpy(space().data(), text.data(), text.size());
    written(text.size());
  }

  // Takes `count` bytes, at most data().size(), from the front.
  void consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  void clear() { begin_ = end_ = 0; }

 private:
  char* const bytes_;
  const std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace spf
