#include "spf/dialogue/reply.hh"

#include <algorithm>
#include <array>
#include <utility>

#include "spf/base/ascii.hh"
#include "spf/base/lines.hh"
#include "spf/base/sanitise.hh"

namespace spf {
namespace {

constexpr std::string_view rejection_code = " (#5.7.1)";

// What a line of 512 octets holds beside "550-", that code and CRLF.
constexpr std::size_t max_text = 512 - 4 - rejection_code.size() - 2;

// A rejection finds room, be each octet of its text a line feed.
static_assert((longest_verdict_text + 1) * std::string_view("550-\r\n").size() + longest_verdict_text +
                  rejection_code.size() <=
              max_reply_size);

// Adds `text` to `lines`, broken at blanks where it is too long.
void add_wrapped(std::vector<std::string>& lines, std::string_view text) {
  while (text.size() > max_text) {
    std::size_t end = text.rfind(' ', max_text);
    if (end == text.npos || end == 0) end = max_text;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(text[end] == ' ' ? end + 1 : end);
  }
  lines.emplace_back(text);
}

}  // namespace

std::string Reply::wire() const {
  std::string result;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    result += std::to_string(code);
    result += i + 1 < lines.size() ? '-' : ' ';
    result += lines[i];
    result += "\r\n";
  }
  return result;
}

Reply rejection(const Verdict& verdict) {
  std::string text;
  if (verdict.domains_own_words) text = "SPF fail: " + printable(verdict.domain, max_item) + " says:\n";
  text += verdict.explanation;
  text.resize(std::min(text.size(), longest_verdict_text));
  Reply result{550, {}};
  for (const std::string_view line : lines_of(text))
    add_wrapped(result.lines, printable(line, line.size()));
  result.lines.back() += rejection_code;
  return result;
}

void filter_ehlo(Reply& reply, StarttlsKeyword starttls, AuthKeyword auth) {
  static constexpr std::array<std::string_view, 7> harmless = {
      "PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN", "SMTPUTF8", "HELP"};
  const auto dropped = [&](const std::string& line) {
    // AUTH=LOGIN is how some servers repeat AUTH for old clients.
    const std::string_view keyword = std::string_view(line).substr(0, line.find_first_of(" ="));
    const auto is = [&](std::string_view known) { return equal_ignoring_case(keyword, known); };
    if (is("STARTTLS")) return starttls != StarttlsKeyword::keep;
    if (is("AUTH")) return auth == AuthKeyword::drop;
    return std::none_of(harmless.begin(), harmless.end(), is);
  };
  // The first line is the greeting (RFC 5321 section 4.1.1.1).
  reply.lines.erase(std::remove_if(reply.lines.begin() + 1, reply.lines.end(), dropped),
                    reply.lines.end());
  if (starttls == StarttlsKeyword::offer) reply.lines.push_back("STARTTLS");
}

ReplyParser::Status ReplyParser::push(std::string_view bytes, std::size_t& taken) {
  for (taken = 0; taken < bytes.size();) {
    const char c = bytes[taken++];
    if (c != '\n') {
      line_ += c;
      if (++size_ > max_reply_size || line_.size() > max_reply_line) return Status::malformed;
      continue;
    }
    const Status status = end_of_line();
    if (status != Status::more) return status;
  }
  return Status::more;
}

ReplyParser::Status ReplyParser::end_of_line() {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  if (line_.find('\0') != line_.npos) return Status::malformed;
  if (line_.size() < 3 || line_[0] < '2' || line_[0] > '5' || !is_digit(line_[1]) ||
      !is_digit(line_[2]))
    return Status::malformed;
  const bool last = line_.size() == 3 || line_[3] == ' ';
  if (!last && line_[3] != '-') return Status::malformed;
  const unsigned code = (line_[0] - '0') * 100 + (line_[1] - '0') * 10 + (line_[2] - '0');
  if (!reply_.lines.empty() && code != reply_.code) return Status::malformed;
  reply_.code = code;
  std::string text = line_.size() > 4 ? line_.substr(4) : std::string();
  // 8-bit text stays (RFC 6531); what could move a terminal's cursor does not.
  for (char& octet : text)
    if ((octet >= 0 && octet < ' ' && octet != '\t') || octet == 0x7f) octet = '_';
  reply_.lines.push_back(std::move(text));
  line_.clear();
  return last ? Status::complete : Status::more;
}

Reply ReplyParser::take() {
  size_ = 0;
  return std::exchange(reply_, Reply{});
}

}  // namespace spf
