#include "tests/fuzz/path_model.hh"

#include <algorithm>
#include <vector>

#include "tests/fuzz/server_model.hh"

namespace fuzz {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
bool is_8bit(char c) { return c < 0; }
bool is_cntrl(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }
bool one_of(char c, std::string_view set) { return set.find(c) != set.npos; }

constexpr std::string_view specials = "()<>@,;:\\\".[]";  // RFC 822

ReadMailbox split(const std::string& address) {
  const std::size_t at = address.rfind('@');
  if (at == address.npos) return {address, ""};
  return {address.substr(0, at), address.substr(at + 1)};
}

// qmail's ipme: whether this literal, and not more, is `own`.
bool is_qmails_own(std::string_view literal, std::string_view own) {
  if (own.empty() || !literal.starts_with('[')) return false;
  literal.remove_prefix(1);
  std::string read;
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && !literal.starts_with('.')) return false;
    if (i > 0) literal.remove_prefix(1), read += '.';
    unsigned long number = 0;
    std::size_t digits = 0;
    for (; digits < literal.size() && literal[digits] >= '0' && literal[digits] <= '9'; ++digits)
      number = number * 10 + (literal[digits] - '0');
    if (digits == 0) return false;
    literal.remove_prefix(digits);
    read += std::to_string(number & 255);
  }
  return literal == "]" && read == own;
}

// It takes quotes and backslashes away first, and a source route then.
std::optional<ReadMailbox> mailfront(std::string_view argument) {
  char end = '>';
  std::size_t i = argument.find('<') + 1;
  if (i == 0) {
    end = ' ';
    i = argument.find(':') + 1;
    while (i < argument.size() && argument[i] == ' ') ++i;
  }
  std::string address;
  bool quoted = false;
  for (; i < argument.size() && (quoted || argument[i] != end); ++i) {
    if (argument[i] == '"') {
      quoted = !quoted;
      continue;
    }
    if (argument[i] == '\\') ++i;
    if (i < argument.size()) address += argument[i];
  }
  if (i >= argument.size() && end == '>') return {};
  if (address.starts_with('@') && address.find(':') != address.npos)
    address.erase(0, address.find(':') + 1);
  return split(address);
}

// It reads an address as RFC 822 has it in a header, comments and groups too;
// where it finds no @, x%y is x@y and y!x too.
class Postfix {
 public:
  explicit Postfix(std::string_view text) : text_(text) {}

  std::optional<ReadMailbox> mailbox() {
    if (text_.starts_with('@') && text_.find(':') != text_.npos) text_.remove_prefix(text_.find(':') + 1);
    while (!text_.empty()) scan();
    std::vector<Token> address;
    unsigned addresses = 0;
    for (const Token& token : tokens_) {
      if (token.is(':')) {
        address.clear();  // what was before is the name of a group
      } else if (token.is(',') || token.is(';')) {
        addresses += !address.empty();
        kept_ = address.empty() ? kept_ : address;
        address.clear();
      } else {
        address.push_back(token);
      }
    }
    addresses += !address.empty();
    if (!address.empty()) kept_ = address;
    if (addresses > 1) return {};
    return rewritten();
  }

 private:
  struct Token {
    std::string text;
    bool op = false;
    bool is(char c) const { return op && text[0] == c; }
  };

  void scan() {
    const char c = text_.front();
    if (one_of(c, " \t\r\n")) {
      text_.remove_prefix(1);
    } else if (c == '(') {
      skip_comment();
    } else if (c == '"') {
      text_.remove_prefix(1);
      collect([](char d) { return d != '"'; });
      text_.remove_prefix(std::min<std::size_t>(1, text_.size()));
    } else if (c == '[') {
      text_.remove_prefix(1);
      collect([](char d) { return d != ']'; });
      tokens_.back().text = '[' + tokens_.back().text + ']';
      text_.remove_prefix(std::min<std::size_t>(1, text_.size()));
    } else if (c != '\\' && (one_of(c, specials) || one_of(c, "|%!"))) {
      tokens_.push_back({std::string(1, c), true});
      text_.remove_prefix(1);
    } else {
      const std::size_t before = text_.size();
      collect([](char d) { return !one_of(d, " \t\r\n") && !one_of(d, specials) && !one_of(d, "|%!"); });
      if (text_.size() == before) text_.remove_prefix(1);
    }
  }

  template <class Belongs>
  void collect(Belongs belongs) {
    Token token;
    while (!text_.empty() && (text_.front() == '\\' || belongs(text_.front()))) {
      if (text_.front() == '\\') text_.remove_prefix(1);
      if (text_.empty()) break;
      token.text += text_.front();
      text_.remove_prefix(1);
    }
    tokens_.push_back(token);
  }

