#include "spf/engine/idna.hh"

#include <idn2.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace spf {

namespace {

// Label by label, so that one libidn2 refuses leaves the others alone.
std::string to_a_label(std::string_view label) {
  const std::string text(label);
  std::uint8_t* converted = nullptr;
  if (idn2_lookup_u8(reinterpret_cast<const std::uint8_t*>(text.c_str()), &converted,
                     IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
    return text;
  const auto release = [](std::uint8_t* memory) { idn2_free(memory); };
  const std::unique_ptr<std::uint8_t, decltype(release)> owner(converted, release);
  return reinterpret_cast<const char*>(converted);
}

}  // namespace

std::string to_a_labels(std::string_view domain) {
  std::string result;
  for (;;) {
    const std::string_view label = domain.substr(0, domain.find('.'));
    const bool ascii = std::all_of(label.begin(), label.end(), [](unsigned char c) { return c < 0x80; });
    result += ascii ? std::string(label) : to_a_label(label);
    if (label.size() == domain.size()) return result;
    result += '.';
    domain.remove_prefix(label.size() + 1);
  }
}

}  // namespace spf
