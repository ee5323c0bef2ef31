#include "spf/base/sanitise.hh"

namespace spf {
namespace {

std::string replace_outside(std::string_view text, std::size_t limit, char lowest) {
  std::string result(text.substr(0, limit));
  for (char& c : result)
    if (c < lowest || c > '~') c = '_';
  return result;
}

}  // namespace

std::string printable(std::string_view text, std::size_t limit) {
  return replace_outside(text, limit, ' ');
}

std::string printable_word(std::string_view text, std::size_t limit) {
  return replace_outside(text, limit, '!');
}

}  // namespace spf
