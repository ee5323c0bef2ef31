#include "spf/engine/macro.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "spf/base/ascii.hh"
#include "spf/base/dns_name.hh"
#include "spf/base/mailbox.hh"

namespace spf {

namespace {

constexpr char hex[] = "0123456789ABCDEF";

// Escapes what is not "unreserved" in RFC 3986 section 2.3.
std::string url_escape(std::string_view value) {
  std::string result;
  for (const unsigned char c : value) {
    if (is_alphanum(char(c)) || (c && std::strchr("-._~", c))) {
      result += char(c);
    } else {
      result += {'%', hex[c >> 4], hex[c & 15]};
    }
  }
  return result;
}

// What transformers keep of a value: the right-hand parts, which are the
// left-hand ones if they are reversed before.
std::string_view kept(std::string_view value, const MacroPiece& macro) {
  std::size_t end = value.npos;  // reverse: where the parts end
  std::size_t begin = value.size();
  for (unsigned parts = 0; parts < macro.parts; ++parts) {
    if (macro.reverse) {
      end = value.find_first_of(macro.delimiters, end + 1);  // npos + 1 is 0
      if (end == value.npos) return value;
    } else {
      begin = begin == 0 ? value.npos : value.find_last_of(macro.delimiters, begin - 1);
      if (begin == value.npos) return value;
    }
  }
  if (macro.parts == 0) return value;
  return macro.reverse ? value.substr(0, end) : value.substr(begin + 1);
}

// Nibbles with dots between them (section 7.3), in upper case as the openspf
// suite has them; to DNS it is all the same.
std::string nibbles(const Address& client) {
  std::string result;
  for (unsigned i = 0; i < client.bits() / 4; ++i) {
    const unsigned octet = client.octets()[i / 2];
    if (i > 0) result += '.';
    result += hex[i % 2 ? octet & 15 : octet >> 4];
  }
  return result;
}

// One expansion, which asks for the value of a letter once.
class Expansion {
 public:
  explicit Expansion(const MacroValue& value) : value_(value) {}

  std::string text(const MacroPiece& piece) {
    if (piece.kind == MacroPiece::Kind::literal) return std::string(piece.literal);
    auto& known = known_[std::size_t(piece.letter - 'a')];
    if (!known) known = value_(piece.letter);
    return transform(*known, piece);
  }

 private:
  const MacroValue& value_;
  std::array<std::optional<std::string>, 26> known_;
};

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
  // transformers = *DIGIT [ "r" ]; a number must not be zero (section 7.3).
  // What is over the bound is more than any value has parts.
  const bool counted = !body.empty() && is_digit(body.front());
  for (; !body.empty() && is_digit(body.front()); body.remove_prefix(1))
    piece.parts = std::min(piece.parts * 10 + unsigned(body.front() - '0'), 1000000u);
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
  value = kept(value, macro);
  std::string result;
  if (macro.reverse) {
    for (;;) {
      const auto delimiter = value.find_last_of(macro.delimiters);
      result += value.substr(delimiter + 1);  // npos + 1 is 0
      if (delimiter == value.npos) break;
      result += '.';
      value = value.substr(0, delimiter);
    }
  } else {
    result = value;
    for (char& c : result)
      if (macro.delimiters.find(c) != macro.delimiters.npos) c = '.';
  }
  return macro.escape ? url_escape(result) : result;
}

std::string macro_value(char letter, const Identities& identities, const std::string& domain) {
  const std::string& sender = identities.sender;
  const auto at = std::min(domain_separator(sender), sender.size());
  switch (letter) {
    case 's': return sender;
    case 'l': return sender.substr(0, at);
    case 'o': return sender.substr(std::min(at + 1, sender.size()));
    case 'd': return domain;
    case 'i': return identities.client.is_ip4() ? identities.client.text() : nibbles(identities.client);
    case 'c': return identities.client.text();
    case 'v': return identities.client.is_ip4() ? "in-addr" : "ip6";
    case 'h': return identities.helo;
    case 'r': return identities.receiver.empty() ? "unknown" : identities.receiver;
    case 't': return std::to_string(identities.time);
    default: return "unknown";
  }
}

std::string expand_name(std::string_view domain_spec, const MacroValue& value) {
  std::vector<MacroPiece> pieces;
  while (!domain_spec.empty()) {
    const auto piece = next_macro_piece(domain_spec);
    if (!piece) break;
    pieces.push_back(*piece);
  }
  // With its trailing dot, and with one octet more, which tells that it is cut.
  constexpr std::size_t enough = longest_name + 2;
  Expansion expansion(value);
  std::string name;
  for (auto piece = pieces.rbegin(); piece != pieces.rend() && name.size() < enough; ++piece) {
    const std::string text = expansion.text(*piece);
    name.insert(0, text, text.size() - std::min(text.size(), enough - name.size()));
  }
  if (name.ends_with('.')) name.pop_back();
  if (name.size() <= longest_name) return name;
  const auto dot = name.find('.', name.size() - longest_name - 1);
  return dot == name.npos ? name : name.substr(dot + 1);
}

std::string expand_text(std::string_view explain_string, std::size_t most, const MacroValue& value) {
  Expansion expansion(value);
  std::string text;
  while (!explain_string.empty() && text.size() < most) {
    const auto piece = next_macro_piece(explain_string);
    if (!piece) break;
    text.append(expansion.text(*piece), 0, most - text.size());
  }
  return text;
}

}  // namespace spf
