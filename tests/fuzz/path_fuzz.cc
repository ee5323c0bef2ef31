// MAIL and RCPT: whatever parse_path() accepts, servers of every kind read in
// the form that we send on, and in the client's own words nothing else stood.
#include <algorithm>

#include "spf/check.hh"
#include "spf/smtp.hh"
#include "tests/fuzz/fuzz.hh"
#include "tests/fuzz/server_model.hh"

namespace fuzz {
namespace {

std::string domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == address.npos ? std::string() : std::string(address.substr(at + 1));
}

void try_path(spf::Verb verb, const std::string& argument) {
  const auto path = spf::parse_path(verb, argument);
  if (!path) return;
  const std::string command = path->command(verb);
  require(argument.find(path->mailbox) != argument.npos, "a mailbox out of nowhere");
  require(path->mailbox.find_first_of("<>") == path->mailbox.npos, "brackets in a mailbox");
  for (const char c : command)
    require(c < 0 || (c >= ' ' && c != 0x7f), "a control character goes on");

  const std::string_view sent = std::string_view(command).substr(command.find(' ') + 1);
  const spf::Address client = *spf::Address::parse("192.0.2.1");
  for (const auto how : {Reading::Path::qmail, Reading::Path::brackets, Reading::Path::unquoted}) {
    const std::string address = address_in(sent, how);
    require(address == stored(path->mailbox, how), "a server reads another address");
    // The domain that is checked is the one behind the last @ that the server has.
    const std::string domain = domain_of(address);
    require(domain == domain_of(path->mailbox), "a server reads another domain");
    const spf::Subject who = spf::subject({client, "helo.example", path->mailbox});
    const bool plain = !domain.empty() && domain.find_first_not_of("abcdefghijklmnopqrstuvwxyz") ==
                                              domain.npos;
    if (plain) require(who.domain == domain, "another domain is checked");
    if (domain.empty()) require(who.domain == "helo.example", "not HELO is checked");
  }

  // What we send on is what we would have taken, and goes on unchanged.
  const auto again = spf::parse_path(verb, sent);
  require(again && again->command(verb) == command, "the canonical form is none");
}

}  // namespace

void path(std::string_view data) {
  const std::string text(data);
  const spf::Command command = spf::parse_command(text);
  for (const spf::Verb verb : {spf::Verb::mail, spf::Verb::rcpt}) {
    if (command.verb == verb) try_path(verb, std::string(command.argument));
    try_path(verb, text);
    try_path(verb, (verb == spf::Verb::mail ? "FROM:" : "TO:") + text);
    try_path(verb, (verb == spf::Verb::mail ? "FROM:<" : "TO:<") + text);
  }
}

}  // namespace fuzz