  void skip_comment() {
    int depth = 0;
    while (!text_.empty()) {
      const char c = text_.front();
      text_.remove_prefix(c == '\\' ? std::min<std::size_t>(2, text_.size()) : 1);
      depth += (c == '(') - (c == ')');
      if (depth == 0) return;
    }
  }

  // What it keeps of an address has no quotes any more.
  ReadMailbox rewritten() const {
    std::string kept;
    for (const Token& token : kept_) kept += token.text;
    if (kept.find('@') == kept.npos) {
      if (const std::size_t bang = kept.find('!'); bang != kept.npos)
        return {kept.substr(bang + 1), kept.substr(0, bang)};
      if (const std::size_t percent = kept.rfind('%'); percent != kept.npos) kept[percent] = '@';
    }
    return split(kept);
  }

  std::string_view text_;
  std::vector<Token> tokens_, kept_;
};

// Comments anywhere; its domains are narrow.
class Exim {
 public:
  explicit Exim(std::string_view text) : text_(text) {}

  std::optional<ReadMailbox> mailbox() {
    ReadMailbox read;
    skip_comments();
    if (peek() == '@' && !route()) return {};
    if (text_.empty()) return read;
    if (!local_part(read.local)) return {};
    if (text_.empty()) return read;
    if (take() != '@' || !domain(read.domain) || !text_.empty()) return {};
    return read;
  }

 private:
  char peek() const { return text_.empty() ? '\0' : text_.front(); }
  char take() {
    const char c = peek();
    if (!text_.empty()) text_.remove_prefix(1);
    return c;
  }

  void skip_comments() {
    for (;;) {
      while (one_of(peek(), " \t\r\n") && !text_.empty()) take();
      if (peek() != '(') return;
      for (int depth = 0; !text_.empty();) {
        const char c = take();
        if (c == '\\') take();
        depth += (c == '(') - (c == ')');
        if (depth == 0) break;
      }
    }
  }

  bool route() {
    do {
      std::string ignored;
      if (take() != '@' || !domain(ignored)) return false;
      if (peek() != ',') break;
      take();
      skip_comments();
    } while (peek() == '@');
    return take() == ':';
  }

  bool local_part(std::string& local) {
    for (;;) {
      const std::size_t before = local.size();
      bool word = false;
      skip_comments();
      if (peek() == '"') {
        word = true;
        take();
        while (!text_.empty() && peek() != '"') {
          if (peek() == '\\') take();
          local += take();
        }
        if (take() != '"') return false;
      } else {
        while (!text_.empty() && (peek() == '\\' || !(is_cntrl(peek()) || peek() == ' ' || one_of(peek(), specials)))) {
          if (peek() == '\\') take();
          local += take();
        }
      }
      skip_comments();
      if (!word && local.size() == before && peek() != '.') return before > 0;
      if (peek() != '.') return true;
      while (peek() == '.') local += take();
    }
  }

  bool domain(std::string& domain) {
    skip_comments();
    if (peek() == '[') {
      while (peek() != ']' && (one_of(peek(), "[.:IPVipv") || is_alnum(peek()))) domain += take();
      if (take() != ']') return false;
      domain += ']';
      skip_comments();
      return true;
    }
    for (;;) {
      const std::size_t before = domain.size();
      while (is_alnum(peek()) || peek() == '-' || is_8bit(peek())) domain += take();
      skip_comments();
      if (domain.size() == before) return before > 0 && peek() != '.';
      if (peek() != '.') return true;
      domain += take();
      skip_comments();
    }
  }

  std::string_view text_;
};

// Between the brackets, of which those in quotes are none.
std::optional<std::string_view> bracketed(std::string_view argument) {
  const std::size_t open = argument.find('<');
  if (open == argument.npos) return {};
  bool quoted = false;
  for (std::size_t i = open + 1; i < argument.size(); ++i) {
    if (argument[i] == '\\')
      ++i;
    else if (argument[i] == '"')
      quoted = !quoted;
    else if (argument[i] == '>' && !quoted)
      return argument.substr(open + 1, i - open - 1);
  }
  return {};
}

}  // namespace

std::optional<ReadMailbox> read_path(std::string_view argument, Server server, std::string_view own,
                                     std::string_view me) {
  switch (server) {
    case Server::qmail: {
      ReadMailbox read = split(address_in(argument, Reading::Path::qmail));
      if (is_qmails_own(read.domain, own)) read.domain = me;
      return read;
    }
    case Server::mailfront: return mailfront(argument);
    case Server::postfix:
      if (const auto text = bracketed(argument)) return Postfix(*text).mailbox();
      return {};
    case Server::exim: break;
  }
  if (const auto text = bracketed(argument)) return Exim(*text).mailbox();
  return {};
}

}  // namespace fuzz
