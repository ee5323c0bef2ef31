#include "spf/stat/line_buffer.hh"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/catch.hh"

namespace {

// The lines of `text` read in pieces of at most `piece` octets, "+" before one that
// is cut.
std::vector<std::string> lines_of(std::string_view text, std::size_t piece) {
  spf::LineBuffer buffer;
  std::vector<std::string> lines;
  const auto use = [&lines](std::string_view line, bool cut) { lines.push_back((cut ? "+" : "") + std::string(line)); };
  while (!text.empty()) {
    const auto space = buffer.space();
    const std::size_t count = std::min({piece, text.size(), space.size()});
    if (count == 0) FAIL("no room for a line");
    std::copy_n(text.begin(), count, space.begin());
    text.remove_prefix(count);
    buffer.written(count, use);
  }
  buffer.finish(use);
  return lines;
}

}  // namespace

TEST_CASE("lines are the same in whatever pieces they come") {
  const std::string longest(spf::LineBuffer::longest, 'x');
  const struct { std::string text; std::vector<std::string> lines; } cases[] = {
      {"", {}},
      {"\n", {""}},
      {"a\nb\n", {"a", "b"}},
      {"a\n\nb", {"a", "", "+b"}},
      {std::string("a\0b\n", 4), {std::string("a\0b", 3)}},
      {longest + "\nb\n", {longest, "b"}},
      {longest + "y\nb\n", {"+" + longest, "b"}},
      {longest + longest + longest + "\nb", {"+" + longest, "+b"}},
      {longest + "y", {"+" + longest}},
      {std::string(1'000'000, 'x') + "\nb\n", {"+" + longest, "b"}},
  };
  for (const auto& c : cases)
    for (const std::size_t piece : {std::size_t(1), std::size_t(2), std::size_t(3), std::size_t(4096), c.text.size() + 1}) {
      INFO(c.text.size() << " octets in pieces of " << piece);
      CHECK(lines_of(c.text, piece) == c.lines);
    }
}

TEST_CASE("a buffer that was finished begins anew") {
  spf::LineBuffer buffer;
  std::vector<std::string> lines;
  const auto use = [&lines](std::string_view line, bool) { lines.emplace_back(line); };
  const auto feed = [&](std::string_view text) {
    std::copy(text.begin(), text.end(), buffer.space().begin());
    buffer.written(text.size(), use);
  };
  feed(std::string(spf::LineBuffer::longest + 1, 'x'));
  lines.clear();
  buffer.finish(use);
  CHECK(lines.empty());
  feed("a\n");
  CHECK(lines == std::vector<std::string>{"a"});
}
