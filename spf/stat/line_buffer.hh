// Octets of a log, in pieces as they come, made into lines of bounded length.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace spf {

class LineBuffer {
 public:
  // What is beyond these octets of a line is dropped. The longest line of
  // spfwrap's is shorter: some 25 words of at most 255 octets (sanitise.hh).
  static constexpr std::size_t longest = 16384;

  LineBuffer() : bytes_(new char[capacity]) {}

  // Room for the next octets, never none; written(n) adds what was put there.
  std::span<char> space() { return {bytes_.get() + end_, capacity - end_}; }

  // Calls use(line, cut) for each line whose LF has come. The line is without
  // that, and `cut` if something was dropped from its end; it is valid within use().
  template <class Use>
  void written(std::size_t count, Use use) {
    std::size_t searched = end_;
    end_ += count;
    std::size_t begin = 0;
    while (const void* found = std::memchr(bytes_.get() + searched, '\n', end_ - searched)) {
      const std::size_t at = std::size_t(static_cast<const char*>(found) - bytes_.get());
      give(begin, at, false, use);
      skipping_ = false;
      begin = searched = at + 1;
    }
    if (end_ - begin > longest) {
      give(begin, end_, true, use);
      skipping_ = true;
    }
    if (skipping_) begin = end_;
    std::memmove(bytes_.get(), bytes_.get() + begin, end_ - begin);
    end_ -= begin;
  }

  // At the end of a file: its last line, cut, if that has no LF. Then empty.
  template <class Use>
  void finish(Use use) {
    if (end_ > 0) give(0, end_, true, use);
    end_ = 0;
    skipping_ = false;
  }

 private:
  static constexpr std::size_t capacity = 1 << 18;

  template <class Use>
  void give(std::size_t begin, std::size_t end, bool cut, Use& use) {
    if (skipping_) return;
    const std::string_view line(bytes_.get() + begin, end - begin);
    use(line.substr(0, longest), cut || line.size() > longest);
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t end_ = 0;
  bool skipping_ = false;  // the rest of a line that was too long
};

}  // namespace spf
