// MAIL and RCPT: whatever parse_path() accepts, servers of every kind read in
// one way, in the form that we send on; and it accepts what is fair.
#include <algorithm>

#include "spf/engine/check.hh"
#include "spf/dialogue/command.hh"
#include "tests/fuzz/fuzz.hh"
#include "tests/fuzz/path_model.hh"
#include "tests/fuzz/server_model.hh"

namespace fuzz {
namespace {

constexpr std::string_view own = "192.0.2.25";

// What no server may find a sender to be in.
constexpr std::string_view of_this_machine[] = {own, "127.0.0.1", "0.0.0.0"};

bool is_own(const spf::Address& address) { return address.text() == own; }

std::string domain_of(std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == address.npos ? std::string() : std::string(address.substr(at + 1));
}

void read_by_servers(spf::Verb verb, std::string_view sent, const std::string& mailbox) {
  const ReadMailbox wanted = by_the_book(mailbox);
  for (const Server server : servers) {
    const auto read = read_path(sent, server);
    require(!read || *read == wanted, "a real server reads another address");
  }
  if (verb == spf::Verb::mail)
    for (const std::string_view address : of_this_machine)
      require(read_path(sent, Server::qmail, address, "me")->domain == wanted.domain,
              "qmail makes a sender of its own of it");

  for (const auto how : {Reading::Path::qmail, Reading::Path::brackets, Reading::Path::unquoted}) {
    const std::string address = address_in(sent, how);
    require(address == stored(mailbox, how), "a server reads another address");
    require(domain_of(address) == wanted.domain, "a server reads another domain");
  }
}

void try_path(spf::Verb verb, const std::string& argument) {
  const auto path = spf::parse_path(verb, argument, is_own);
  if (!path) return;
  const std::string& mailbox = path->mailbox;
  const std::string command = path->command(verb);
  require(argument.find(mailbox) != argument.npos, "a mailbox out of nowhere");
  require(mailbox.empty() || is_read_alike(mailbox), "a mailbox that is none");
  for (const char c : command)
    require(c < 0 || (c >= ' ' && c != 0x7f), "a control character goes on");

  const std::string_view sent = std::string_view(command).substr(command.find(' ') + 1);
  read_by_servers(verb, sent, mailbox);

  // The domain that is checked is the one that they all have.
  const std::string domain = by_the_book(mailbox).domain;
  const spf::Address client = *spf::Address::parse("192.0.2.1");
  const spf::Subject who = spf::subject({client, "helo.example", mailbox});
  if (domain.empty()) require(who.domain == "helo.example", "not HELO is checked");
  if (!domain.empty() && std::all_of(domain.begin(), domain.end(), [](char c) { return c > 0; }))
    require(who.domain == domain || who.domain + '.' == domain, "another domain is checked");

  // What we send on is what we would have taken, and goes on unchanged.
  const auto again = spf::parse_path(verb, sent, is_own);
  require(again && again->command(verb) == command, "the canonical form is none");
}

void try_mailbox(const std::string& mailbox) {
  if (!is_read_alike(mailbox)) return;
  const bool literal = by_the_book(mailbox).domain.starts_with('[');
  const auto rcpt = spf::parse_path(spf::Verb::rcpt, "TO:<" + mailbox + ">", is_own);
  require(rcpt && rcpt->mailbox == mailbox, "a fair recipient is refused");
  const auto mail = spf::parse_path(spf::Verb::mail, "FROM:<" + mailbox + ">", is_own);
  require(literal || (mail && mail->mailbox == mailbox), "a fair sender is refused");
}

}  // namespace

void path(std::string_view data) {
  const std::string text(data);
  const spf::Command command = spf::parse_command(text);
  for (const spf::Verb verb : {spf::Verb::mail, spf::Verb::rcpt}) {
    const std::string keyword = verb == spf::Verb::mail ? "FROM:" : "TO:";
    if (command.verb == verb) try_path(verb, std::string(command.argument));
    try_path(verb, text);
    try_path(verb, keyword + text);
    try_path(verb, keyword + '<' + text);
    try_path(verb, keyword + '<' + text + '>');
  }
  try_mailbox(text);
  if (text.size() > 2 && text.front() == '<' && text.back() == '>')
    try_mailbox(text.substr(1, text.size() - 2));
}

}  // namespace fuzz
