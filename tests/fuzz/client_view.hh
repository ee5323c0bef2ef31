// What a client knows: the octets it has sent and the replies it has had, put
// together by RFC 5321 alone. Each command has exactly one reply, in order, and
// what ends a message is CRLF.CRLF. Where TLS is done here (RFC 3207), nothing is
// said between the 220 to STARTTLS and the end of the handshake, and nothing that
// was sent before is answered behind it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spf/settings/config.hh"

namespace fuzz {

class ClientView {
 public:
  struct Message {
    std::string content;    // un-stuffed, as far as its lines are complete
    bool complete = false;  // it has its final dot
    bool bare_lf = false;   // it is broken off by an LF without CR
    bool accepted = false;  // the reply to the dot was 2xx
  };

  explicit ClientView(const spf::Config& config);

  void sent(std::string_view octets) { sent_ += octets; }

  // Its handshake is done.
  void established();

  // Octets of replies, which hold whole replies: none is given in parts.
  void heard(std::string_view octets);

  // Whether something complete has been sent and is not answered.
  bool owed();

  // No reply can come any more.
  bool over() const { return over_; }
  // What passes is TLS, and nobody here knows what is in it.
  bool blind() const { return blind_; }
  // It may begin its handshake, or has begun.
  bool handshaking() const { return at_ == At::handshake; }

  // The command that is being carried out: its line, and its verb in upper case.
  std::string line() const;
  std::string verb() const;

  // The argument of the last HELO or EHLO that had a 2xx reply.
  const std::string& hello() const { return hello_; }
  // How often RSET, HELO, EHLO and TLS have ended a transaction.
  unsigned resets() const { return resets_; }
  const std::vector<Message>& messages() const { return messages_; }

  // Once each: in how many lines the last EHLO was offered STARTTLS, and with
  // which code STARTTLS was answered.
  std::optional<unsigned> take_offers() { return std::exchange(offers_, {}); }
  std::optional<unsigned> take_starttls_code() { return std::exchange(starttls_code_, {}); }

 private:
  void answered(unsigned code, unsigned offers);
  void read_body();
  bool take_line(std::string& line);

  const spf::Starttls starttls_;
  enum class At { greeting, command, opaque, body, handshake } at_;
  bool greeted_ = false;
  std::string sent_;
  std::size_t next_ = 0;  // in sent_: what is not answered yet
  bool over_ = false, blind_ = false;
  std::string hello_;
  unsigned resets_ = 0;
  std::vector<Message> messages_;
  std::optional<unsigned> offers_, starttls_code_;
};

}  // namespace fuzz
