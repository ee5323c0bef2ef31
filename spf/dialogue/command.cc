#include "spf/dialogue/command.hh"

#include <algorithm>

#include "spf/base/ascii.hh"
#include "spf/base/mailbox.hh"

namespace spf {
namespace {

constexpr std::string_view names[] = {"HELO", "EHLO", "MAIL", "RCPT", "DATA",
                                      "RSET", "NOOP", "VRFY", "EXPN", "HELP",
                                      "AUTH", "QUIT", "STARTTLS", "BDAT", ""};

void skip_blanks(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}

// Takes "@a,@b:" off the front of `mailbox` (RFC 5321 appendix C). False for a
// source route that is none.
bool strip_source_route(std::string_view& mailbox) {
  bool more = mailbox.starts_with('@');
  while (more) {
    const std::size_t end = mailbox.find_first_of(",:");
    if (end == mailbox.npos || !is_domain(mailbox.substr(1, end - 1))) return false;
    more = mailbox[end] == ',';
    mailbox.remove_prefix(end + 1);
    if (mailbox.starts_with('@') != more) return false;
  }
  return true;
}

// A literal of this machine's is its own name to servers that look for it, qmail
// among them: they make a local sender of it.
bool names_this_machine(std::string_view mailbox, IsOwnAddress& is_own) {
  const auto address = address_literal(mailbox.substr(domain_separator(mailbox) + 1));
  return address && (address->is_loopback() || address->is_unspecified() || is_own(*address));
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

std::optional<Path> parse_path(Verb verb, std::string_view argument, IsOwnAddress& is_own) {
  const std::string_view keyword = verb == Verb::mail ? "FROM" : "TO";
  if (!starts_with_ignoring_case(argument, keyword)) return {};
  argument.remove_prefix(keyword.size());
  skip_blanks(argument);
  if (argument.empty() || argument.front() != ':') return {};
  argument.remove_prefix(1);
  skip_blanks(argument);

  const bool bracketed = argument.starts_with('<');
  if (bracketed) argument.remove_prefix(1);
  const std::size_t end = std::min(argument.find(bracketed ? '>' : ' '), argument.size());
  if (bracketed && end == argument.size()) return {};
  std::string_view mailbox = argument.substr(0, end);
  argument.remove_prefix(end + bracketed);
  const bool null_path = bracketed && mailbox.empty();
  if (!null_path && !(strip_source_route(mailbox) && is_mailbox(mailbox))) return {};
  // Servers end a path without brackets at a blank in quotes, or don't.
  if (!bracketed && mailbox.find('"') != mailbox.npos) return {};
  if (verb == Verb::mail && names_this_machine(mailbox, is_own)) return {};

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
