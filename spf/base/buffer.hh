// A bounded queue of bytes between a descriptor and the session.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace spf {

class Buffer {
 public:
  // Its memory is not touched before it is used, so capacity costs nothing, and
  // is not there in processes that are forked. Throws std::bad_alloc.
  explicit Buffer(std::size_t capacity);

  std::string_view data() const { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  std::size_t room() const { return capacity_ - (end_ - begin_); }

  // All the room there is, in one piece; written(n) adds what was put there.
  std::span<char> space() {
    if (begin_ > 0) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    return {bytes_.get() + end_, capacity_ - end_};
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
  struct Unmap {
    std::size_t size;
    void operator()(char* memory) const;
  };

  std::unique_ptr<char, Unmap> bytes_;
  std::size_t capacity_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace spf
