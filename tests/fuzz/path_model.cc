#include "tests/fuzz/path_model.hh"

#include <arpa/inet.h>

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

  ReadMailbox rewritten() const {
    const auto text = [](auto begin, auto end) {
      std::string all;
      for (auto i = begin; i != end; ++i) all += i->text;
      return all;
    };
    const auto is_at = [](const Token& t) { return t.is('@'); };
    if (std::none_of(kept_.begin(), kept_.end(), is_at)) {
      const auto bang = std::find_if(kept_.begin(), kept_.end(), [](auto& t) { return t.is('!'); });
      if (bang != kept_.end()) return {text(bang + 1, kept_.end()), text(kept_.begin(), bang)};
      const auto percent = std::find_if(kept_.rbegin(), kept_.rend(), [](auto& t) { return t.is('%'); });
      if (percent != kept_.rend())
        return {text(kept_.begin(), percent.base() - 1), text(percent.base(), kept_.end())};
    }
    return split(text(kept_.begin(), kept_.end()));  // its internal form has no quotes
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

// Code points, each of them in its one encoding (RFC 3629); nothing for others.
std::optional<std::u32string> code_points(std::string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const unsigned char first = text[i];
    const std::size_t size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size == 0 || first > 0xf7 || i + size > text.size()) return {};
    char32_t point = size == 1 ? first : first & (0x7f >> size);
    for (std::size_t k = 1; k < size; ++k) {
      if ((text[i + k] & 0xc0) != 0x80) return {};
      point = point << 6 | (text[i + k] & 0x3f);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return {};
    result += point;
    i += size;
  }
  return result;
}

bool is_literal(const std::string& domain) {
  unsigned char octets[16];
  const std::string inside = domain.substr(1, domain.size() - 2);
  const bool tagged = inside.size() > 5 && inside[4] == ':' && (inside[0] | 32) == 'i' &&
                      (inside[1] | 32) == 'p' && (inside[2] | 32) == 'v' && inside[3] == '6';
  if (tagged) return inet_pton(AF_INET6, inside.c_str() + 5, octets) == 1;
  return inet_pton(AF_INET, inside.c_str(), octets) == 1;
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

bool is_read_alike(std::string_view mailbox) {
  const auto points = code_points(mailbox);
  if (!points || std::any_of(mailbox.begin(), mailbox.end(), is_cntrl)) return false;
  const std::size_t quote = mailbox.starts_with('"') ? mailbox.rfind('"') : 0;
  const std::size_t at = mailbox.find('@', quote);
  const std::string_view local = mailbox.substr(0, at);
  if (quote == 0) {
    const auto ok = [](char c) { return is_alnum(c) || is_8bit(c) || one_of(c, "!#$%&'*+-/=?^_`{|}~."); };
    if (local.empty() || !std::all_of(local.begin(), local.end(), ok)) return false;
    if (at == mailbox.npos) return !one_of('%', local) && !one_of('!', local);
  } else {
    if (at != quote + 1 || quote < 2) return false;
    std::string content;
    for (std::size_t i = 1; i < quote; ++i) {
      if (mailbox[i] == '"') return false;
      if (mailbox[i] == '\\' && ++i == quote) return false;
      content += mailbox[i];
    }
    if (content[0] == '@' || content.find_first_of("<>") != content.npos) return false;
  }
  const std::string domain(mailbox.substr(at + 1));
  if (domain.empty() || domain.size() > 255) return false;
  if (domain.front() == '[') return domain.back() == ']' && is_literal(domain);
  const auto ok = [](char c) { return is_alnum(c) || is_8bit(c) || one_of(c, "-_."); };
  return std::all_of(domain.begin(), domain.end(), ok) && domain.front() != '.' &&
         domain.find("..") == domain.npos;
}

ReadMailbox by_the_book(std::string_view mailbox) {
  ReadMailbox read;
  bool quoted = false;
  for (; !mailbox.empty() && (quoted || mailbox.front() != '@'); mailbox.remove_prefix(1)) {
    if (mailbox.front() == '"')
      quoted = !quoted;
    else if (mailbox.front() == '\\' && mailbox.size() > 1)
      mailbox.remove_prefix(1), read.local += mailbox.front();
    else
      read.local += mailbox.front();
  }
  if (!mailbox.empty()) read.domain = mailbox.substr(1);
  return read;
}

}  // namespace fuzz
