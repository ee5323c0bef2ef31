#include "tests/fuzz/header_readers.hh"

#include <algorithm>

namespace fuzz {
namespace {

constexpr std::string_view assignment = "identity=";

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  return result;
}

// The letters, digits and hyphens that `text` begins with.
std::string word(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && (is_word(text[end]) || text[end] == '-')) ++end;
  return std::string(text.substr(0, end));
}

std::string behind(const std::string& text, std::size_t at) {
  return at == text.npos ? "" : word(std::string_view(text).substr(at + assignment.size()));
}

std::string in_pairs(std::string_view text, bool first) {
  std::string found;
  while (!text.empty()) {
    std::string_view pair = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    pair.remove_prefix(std::min(pair.find_first_not_of(" \""), pair.size()));
    if (!pair.starts_with(assignment)) continue;
    found = word(pair.substr(assignment.size()));
    if (first) break;
  }
  return found;
}

}  // namespace

std::string identity_in(std::string_view value, IdentityReader reader) {
  const std::string text = lower(value);
  switch (reader) {
    case IdentityReader::first: return behind(text, text.find(assignment));
    case IdentityReader::last: return behind(text, text.rfind(assignment));
    case IdentityReader::first_pair: return in_pairs(text, true);
    case IdentityReader::last_pair: return in_pairs(text, false);
    case IdentityReader::spamassassin: break;
  }
  std::size_t at = text.rfind(assignment);
  while (at != text.npos && at > 0 && is_word(text[at - 1])) at = text.rfind(assignment, at - 1);
  return at == text.npos ? "mailfrom" : behind(text, at);
}

std::string opendmarc_identity(std::string_view value) {
  std::string key, text, identity;
  std::string result;  // which it begins with
  std::string* into = &result;
  std::size_t at = 0;
  int depth = 0;
  bool escaped = false, quoted = false;
  const auto put = [&](char c) {
    if (at < into->size())
      (*into)[at] = c;
    else
      *into += c;
    ++at;
  };
  const auto end_pair = [&] {
    if (lower(key) == "identity") identity = text;
    key.clear();
    text.clear();
    into = &key;
    at = 0;
  };
  for (const char c : value) {
    if (escaped) {
      if (depth == 0) put(c);
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth > 0) {
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ') {
      if (!quoted && into == &result) end_pair();
    } else if (into != &result && c == '=') {
      into = &text;
      at = 0;
    } else if (into != &result && c == ';') {
      end_pair();
    } else {
      put(c);
    }
  }
  end_pair();
  return lower(identity);
}

unsigned count_of_key(std::string_view value, std::string_view key) {
  const std::string text = lower(value);
  unsigned count = 0;
  for (std::size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
    const std::size_t next = text.find_first_not_of(' ', at + key.size());
    count += next != text.npos && text[next] == '=';
  }
  return count;
}

}  // namespace fuzz
