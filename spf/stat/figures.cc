#include "spf/stat/figures.hh"

#include <algorithm>

#include "spf/base/sanitise.hh"

namespace spf {
namespace {

constexpr std::string_view ellipsis = "...";

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string percent(std::uint64_t part, std::uint64_t whole) {
  unsigned tenths = 0;
  if (part > 0) {
    tenths = unsigned((static_cast<unsigned __int128>(part) * 1000 + whole / 2) / whole);
    tenths = std::clamp(tenths, 1u, part < whole ? 999u : 1000u);
  }
  return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " %";
}

std::string right(std::string_view text, std::size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ').append(text);
}

std::string left(std::string_view text, std::size_t width) {
  std::string filled(text);
  if (filled.size() < width) filled.resize(width, ' ');
  return filled;
}

std::string end_of(std::string_view name, std::size_t width) {
  if (name.size() <= width) return printable(name, width);
  const std::size_t kept = width - ellipsis.size();
  return std::string(ellipsis) + printable(name.substr(name.size() - kept), kept);
}

std::string beginning_of(std::string_view text, std::size_t width) {
  if (text.size() <= width) return printable(text, width);
  return printable(text, width - ellipsis.size()).append(ellipsis);
}

}  // namespace spf
