#include "spf/dialogue/authentication_results.hh"

#include <algorithm>

#include "spf/base/ascii.hh"
#include "spf/base/header_field.hh"
#include "spf/base/sanitise.hh"

namespace spf {
namespace {

// RFC 2045 section 5.1
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && !is_tspecial(c);
  });
}

std::string word(std::string_view text) {
  if (is_token(text)) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// A name that came from outside, with nothing left in it that ends a value, a
// result or a comment, for readers who know no quotes.
std::string plain(std::string_view name) {
  std::string result(name);
  for (char& c : result)
    if (c == '=' || (!is_atext(c) && std::string_view(".:[]").find(c) == std::string_view::npos)) c = '_';
  return result;
}

}  // namespace

std::string authentication_results_value(const Verdict& verdict, std::string_view authserv_id) {
  std::string value = word(printable(authserv_id, max_item)) + "; spf=";
  value += name(verdict.result);
  // A part of a name is another name.
  if (verdict.domain.empty() || verdict.domain.size() > max_item) return value;
  value += verdict.identity == Identity::mailfrom ? " smtp.mailfrom=" : " smtp.helo=";
  return value + word(plain(verdict.domain));
}

std::string authentication_results(std::string_view value) {
  return folded_field("Authentication-Results", value);
}

}  // namespace spf
