#include "spf/idna.hh"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace spf {

namespace {

// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing over
// U+10FFFF.
std::optional<std::u32string> decode_utf8(std::string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2
                               : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) return {};
    char32_t point = length == 1 ? lead : lead & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return {};
      point = point << 6 | (next & 0x3f);
    }
    if ((length == 3 && point < 0x800) || (length == 4 && point < 0x10000) || point > 0x10ffff ||
        (point >= 0xd800 && point < 0xe000))
      return {};
    result += point;
    i += length;
  }
  return result;
}

// RFC 3492 section 5, the parameters of Punycode
constexpr std::uint32_t base = 36, tmin = 1, tmax = 26, skew = 38, damp = 700, initial_bias = 72;

std::uint32_t adapt(std::uint32_t delta, std::uint32_t points, bool first) {  // section 6.1
  delta = first ? delta / damp : delta / 2;
  delta += delta / points;
  std::uint32_t k = 0;
  for (; delta > (base - tmin) * tmax / 2; k += base) delta /= base - tmin;
  return k + (base - tmin + 1) * delta / (delta + skew);
}

// RFC 3492 section 6.3. A label of at most 255 code points cannot overflow 32
// bits: (0x10ffff - 0x80) * 256 fits.
std::string punycode(const std::u32string& label) {
  std::string result;
  for (const char32_t point : label)
    if (point < 0x80) result += char(point);
  std::uint32_t handled = std::uint32_t(result.size());
  const std::uint32_t basic = handled;
  if (basic > 0) result += '-';
  std::uint32_t n = 0x80, delta = 0, bias = initial_bias;
  while (handled < label.size()) {
    char32_t next = 0x10ffff;
    for (const char32_t point : label)
      if (point >= n) next = std::min(next, point);
    delta += (std::uint32_t(next) - n) * (handled + 1);
    n = next;
    for (const char32_t point : label) {
      if (point < n) ++delta;
      if (point != n) continue;
      std::uint32_t q = delta;
      for (std::uint32_t k = base;; k += base) {
        const std::uint32_t t = k <= bias ? tmin : k >= bias + tmax ? tmax : k - bias;
        const std::uint32_t digit = q < t ? q : t + (q - t) % (base - t);
        result += char(digit < 26 ? 'a' + digit : '0' + (digit - 26));
        if (q < t) break;
        q = (q - t) / (base - t);
      }
      bias = adapt(delta, handled + 1, handled == basic);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++n;
  }
  return result;
}

}  // namespace

std::string to_a_labels(std::string_view domain) {
  std::string result;
  for (;;) {
    const auto dot = domain.find('.');
    const std::string_view label = domain.substr(0, dot);
    const bool ascii = std::all_of(label.begin(), label.end(),
                                   [](unsigned char c) { return c < 0x80; });
    const auto points = ascii || label.size() > 255 ? std::nullopt : decode_utf8(label);
    if (points)
      result += "xn--" + punycode(*points);
    else
      result += label;
    if (dot == domain.npos) return result;
    result += '.';
    domain.remove_prefix(dot + 1);
  }
}

}  // namespace spf
