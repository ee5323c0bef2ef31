#include "spf/macro.hh"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "spf/ascii.hh"

namespace spf {

namespace {

// Escapes what is not "unreserved" in RFC 3986 section 2.3.
std::string url_escape(std::string_view value) {
  std::string result;
  for (const unsigned char c : value) {
    if (is_alpha(char(c)) || is_digit(char(c)) ||
        (c && std::strchr("-._~", c))) {
      result += char(c);
    } else {
      constexpr char hex[] = "0123456789ABCDEF";
      result += {'%', hex[c >> 4], hex[c & 15]};
    }
  }
  return result;
}

}  // namespace

std::optional<MacroPiece> next_macro_piece(std::string_view& text) {
  MacroPiece piece;
  if (text.front() != '%') {
    piece.literal = text.substr(0, text.find('%'));
    text.remove_prefix(piece.literal.size());
    return piece;
  }
  if (text.size() < 2) return {};
  const auto literal = [&](std::string_view value) {
    piece.literal = value;
    text.remove_prefix(2);
    return piece;
  };
  switch (text[1]) {
    case '%': return literal("%");
    case '_': return literal(" ");
    case '-': return literal("%20");
    case '{': break;
    default: return {};
  }
  const auto end = text.find('}');
  if (end == text.npos || end < 3) return {};
  std::string_view body = text.substr(2, end - 2);
  piece.kind = MacroPiece::Kind::macro;
  piece.letter = lower(body.front());
  piece.escape = piece.letter != body.front();
  if (std::string_view("slodiphcrtv").find(piece.letter) == std::string_view::npos) return {};
  body.remove_prefix(1);
  // transformers = *DIGIT [ "r" ]; a number must not be zero (section 7.3). A
  // name has at most 127 labels, so what is more is all of them.
  const bool counted = !body.empty() && is_digit(body.front());
  for (; !body.empty() && is_digit(body.front()); body.remove_prefix(1))
    piece.parts = std::min(piece.parts * 10 + unsigned(body.front() - '0'), 1000u);
  if (counted && piece.parts == 0) return {};
  if (!body.empty() && lower(body.front()) == 'r') {
    piece.reverse = true;
    body.remove_prefix(1);
  }
  if (body.find_first_not_of(".-+,/_=") != body.npos) return {};
  piece.delimiters = body.empty() ? std::string_view(".") : body;
  text.remove_prefix(end + 1);
  return piece;
}

std::optional<std::string> macro_problem(std::string_view text, MacroUse use) {
  while (!text.empty()) {
    const bool raw = text.front() != '%';
    const auto piece = next_macro_piece(text);
    if (!piece) return "bad macro";
    if (piece->kind == MacroPiece::Kind::macro && use == MacroUse::domain_spec &&
        std::string_view("crt").find(piece->letter) != std::string_view::npos)
      return "macro c, r or t outside an explanation";
    if (!raw) continue;
    // macro-literal = %x21-24 / %x26-7E
    const char least = use == MacroUse::explanation ? ' ' : '!';
    for (const char c : piece->literal)
      if (c < least || c > '~') return "an octet that is not printable ASCII";
  }
  return {};
}

std::string transform(std::string_view value, const MacroPiece& macro) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = value.find_first_of(macro.delimiters);
    parts.push_back(value.substr(0, end));
    if (end == value.npos) break;
    value.remove_prefix(end + 1);
  }
  if (macro.reverse) std::reverse(parts.begin(), parts.end());
  const std::size_t keep = macro.parts ? std::min<std::size_t>(macro.parts, parts.size()) : parts.size();
  std::string result;
  for (auto part = parts.end() - std::ptrdiff_t(keep); part != parts.end(); ++part) {
    if (part != parts.end() - std::ptrdiff_t(keep)) result += '.';
    result += *part;
  }
  return macro.escape ? url_escape(result) : result;
}

}  // namespace spf
