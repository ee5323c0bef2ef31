#include "spf/dialogue/received_spf.hh"

#include <algorithm>
#include <iterator>

#include "spf/base/ascii.hh"
#include "spf/base/header_field.hh"
#include "spf/base/sanitise.hh"
#include "spf/dialogue/variables.hh"

namespace spf {
namespace {

// `text` with a backslash before each of `special` (RFC 5322 section 3.2.1).
std::string quote(std::string_view text, std::string_view special) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != special.npos) result += '\\';
    result += c;
  }
  return result;
}

// Many readers of the header know no quotes and look for "; key=" or "key="
// anywhere, the first one or the last.
std::string without_pairs(std::string text) {
  for (char& c : text)
    if (c == ';' || c == '=') c = '_';
  return text;
}

std::string in_comment(std::string_view text) {
  return quote(without_pairs(printable(text, max_item)), "()\\");
}

// The keys of RFC 7208 section 9.1.
constexpr std::string_view keys[] = {"client-ip", "envelope-from", "helo", "identity",
                                     "mechanism", "problem", "receiver"};

// Senders have '=' by right (BATV, SRS, VERP): it goes where a key is before
// it, and where quotes would let blanks stand between.
std::string in_envelope_from(std::string_view sender) {
  std::string text = printable(sender, max_item);
  if (text.find_first_of("\"; ") != text.npos) return without_pairs(std::move(text));
  for (std::size_t i = text.find('='); i != text.npos; i = text.find('=', i + 1)) {
    const std::string_view before = std::string_view(text).substr(0, i);
    if (std::any_of(std::begin(keys), std::end(keys),
                    [&](std::string_view key) { return ends_with_ignoring_case(before, key); }))
      text[i] = '_';
  }
  return text;
}

// RFC 5322 section 3.2.3
bool is_dot_atom(std::string_view text) {
  bool after_dot = true;
  for (const char c : text) {
    if (c == '.' ? after_dot : !is_atext(c)) return false;
    after_dot = c == '.';
  }
  return !after_dot;
}

std::string pair(std::string_view key, std::string_view word) {
  std::string text = ' ' + std::string(key) + '=';
  if (is_dot_atom(word))
    text += word;
  else
    text += '"' + quote(word, "\"\\") + '"';
  return text + ';';
}

std::string comment(const Query& query, const Verdict& verdict, std::string_view receiver) {
  const std::string r = in_comment(receiver);
  const std::string i = query.client.text();
  const std::string d = verdict.domain.empty() ? "unknown" : in_comment(verdict.domain);
  const std::string x = verdict.local_policy ? "local policy" : "SPF record at " + d;
  switch (verdict.result) {
    case Result::pass: return r + ": " + x + " designates " + i + " as permitted sender";
    case Result::fail: return r + ": " + x + " does not designate " + i + " as permitted sender";
    case Result::softfail:
      return r + ": transitioning " + x + " does not designate " + i + " as permitted sender";
    case Result::neutral: return r + ": " + i + " is neither permitted nor denied by " + x;
    case Result::none:
      return r + ": domain at " + d + " does not designate permitted sender hosts";
    case Result::permerror: return r + ": " + in_comment(verdict.problem);
    case Result::temperror: break;
  }
  return r + ": error in processing during lookup of " + d + ": DNS problem";
}

}  // namespace

std::string header_value(const Query& query, const Verdict& verdict, std::string_view receiver) {
  // These are always there: who finds no identity takes it for mailfrom.
  const std::string client = pair("client-ip", query.client.text());
  const std::string identity = pair("identity", name(verdict.identity));
  std::string value(name(verdict.result));
  // Where everything is as long as can be, what would be over the limit is
  // left out whole, so that the value keeps its syntax.
  std::size_t room = max_variable - value.size() - client.size() - identity.size();
  const auto add = [&](const std::string& text) {
    if (text.size() > room) return;
    value += text;
    room -= text.size();
  };
  add(" (" + comment(query, verdict, receiver) + ')');
  value += client;
  // A part of a name is another name.
  const bool of_sender =
      verdict.identity == Identity::mailfrom || subject(query).identity == Identity::helo;
  if (of_sender && query.sender.size() <= max_item)
    add(pair("envelope-from", in_envelope_from(query.sender)));
  if (query.helo.size() <= max_item)
    add(pair("helo", without_pairs(printable(query.helo, max_item))));
  if (verdict.mechanism)
    add(pair("mechanism", without_pairs(printable(*verdict.mechanism, max_item))));
  add(pair("receiver", printable(receiver, max_item)));
  return value + identity;
}

std::string received_spf(std::string_view value) { return folded_field("Received-SPF", value); }

}  // namespace spf
