// Replies: a child's, however they come; ours to a rejected recipient; EHLO's.
#include <algorithm>
#include <vector>

#include "spf/dialogue/reply.hh"
#include "tests/fuzz/fuzz.hh"
#include "tests/fuzz/input.hh"

namespace fuzz {
namespace {

using Status = spf::ReplyParser::Status;

struct Replies {
  std::vector<spf::Reply> whole;
  bool malformed = false;
  bool operator==(const Replies& other) const {
    return malformed == other.malformed && whole.size() == other.whole.size() &&
           std::equal(whole.begin(), whole.end(), other.whole.begin(), [](auto& a, auto& b) {
             return a.code == b.code && a.lines == b.lines;
           });
  }
};

Replies read(std::string_view octets, std::size_t piece) {
  spf::ReplyParser parser;
  Replies replies;
  while (!octets.empty()) {
    std::size_t taken = 0;
    const Status status = parser.push(octets.substr(0, piece), taken);
    require(taken <= std::min(piece, octets.size()), "more taken than given");
    octets.remove_prefix(taken);
    if (status == Status::malformed) {
      replies.malformed = true;
      return replies;
    }
    if (status == Status::complete) {
      replies.whole.push_back(parser.take());
      require(!parser.begun(), "something is left of a reply that was taken");
    } else {
      require(taken > 0, "no progress");
    }
  }
  return replies;
}

bool is_well_formed(const spf::Reply& reply, bool tabs) {
  const auto plain = [tabs](const std::string& line) {
    return line.size() < spf::max_reply_line && std::none_of(line.begin(), line.end(), [&](char c) {
             return (c >= 0 && c < ' ' && !(tabs && c == '\t')) || c == 0x7f;
           });
  };
  return reply.code >= 200 && reply.code < 600 && !reply.lines.empty() &&
         std::all_of(reply.lines.begin(), reply.lines.end(), plain);
}

// Each line that was taken has the code of its reply, and only the last no '-'.
void compare(std::string_view octets, const Replies& replies) {
  for (const spf::Reply& reply : replies.whole)
    for (std::size_t i = 0; i < reply.lines.size(); ++i) {
      const std::string_view line = octets.substr(0, octets.find('\n'));
      octets.remove_prefix(line.size() + 1);
      require(line.starts_with(std::to_string(reply.code)), "another code than was said");
      require((line.substr(3, 1) == "-") == (i + 1 < reply.lines.size()), "another last line");
    }
}

void try_child(std::string_view octets) {
  const Replies whole = read(octets, octets.size());
  compare(octets, whole);
  for (const std::size_t piece : {1, 2, 7})
    require(read(octets, piece) == whole, "in pieces it is another reply");
  for (spf::Reply reply : whole.whole) {
    require(is_well_formed(reply, true), "no reply");
    const std::string wire = reply.wire();
    // A line "250" becomes "250 " and CRLF: at most twice its length.
    require(wire.size() <= 2 * spf::max_reply_size, "a reply without bound");
    if (wire.size() <= spf::max_reply_size) {
      const Replies again = read(wire, wire.size());
      require(again.whole.size() == 1 && again.whole[0].wire() == wire, "not read as written");
    }
    for (const auto starttls : {spf::StarttlsKeyword::drop, spf::StarttlsKeyword::keep,
                                spf::StarttlsKeyword::offer}) {
      spf::Reply offer = reply;
      const bool no_auth = reply.code % 2;
      spf::filter_ehlo(offer, starttls, no_auth ? spf::AuthKeyword::drop : spf::AuthKeyword::keep);
      require(!no_auth || std::none_of(offer.lines.begin() + 1, offer.lines.end(),
                                       [](auto& line) { return line.starts_with("AUTH "); }),
              "AUTH where it was to be left out");
      require(!offer.lines.empty() && offer.lines[0] == reply.lines[0], "no greeting in EHLO's");
      require(is_well_formed(offer, true), "no reply to EHLO");
      const bool ours = starttls == spf::StarttlsKeyword::offer;
      require(!ours || (offer.lines.size() > 1 && offer.lines.back() == "STARTTLS"), "no STARTTLS");
      for (std::size_t i = 1; i + ours < offer.lines.size(); ++i)
        for (const std::string_view keyword : {"CHUNKING", "XCLIENT", "STARTTLS", "starttls"})
          require((starttls == spf::StarttlsKeyword::keep && keyword[1] != 'H' && keyword[0] != 'X') ||
                      !offer.lines[i].starts_with(keyword),
                  "a keyword that we do not handle");
    }
  }
}

void try_explanation(std::string_view text, bool domains_own) {
  spf::Verdict verdict;
  verdict.domains_own_words = domains_own;
  verdict.domain = verdict.explanation = text;
  const spf::Reply reply = spf::rejection(verdict);
  require(!domains_own || (reply.lines.front().starts_with("SPF fail: ") &&
                           reply.lines.front().find(" says:") != std::string::npos),
          "a domain's words as if they were ours");
  require(reply.code == 550 && is_well_formed(reply, false), "no rejection");
  const std::string wire = reply.wire();
  require(wire.ends_with(" (#5.7.1)\r\n"), "a rejection without its code");
  require(wire.size() <= spf::max_reply_size, "a rejection without bound");
  std::size_t octets = 0;
  for (const std::string& line : reply.lines) octets += line.size();
  require(octets <= 2000 + std::string_view(" (#5.7.1)").size(), "more text than it may have");
  for (std::size_t i = 0; i < wire.size(); i = wire.find('\n', i) + 1)
    require(wire.find('\n', i) + 1 - i <= 512, "a line over 512 octets");
  for (const char c : wire)
    require(c == '\r' || c == '\n' || (c >= ' ' && c <= '~'), "a rejection that is not printable");
}

}  // namespace

void reply(std::string_view data) {
  Input input(data);
  const unsigned what = input.octet();
  const std::size_t repeat = what & 64 ? 1 + input.number() / 8 : 1;
  std::string text(input.take(std::string::npos));
  // Long ones without a long input.
  if (!text.empty() && text.size() * repeat < 100000) {
    const std::string once = text;
    for (std::size_t i = 1; i < repeat; ++i) text += once;
  }
  if (what & 1)
    try_explanation(text, what & 2);
  else
    try_child(text);
}

}  // namespace fuzz
