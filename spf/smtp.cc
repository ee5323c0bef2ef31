#include "spf/smtp.hh"

#include <algorithm>
#include <iterator>

#include "spf/ascii.hh"
#include "spf/mailbox.hh"

namespace spf {
namespace {

constexpr std::string_view names[] = {"HELO", "EHLO", "MAIL", "RCPT", "DATA",
                                      "RSET", "NOOP", "VRFY", "EXPN", "HELP",
                                      "AUTH", "QUIT", "STARTTLS", "BDAT", ""};

bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }

void skip_blanks(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

// Where the mailbox at the start of `text` ends: before the '>' that closes a
// bracketed path. npos if it is no mailbox that every server reads alike:
// outside quotes no blanks, backslashes or angle brackets, inside quotes no
// angle brackets either, since some servers do not know quotes there.
std::size_t bracketed_end(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_control(c) || c == '<' || (quoted && c == '>')) return text.npos;
    if (c == '>') return i;
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') {
      if (++i == text.size() || is_control(text[i]) || text[i] == '<' || text[i] == '>')
        return text.npos;
    } else if (!quoted && (c == '\\' || c == ' ')) {
      return text.npos;
    }
  }
  return text.npos;
}

// Where a path without brackets ends. npos if it has a character that needs them.
std::size_t bare_end(std::string_view text) {
  const std::size_t end = std::min(text.find(' '), text.size());
  const std::string_view token = text.substr(0, end);
  const bool plain = !token.empty() && token.find_first_of("<>\"\\") == token.npos &&
                     std::none_of(token.begin(), token.end(), is_control);
  return plain ? end : text.npos;
}

// Takes "@a,@b:" off the front of `mailbox` (RFC 5321 appendix C). False for a
// source route without a mailbox behind it.
bool strip_source_route(std::string_view& mailbox) {
  if (mailbox.empty() || mailbox.front() != '@') return true;
  const std::size_t colon = mailbox.find(':');
  if (colon == mailbox.npos) return false;
  mailbox.remove_prefix(colon + 1);
  return !mailbox.empty() && mailbox.front() != '@';
}

}  // namespace

std::string_view name(Verb verb) { return names[static_cast<std::size_t>(verb)]; }

Command parse_command(std::string_view line) {
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  const std::string_view word = line.substr(0, line.find(' '));
  std::string_view argument = line.substr(word.size());
  skip_blanks(argument);
  std::size_t verb = 0;
  while (verb < static_cast<std::size_t>(Verb::unknown) &&
         !(word.size() == names[verb].size() && starts_with_ignoring_case(word, names[verb])))
    ++verb;
  return {static_cast<Verb>(verb), argument};
}

std::size_t line_limit(std::string_view line) {
  return starts_with_ignoring_case(line, "AUTH ") ? max_auth_line : max_command_line;
}

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), is_control);
}

std::string Path::command(Verb verb) const {
  std::string line(name(verb));
  line += verb == Verb::mail ? " FROM:<" : " TO:<";
  line += mailbox;
  line += '>';
  if (!parameters.empty()) line += ' ' + parameters;
  return line;
}

std::optional<Path> parse_path(Verb verb, std::string_view argument) {
  const std::string_view keyword = verb == Verb::mail ? "FROM" : "TO";
  if (!starts_with_ignoring_case(argument, keyword)) return {};
  argument.remove_prefix(keyword.size());
  skip_blanks(argument);
  if (argument.empty() || argument.front() != ':') return {};
  argument.remove_prefix(1);
  skip_blanks(argument);

  const bool bracketed = !argument.empty() && argument.front() == '<';
  if (bracketed) argument.remove_prefix(1);
  const std::size_t end = bracketed ? bracketed_end(argument) : bare_end(argument);
  if (end == argument.npos) return {};
  std::string_view mailbox = argument.substr(0, end);
  argument.remove_prefix(end + (bracketed ? 1 : 0));
  if (!strip_source_route(mailbox)) return {};
  // Servers that take the quotes away first find another last @ in these.
  const std::size_t separator = domain_separator(mailbox);
  if (mailbox.rfind('"') != mailbox.npos &&
      (separator == mailbox.npos || mailbox.rfind('"') > separator))
    return {};

  Path path{std::string(mailbox), {}};
  while (!argument.empty()) {
    if (argument.front() != ' ') return {};
    skip_blanks(argument);
    const std::string_view parameter = argument.substr(0, argument.find(' '));
    if (!is_plain(parameter)) return {};
    if (!path.parameters.empty()) path.parameters += ' ';
    path.parameters += parameter;
    argument.remove_prefix(parameter.size());
  }
  return path;
}

}  // namespace spf
