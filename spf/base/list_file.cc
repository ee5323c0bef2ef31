#include "spf/base/list_file.hh"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "spf/base/read_write.hh"

namespace spf {
namespace {

// The file, as much of it at a time as fits in.
class Pieces {
 public:
  explicit Pieces(int file) : file_(file) {}

  // Holds more of the file, behind what was held and not given up; false at its end.
  // There has to be room.
  bool more() {
    if (begin_ > 0) {
      std::copy(octets_.begin() + begin_, octets_.begin() + end_, octets_.begin());
      end_ -= std::exchange(begin_, 0);
    }
    ssize_t count;
    do count = pread(file_, octets_.data() + end_, octets_.size() - end_, offset_);
    while (count < 0 && errno == EINTR);
    if (count < 0) throw std::system_error(errno, std::generic_category(), "list");
    end_ += std::size_t(count);
    offset_ += count;
    return count > 0;
  }
  std::string_view held() const { return {octets_.data() + begin_, end_ - begin_}; }
  bool full() const { return held().size() == octets_.size(); }
  void give_up(std::size_t count) { begin_ += count; }

 private:
  const int file_;
  off_t offset_ = 0;
  std::array<char, ListFile::longest_line> octets_;
  std::size_t begin_ = 0, end_ = 0;
};

}  // namespace

ListFile::Opened ListFile::open(const char* path, std::size_t most) {
  auto file = std::make_shared<const Descriptor>(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!*file) return {{}, errno};
  struct stat status;
  if (fstat(file->get(), &status) != 0) return {{}, errno};
  if (!S_ISREG(status.st_mode)) {
    FileText whole = read_file(path, most);
    return {ListFile(std::move(whole.text)), whole.error};
  }
  if (std::size_t(status.st_size) > most) return {{}, EFBIG};
  Opened opened;
  opened.list.file_ = std::move(file);
  return opened;
}

void ListFile::hold() {
  if (!file_) return;
  Pieces pieces(file_->get());
  while (pieces.more()) {
    text_ += pieces.held();
    pieces.give_up(pieces.held().size());
  }
  file_.reset();
}

void ListFile::each(const std::function<void(const ListLine&)>& use) const {
  ListLine line{0, {}};
  const auto take = [&](std::string_view lines) {
    while (take_list_line(lines, line)) use(line);
  };
  if (!file_) return take(text_);
  Pieces pieces(file_->get());
  bool in_long_line = false;  // whose beginning was used
  for (bool ends = false; !ends;) {
    ends = !pieces.more();
    std::string_view held = pieces.held();
    if (in_long_line) {
      const std::size_t end = held.find('\n');
      in_long_line = end == held.npos;
      pieces.give_up(in_long_line ? held.size() : end + 1);
      held = pieces.held();
    }
    in_long_line = in_long_line || (pieces.full() && held.find('\n') == held.npos);
    const std::size_t whole = ends || in_long_line ? held.size() : held.rfind('\n') + 1;
    take(held.substr(0, whole));
    pieces.give_up(whole);
  }
}

}  // namespace spf
