#include "spf/stat/progress.hh"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "spf/base/read_write.hh"
#include "spf/stat/figures.hh"

namespace spf {
namespace {

constexpr std::size_t bar_width = 40;
constexpr std::size_t line_width = 60;

}  // namespace

Progress::Progress(std::uint64_t total)
    : total_(total), terminal_(isatty(2)), next_(Clock::now() + std::chrono::seconds(1)) {}

Progress::~Progress() {
  if (shown_) write_all(2, '\r' + std::string(line_width, ' ') + '\r');
}

void Progress::show(std::uint64_t done) {
  if (!terminal_ || Clock::now() < next_) return;
  next_ = Clock::now() + std::chrono::milliseconds(200);
  shown_ = true;
  std::string line;
  if (total_ > 0) {
    done = std::min(done, total_);
    const std::size_t full = std::size_t(done * bar_width / total_);
    line = '[' + left(std::string(full, '#'), bar_width) + "] " + percent(done, total_);
  } else {
    line = grouped(done / 1'000'000) + " MB read";
  }
  write_all(2, '\r' + left(line, line_width));
}

}  // namespace spf
