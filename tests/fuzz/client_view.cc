#include "tests/fuzz/client_view.hh"

#include <algorithm>

#include "tests/fuzz/fuzz.hh"

namespace fuzz {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
  return text;
}

// A line without its line end and the blanks before it.
std::string stripped(std::string line) {
  line.erase(line.find_last_not_of(" \t\r\n") + 1);
  return line;
}

std::string verb_of(const std::string& line) {
  return upper(stripped(line).substr(0, stripped(line).find(' ')));
}

// Whether a line is to be answered with 500, whatever it says.
bool unusable(std::string line) {
  line.pop_back();
  if (!line.empty() && line.back() == '\r') line.pop_back();
  const std::size_t limit = upper(line.substr(0, 5)) == "AUTH " ? 12288 : 2048;
  return line.size() > limit || line.find('\0') != line.npos || line.find('\r') != line.npos;
}

}  // namespace

ClientView::ClientView(const spf::Config& config)
    : starttls_(config.starttls), at_(config.smtps ? At::handshake : At::greeting) {}

void ClientView::established() {
  require(at_ == At::handshake, "a handshake that nobody asked for");
  at_ = greeted_ ? At::command : At::greeting;
  hello_.clear();
  ++resets_;
}

// RFC 5321 section 4.2: lines of one code, the last without '-'.
void ClientView::heard(std::string_view octets) {
  if (blind_) return;
  unsigned first = 0;  // of a reply in several lines
  unsigned offers = 0;
  while (!octets.empty()) {
    const std::size_t end = octets.find("\r\n");
    require(end != octets.npos, "a reply line without end");
    const std::string_view line = octets.substr(0, end);
    octets.remove_prefix(end + 2);
    require(line.size() >= 4 && line[0] >= '2' && line[0] <= '5' && is_digit(line[1]) &&
                is_digit(line[2]) && (line[3] == '-' || line[3] == ' '),
            "no reply line");
    require(line.size() <= 2048 + 1, "a reply line without bound");
    for (const char c : line)
      require(c < 0 || c == '\t' || (c >= ' ' && c != 0x7f), "a control character in a reply");
    const unsigned code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
    require(first == 0 || first == code, "two codes in one reply");
    if (first != 0 && verb_of(std::string(line.substr(4))) == "STARTTLS") ++offers;
    first = code;
    if (line[3] == '-') continue;
    first = 0;
    answered(code, std::exchange(offers, 0));
    if (blind_) return;
  }
  require(first == 0, "part of a reply");
}

void ClientView::answered(unsigned code, unsigned offers) {
  require(!over_, "a reply after the last one");
  std::string line;
  switch (at_) {
    case At::handshake:
      require(false, "a word in clear where TLS is to begin");
      return;

    case At::greeting:
      at_ = At::command;
      greeted_ = true;
      return;

    case At::body: {
      read_body();
      Message& message = messages_.back();
      if (message.complete) {
        message.accepted = code / 100 == 2;
        at_ = At::command;
      } else {
        require(code >= 400, "a message that is not whole is accepted");
        over_ = true;
      }
      return;
    }

    case At::opaque:
      require(take_line(line) || code == 421 || code == 451, "a reply to nothing in AUTH");
      if (line.empty()) over_ = true;
      if (code != 334) at_ = At::command;
      return;

    case At::command:
      if (!take_line(line)) {
        require(code == 421 || code == 451, "a reply to nothing");
        over_ = true;
        return;
      }
      if (unusable(line)) {
        require(code == 500 || code == 421 || code == 451, "an unusable line is not answered 500");
        return;
      }
      const std::string verb = verb_of(line);
      const bool alone = upper(stripped(line)) == verb;
      if (verb == "DATA" && alone && code == 354) {
        at_ = At::body;
        messages_.emplace_back();
      } else if (verb == "AUTH" && !alone && code == 334) {
        at_ = At::opaque;
      } else if (verb == "BDAT" || (verb == "QUIT" && alone)) {
        over_ = true;
      } else if (verb == "STARTTLS" && alone) {
        starttls_code_ = code;
        if (code != 220) return;
        sent_.resize(next_);
        if (starttls_ == spf::Starttls::pass)
          over_ = blind_ = true;
        else
          at_ = At::handshake;
      } else if (verb == "RSET" && alone) {
        ++resets_;
      } else if ((verb == "HELO" || verb == "EHLO") && code / 100 == 2) {
        ++resets_;
        if (verb == "EHLO") offers_ = offers;
        hello_ = stripped(line).substr(4);
        hello_.erase(0, std::min(hello_.find_first_not_of(' '), hello_.size()));
      }
      return;
  }
}

// RFC 5321 section 4.5.2
void ClientView::read_body() {
  Message& message = messages_.back();
  std::string line;
  while (!message.complete && !message.bare_lf && take_line(line)) {
    if (!line.ends_with("\r\n"))
      message.bare_lf = true;
    else if (line == ".\r\n")
      message.complete = true;
    else
      message.content += line.substr(line.front() == '.');
  }
}

bool ClientView::take_line(std::string& line) {
  const std::size_t lf = sent_.find('\n', next_);
  if (lf == sent_.npos) return false;
  line = sent_.substr(next_, lf + 1 - next_);
  next_ = lf + 1;
  return true;
}

bool ClientView::owed() {
  if (over_ || at_ == At::handshake) return false;
  if (at_ == At::greeting) return true;
  if (at_ == At::body) {
    read_body();
    return messages_.back().complete || messages_.back().bare_lf;
  }
  return sent_.find('\n', next_) != sent_.npos;
}

std::string ClientView::line() const {
  const std::size_t lf = sent_.find('\n', next_);
  return at_ != At::command || lf == sent_.npos ? "" : sent_.substr(next_, lf - next_);
}

std::string ClientView::verb() const { return verb_of(line()); }

}  // namespace fuzz
