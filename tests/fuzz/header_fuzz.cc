// What others are told of a verdict: whatever client and DNS have said, the
// header has its syntax, the variables their bounds, the log line its keys.
#include <algorithm>
#include <cstdint>

#include "spf/dialogue/received_spf.hh"
#include "spf/dialogue/variables.hh"
#include "spf/dialogue/log_line.hh"
#include "spf/base/sanitise.hh"
#include "tests/fuzz/fuzz.hh"
#include "tests/fuzz/header_readers.hh"
#include "tests/fuzz/header_syntax.hh"
#include "tests/fuzz/input.hh"

namespace fuzz {
namespace {

constexpr std::string_view keys[] = {"client-ip", "envelope-from", "helo",
                                     "mechanism", "receiver",      "identity"};
constexpr std::string_view log_keys[] = {
    "result", "code",       "reason", "detail",   "helo",   "mailfrom",  "rcptto",  "relay", "remoteip",
    "remotehost", "pid", "identity", "domain", "mechanism", "lookups", "voids", "ms", "tls",
    "level", "why", "policy", "shadow", "heloresult"};

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string without_pairs(std::string text) {
  std::replace(text.begin(), text.end(), ';', '_');
  std::replace(text.begin(), text.end(), '=', '_');
  return text;
}

// Whatever a program that reads the header makes of it, it is not that another
// identity was checked. What of a name is left out, or of a sender replaced, is
// at most its '=' and ';'.
void try_readers(const spf::Verdict& verdict, const std::string& value) {
  const std::string identity(spf::name(verdict.identity));
  for (const IdentityReader reader : identity_readers)
    require(identity_in(value, reader) == identity, "a reader finds another identity");
  const std::string found = opendmarc_identity(value);
  require(found == identity || found == "", "OpenDMARC finds another identity");
  for (const std::string_view key : keys)
    require(count_of_key(value, key) <= 1, "a key twice to who knows no quotes");
}

void try_header(const spf::Query& query, const spf::Verdict& verdict, const std::string& receiver,
                const std::string& value) {
  require(value.size() <= 1000 && is_printable(value), "a value over its bounds");
  const std::string field = spf::received_spf(value);
  for (std::string_view rest = field; !rest.empty();) {
    const std::size_t end = rest.find("\r\n");
    require(end != rest.npos && end <= 998, "a header line over 998 octets");
    require(is_printable(rest.substr(0, end)), "a header that is not printable");
    rest.remove_prefix(end + 2);
  }
  const auto header = read_received_spf(field);
  require(header.has_value(), "no header by RFC 7208 section 9.1");
  require(header->result == spf::name(verdict.result), "another result");
  // Folded or not, it says the same.
  const auto unfolded = read_received_spf("Received-SPF: " + value + "\r\n");
  require(unfolded && unfolded->pairs == header->pairs, "folding has changed the values");

  const std::string_view* key = std::begin(keys);
  for (const auto& [name, text] : header->pairs) {
    key = std::find(key, std::end(keys), name);
    require(key != std::end(keys), "a key twice, out of order, or not ours");
    ++key;
    const std::string wanted = name == "client-ip"       ? query.client.text()
                               : name == "envelope-from" ? query.sender
                               : name == "helo"          ? without_pairs(query.helo)
                               : name == "identity"      ? std::string(spf::name(verdict.identity))
                               : name == "receiver"      ? receiver
                                                         : without_pairs(verdict.mechanism.value_or(""));
    if (name == "envelope-from")
      require(without_pairs(text) == spf::printable(without_pairs(wanted), wanted.size()), "another sender");
    else
      require(text == spf::printable(wanted, name == "helo" ? wanted.size() : 255), "another value");
  }
  require(!header->pairs.empty() && header->pairs.back().first == "identity", "identity is not last");
}

void try_variables(const spf::Verdict& verdict, const std::string& value) {
  const auto variables = spf::variables(verdict, {value});
  const std::string_view* name = std::begin(spf::variable_names);
  for (const std::string& variable : variables) {
    const std::size_t equals = variable.find('=');
    require(equals != variable.npos, "no variable");
    name = std::find(name, std::end(spf::variable_names), variable.substr(0, equals));
    require(name != std::end(spf::variable_names), "a variable twice, or not ours");
    ++name;
    const std::string text = variable.substr(equals + 1);
    require(text.size() <= 1000 && is_printable(text), "a variable over its bounds");
    if (variable.starts_with("SPFHEADER=")) require(text == value, "another header in SPFHEADER");
  }
}

void try_log(std::string line) {
  require(is_printable(line), "a log line that is not printable");
  require(line.starts_with("qlogenvelope:"), "no log line");
  line.erase(0, line.find(':') + 1);
  for (const std::string_view key : log_keys) {
    const std::string start = " " + std::string(key) + "=";
    require(line.starts_with(start), "the keys of a log line");
    line.erase(0, start.size());
    line.erase(0, std::min(line.find(' '), line.size()));
  }
  require(line.empty(), "more in a log line than its keys");
}

}  // namespace

void header(std::string_view data) {
  Input input(data);
  const unsigned how = input.octet();
  spf::Verdict verdict;
  verdict.result = static_cast<spf::Result>(how % 7);
  verdict.identity = how & 8 ? spf::Identity::helo : spf::Identity::mailfrom;
  verdict.local_policy = how & 16;
  const auto text = [&] {
    std::string some = input.text();
    // Every sixteenth is long.
    if (some.size() % 16 == 15)
      for (int i = 0; i < 5; ++i) some += some.substr(0, 400);
    return some;
  };
  std::uint8_t octets[16];
  for (std::uint8_t& octet : octets) octet = how & 32 ? input.octet() : 255;
  const spf::Address client =
      how & 32 ? spf::Address::ip6(octets) : *spf::Address::parse("255.255.255.255");
  const spf::Query query{client, text(), text()};
  const std::string receiver = text();
  verdict.domain = text();
  if (how & 64) verdict.mechanism = text();
  verdict.problem = text();
  verdict.explanation = text();
  verdict.lookups = input.number();
  const std::string recipient = text(), host = text(), policy = text(), trouble = text();

  const std::string value = spf::header_value(query, verdict, receiver);
  // The receiver's name is the administrator's.
  if (receiver.find_first_of(";=") == receiver.npos) try_readers(verdict, value);
  try_header(query, verdict, receiver, value);
  try_variables(verdict, value);
  spf::LogEntry entry{how & 128 ? 250u : 550u, recipient, host, 4711, how & 64 ? "TLSv1.2" : "none",
                      how % 7, policy, trouble, {}, {}};
  if (how & 16) entry.shadow = 550;
  try_log(spf::log_line(entry, query, verdict));
}

}  // namespace fuzz
