#include "tests/fuzz/header_syntax.hh"

namespace fuzz {
namespace {

struct NoHeader {};

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_vchar(char c) { return c > ' ' && c <= '~'; }
bool is_atext(char c) {
  return is_alpha(c) || is_digit(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos);
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  ReceivedSpf field() {
    ReceivedSpf found;
    literal("Received-SPF:");
    cfws();
    found.result = word([](char c) { return is_alpha(c); });
    if (!fws()) throw NoHeader{};
    if (peek() == '(') {
      found.comment = comment();
      if (!fws() && peek() != '\r') throw NoHeader{};
    }
    if (peek() != '\r') pairs(found);
    literal("\r\n");
    if (!text_.empty()) throw NoHeader{};
    return found;
  }

 private:
  char peek(std::size_t ahead = 0) const { return ahead < text_.size() ? text_[ahead] : '\0'; }
  char next() {
    if (text_.empty()) throw NoHeader{};
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }
  void literal(std::string_view wanted) {
    for (const char c : wanted)
      if (next() != c) throw NoHeader{};
  }
  template <class Is>
  std::string word(Is is) {
    std::string result;
    while (is(peek())) result += next();
    if (result.empty()) throw NoHeader{};
    return result;
  }

  // FWS without its obsolete form: no line of blanks alone.
  bool fws() {
    bool found = false;
    while (is_blank(peek())) found = next();
    if (peek() == '\r' && peek(1) == '\n' && is_blank(peek(2))) {
      literal("\r\n");
      while (is_blank(peek())) found = next();
      if (peek() == '\r') throw NoHeader{};
    }
    return found;
  }
  void cfws() {
    fws();
    while (peek() == '(') {
      comment();
      fws();
    }
  }

  char quoted_pair() {
    literal("\\");
    const char c = next();
    if (!is_vchar(c) && !is_blank(c)) throw NoHeader{};
    return c;
  }
  char quoted_pair_or_vchar() {
    if (peek() == '\\') return quoted_pair();
    if (!is_vchar(peek())) throw NoHeader{};
    return next();
  }
  std::string comment() {
    std::string result;
    literal("(");
    while (peek() != ')') {
      if (fws())
        result += ' ';
      else if (peek() == '(')
        result += '(' + comment() + ')';
      else
        result += quoted_pair_or_vchar();
    }
    literal(")");
    return result;
  }
  std::string quoted_string() {
    std::string result;
    literal("\"");
    while (peek() != '"') result += is_blank(peek()) ? next() : quoted_pair_or_vchar();
    literal("\"");
    return result;
  }
  std::string dot_atom() {
    std::string result = word(is_atext);
    while (peek() == '.') {
      result += next();
      result += word(is_atext);
    }
    return result;
  }

  void pairs(ReceivedSpf& found) {
    do {
      cfws();
      if (!is_alpha(peek())) throw NoHeader{};
      std::string key = word([](char c) {
        return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
      });
      cfws();
      literal("=");
      cfws();
      std::string value = peek() == '"' ? quoted_string() : dot_atom();
      cfws();
      found.pairs.emplace_back(std::move(key), std::move(value));
      if (peek() != ';') return;
      next();
      cfws();
    } while (peek() != '\r');
  }

  std::string_view text_;
};

}  // namespace

std::optional<ReceivedSpf> read_received_spf(std::string_view field) {
  try {
    return Reader(field).field();
  } catch (const NoHeader&) {
    return {};
  }
}

}  // namespace fuzz
