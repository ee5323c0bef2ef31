#include "tests/fuzz/path_grammar.hh"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <string>

namespace fuzz {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
bool is_8bit(char c) { return c < 0; }
bool is_cntrl(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }
bool one_of(char c, std::string_view set) { return set.find(c) != set.npos; }

// Code points, each of them in its one encoding (RFC 3629); nothing for others.
std::optional<std::u32string> code_points(std::string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char first = text[i];
    const std::size_t size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size == 0 || first > 0xf7 || i + size > text.size()) return {};
    char32_t point = size == 1 ? first : first & (0x7f >> size);
    for (std::size_t k = 1; k < size; ++k) {
      if ((text[i + k] & 0xc0) != 0x80) return {};
      point = point << 6 | (text[i + k] & 0x3f);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return {};
    result += point;
    i += size;
  }
  return result;
}

// Whether somebody who only looks at how many octets belong together finds an
// ASCII character, or another one in more octets than it needs.
bool hides_something(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char first = text[i];
    std::size_t size = 0;
    while (size < 8 && first & (0x80 >> size)) ++size;
    if (size < 2 || size > 6) continue;
    // What needs `size` octets has more bits than 5 * size - 4; two: than 7.
    unsigned long long point = first & (0x7f >> size);
    std::size_t k = 1;
    for (; k < size && i + k < text.size() && (text[i + k] & 0xc0) == 0x80; ++k)
      point = point << 6 | (text[i + k] & 0x3f);
    // Octets that are missing may still come: the first continuation decides.
    if (k < 2) continue;
    point <<= 6 * (size - k);
    if (point < 1ull << (size == 2 ? 7 : 5 * size - 4)) return true;
  }
  return false;
}

bool is_literal(const std::string& domain) {
  unsigned char octets[16];
  const std::string inside = domain.substr(1, domain.size() - 2);
  const bool tagged = inside.size() > 5 && inside[4] == ':' && (inside[0] | 32) == 'i' &&
                      (inside[1] | 32) == 'p' && (inside[2] | 32) == 'v' && inside[3] == '6';
  if (tagged) return inet_pton(AF_INET6, inside.c_str() + 5, octets) == 1;
  return inet_pton(AF_INET, inside.c_str(), octets) == 1;
}

}  // namespace

bool is_read_alike(std::string_view mailbox) {
  if (std::any_of(mailbox.begin(), mailbox.end(), is_cntrl)) return false;
  const std::size_t quote = mailbox.starts_with('"') ? mailbox.rfind('"') : 0;
  const std::size_t at = mailbox.find('@', quote);
  const std::string_view local = mailbox.substr(0, at);
  if (hides_something(local)) return false;
  if (quote == 0) {
    const auto ok = [](char c) { return is_alnum(c) || is_8bit(c) || one_of(c, "!#$%&'*+-/=?^_`{|}~."); };
    if (local.empty() || !std::all_of(local.begin(), local.end(), ok)) return false;
    if (at == mailbox.npos) return !one_of('%', local) && !one_of('!', local);
  } else {
    if (at != quote + 1 || quote < 2) return false;
    std::string content;
    for (std::size_t i = 1; i < quote; ++i) {
      if (mailbox[i] == '"') return false;
      if (mailbox[i] == '\\' && ++i == quote) return false;
      content += mailbox[i];
    }
    if (content[0] == '@' || content.find_first_of("<>") != content.npos) return false;
  }
  const std::string domain(mailbox.substr(at + 1));
  if (domain.empty() || domain.size() > 255 || !code_points(domain)) return false;
  if (domain.front() == '[') return domain.back() == ']' && is_literal(domain);
  const auto ok = [](char c) { return is_alnum(c) || is_8bit(c) || one_of(c, "-_."); };
  return std::all_of(domain.begin(), domain.end(), ok) && domain.front() != '.' &&
         domain.find("..") == domain.npos;
}

ReadMailbox by_the_book(std::string_view mailbox) {
  ReadMailbox read;
  bool quoted = false;
  for (; !mailbox.empty() && (quoted || mailbox.front() != '@'); mailbox.remove_prefix(1)) {
    if (mailbox.front() == '"')
      quoted = !quoted;
    else if (mailbox.front() == '\\' && mailbox.size() > 1)
      mailbox.remove_prefix(1), read.local += mailbox.front();
    else
      read.local += mailbox.front();
  }
  if (!mailbox.empty()) read.domain = mailbox.substr(1);
  return read;
}

}  // namespace fuzz
