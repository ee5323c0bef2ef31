#include "spf/dns/name_servers.hh"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "spf/base/ascii.hh"
#include "spf/base/lines.hh"
#include "spf/base/number.hh"
#include "spf/base/read_write.hh"
#include "spf/base/sanitise.hh"

namespace spf {

namespace {

constexpr std::uint16_t domain_port = 53;

std::string_view next_word(std::string_view& text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto begin = std::min(text.find_first_not_of(blanks), text.size());
  const auto end = std::min(text.find_first_of(blanks, begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// Options of resolv.conf(5), and those of udns, that may stand in RES_OPTIONS.
bool is_known_option(std::string_view word) {
  static constexpr std::string_view words[] = {
      "debug", "rotate", "no-check-names", "inet6", "ip6-bytestring", "ip6-dotint",
      "no-ip6-dotint", "edns0", "single-request", "single-request-reopen", "no-tld-query",
      "use-vc", "no-reload", "trust-ad", "no-aaaa"};
  static constexpr std::string_view numbered[] = {"ndots",   "timeout", "attempts",
                                                  "retrans", "retry",   "udpbuf"};
  const auto is_in = [](const auto& list, std::string_view name) {
    return std::find(std::begin(list), std::end(list), name) != std::end(list);
  };
  const std::size_t colon = word.find_first_of(":=");
  return colon == word.npos ? is_in(words, word)
                            : is_in(numbered, word.substr(0, colon)) && is_number(word.substr(colon + 1));
}

class Finder {
 public:
  explicit Finder(NameServers& found) : found_(found) {}

  std::uint16_t port = domain_port;

  // `source` is for the problems, "" where they are not ours to tell.
  void options(std::string_view text, std::string_view source) {
    for (std::string_view word; !(word = next_word(text)).empty();) {
      const bool is_port = word.starts_with("port:") || word.starts_with("port=");
      const auto number = is_port ? parse_number(word.substr(5), 1, 65535) : std::nullopt;
      if (number)
        port = std::uint16_t(*number);
      else if (is_port || (!source.empty() && !is_known_option(word)))
        problem(source.empty() ? "resolv.conf" : source, "no option", word);
    }
  }
  void server(std::string_view text, std::string_view source) {
    const auto address = SocketAddress::parse(text, port);
    if (!address)
      problem(source, "no address of a name server", text);
    else if (found_.servers.size() == most_name_servers)
      problem(source, "one name server too many", text);
    else
      found_.servers.push_back(*address);
  }
  void servers(std::string_view text, std::string_view source) {
    for (std::string_view word; !(word = next_word(text)).empty();) server(word, source);
  }

 private:
  void problem(std::string_view source, std::string_view what, std::string_view word) {
    found_.problems.push_back("bad " + std::string(source) + ": " + std::string(what) + ": " +
                              printable(word, 80));
  }

  NameServers& found_;
};

// Calls `handle` with the rest of each line of `text` that begins with `key`.
template <class Handle>
void for_each(std::string_view text, std::string_view key, Handle handle) {
  for (std::string_view line : lines_of(text))
    if (next_word(line) == key) handle(line);
}

}  // namespace

NameServers name_servers(const std::function<const char*(const char*)>& getenv, const char* path) {
  NameServers found;
  Finder finder(found);
  const std::string file = read_file(path).text;
  for_each(file, "options", [&](std::string_view line) { finder.options(line, ""); });
  if (const char* options = getenv("RES_OPTIONS")) finder.options(options, "RES_OPTIONS");
  for (const char* variable : {"NSCACHEIP", "NAMESERVERS"})
    if (const char* list = getenv(variable); list && found.servers.empty())
      finder.servers(list, variable);
  if (found.servers.empty())
    for_each(file, "nameserver",
             [&](std::string_view line) { finder.server(next_word(line), "resolv.conf"); });
  if (found.servers.empty()) finder.server("127.0.0.1", "");
  return found;
}

}  // namespace spf
