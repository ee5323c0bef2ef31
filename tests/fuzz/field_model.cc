#include "tests/fuzz/field_model.hh"

#include <algorithm>
#include <cstring>
#include <vector>

namespace fuzz {
namespace {

using std::size_t;
using std::string;

string lower_case(string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
  return text;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_white(char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; }
bool is_crlf(const string& text, size_t at) { return text.compare(at, 2, "\r\n") == 0; }

// Where the field that begins at `at` ends: behind the last of its lines.
size_t field_end(const string& header, size_t at) {
  for (; at < header.size(); ++at) {
    if (!is_crlf(header, at)) continue;
    const size_t next = at + 2;
    if (next >= header.size()) return next;
    if (!is_blank(header[next]) && (header[next] != '\r' || is_crlf(header, next))) return next;
  }
  return header.size();
}

// The end of the part of a field in which comments, quotes and pairs count,
// those that the reader knows: where its first semicolon outside them is.
size_t semicolon(const string& text, bool knows_all) {
  string inside;  // what has been opened
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool quoted = inside.ends_with('"');
    if (is_crlf(text, i)) ++i;
    else if (knows_all && c == '\\') i += is_crlf(text, i + 1) ? 0 : 1;
    else if (knows_all && c == '"' && !inside.ends_with('(')) quoted ? inside.pop_back() : inside.push_back(c);
    else if (quoted) continue;
    else if (c == '(') inside.push_back(c);
    else if (c == ')' && !inside.empty()) inside.pop_back();
    else if (c == ';' && inside.empty()) return i;
  }
  return text.size();
}

bool is_part_of_word(char c) { return !is_white(c) && !std::strchr("()<>@,;:\\\"/[]?=", c); }

bool has_word(const string& text, const string& word) {
  for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1))
    if ((at == 0 || !is_part_of_word(text[at - 1])) &&
        (at + word.size() == text.size() || !is_part_of_word(text[at + word.size()])))
      return true;
  return false;
}

// The octets that some reader may hold together, one string a reader.
std::vector<string> readings(const string& text) {
  string spaced, joined;
  for (const char c : text)
    if (c != '\\') spaced += is_white(c) ? ' ' : c;
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      if (++i < text.size() && depth == 0) joined += text[i];
      continue;
    }
    depth += c == '(';
    if (depth == 0 && c != '"') {
      if (is_blank(c)) joined += ' ';
      else if (!is_white(c)) joined += c;
    }
    depth -= c == ')' && depth > 0;
  }
  for (const string pair : {" .", ". "})
    for (size_t at; (at = joined.find(pair)) != joined.npos;) joined.erase(joined[at] == ' ' ? at : at + 1, 1);
  return {spaced, joined};
}

// Whether the field whose value is `value` bears the ID.
bool bears(const string& value, const string& id) {
  const string prelude = value.substr(0, std::max(semicolon(value, true), semicolon(value, false)));
  for (const string& reading : readings(prelude))
    if (has_word(lower_case(reading), lower_case(id))) return true;
  return false;
}

// The value's place if a field of this name is at `at`, else npos.
size_t value_of(const string& header, size_t at, const string& name) {
  if (lower_case(header.substr(at, name.size())) != name) return string::npos;
  for (at += name.size(); at < header.size(); ++at) {
    if (header[at] == ':') return at + 1;
    if (is_crlf(header, at)) {
      if (at + 2 >= header.size() || !is_blank(header[at + 2])) return string::npos;
      at += 2;
    } else if (!is_white(header[at])) {
      return string::npos;
    }
  }
  return string::npos;
}

bool goes(const string& header, size_t at, spf::Strip strip, const string& id) {
  const bool all = strip == spf::Strip::all;
  if (all && value_of(header, at, "received-spf") != string::npos) return true;
  const size_t value = value_of(header, at, "authentication-results");
  if (value == string::npos) return false;
  const string text = header.substr(value, field_end(header, at) - value);
  if (bears(text, id)) return true;
  const string prelude = lower_case(text.substr(0, std::max(semicolon(text, true), semicolon(text, false))));
  return prelude.find("\rauthentication-results") != string::npos ||
         (all && prelude.find("\rreceived-spf") != string::npos);
}

}  // namespace

string without_fields(string message, spf::Strip strip, const string& id) {
  if (strip == spf::Strip::no) return message;
  const size_t empty_line = message.starts_with("\r\n") ? 0 : message.find("\r\n\r\n");
  const size_t end = empty_line == message.npos ? message.size() : empty_line + (empty_line ? 2 : 0);
  const string body = message.substr(end), header = message.substr(0, end);
  string left;
  for (size_t at = 0; at < header.size();) {
    const bool after_cr = at > 0 && header[at - 1] == '\r' && header[at] != '\n';
    const bool begins = at == 0 || header[at - 1] == '\n' || after_cr;
    if (!begins || !goes(header, at, strip, id)) {
      left += header[at++];
      continue;
    }
    at = field_end(header, at);
    if (after_cr) left.pop_back();
    // The rest of a line that is left keeps its end.
    if (!left.empty() && left.back() != '\n') left += "\r\n";
  }
  return left + body;
}

}  // namespace fuzz
