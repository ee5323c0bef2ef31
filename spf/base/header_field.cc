#include "spf/base/header_field.hh"

#include <cstddef>

namespace spf {
namespace {

constexpr std::size_t max_column = 78;  // RFC 5322 section 2.1.1

}  // namespace

std::string folded_field(std::string_view name, std::string_view value) {
  std::string result(name);
  result += ':';
  std::size_t column = result.size();
  bool in_quotes = false;
  bool in_comment = false;  // where '"' is a character like others
  // A blank is a place to fold, but in a quoted string it stays where it is.
  while (!value.empty()) {
    std::size_t end = 0;
    for (; end < value.size() && (in_quotes || value[end] != ' ' || end == 0); ++end) {
      const char c = value[end];
      if (c == '\\' && end + 1 < value.size())
        ++end;
      else if (c == '"' && !in_comment)
        in_quotes = !in_quotes;
      else if ((c == '(' || c == ')') && !in_quotes)
        in_comment = c == '(';
    }
    std::string_view word = value.substr(0, end);
    value.remove_prefix(end);
    if (word.front() == ' ') word.remove_prefix(1);
    if (!word.empty() && column + 1 + word.size() > max_column) {
      result += "\r\n";
      column = 0;
    }
    result += ' ';
    result += word;
    column += 1 + word.size();
  }
  return result += "\r\n";
}

std::string_view guard_before(char first) {
  if (first != ' ' && first != '\t' && first != '\r') return "";
  return "X-Received-SPF-Note: the message began with white space\r\n";
}

std::string without_cr(std::string text) {
  std::erase(text, '\r');
  return text;
}

}  // namespace spf
