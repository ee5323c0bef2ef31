// What a client knows: the octets it has sent and the replies it has had, put
// together by RFC 5321 alone. Each command has exactly one reply, in order, and
// what ends a message is CRLF.CRLF.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

class ClientView {
 public:
  struct Message {
    std::string content;    // un-stuffed, as far as its lines are complete
    bool complete = false;  // it has its final dot
    bool bare_lf = false;   // it is broken off by an LF without CR
    bool accepted = false;  // the reply to the dot was 2xx
  };

  void sent(std::string_view octets) { sent_ += octets; }

  // Octets of replies, which hold whole replies: none is given in parts.
  void heard(std::string_view octets);

  // Whether something complete has been sent and is not answered.
  bool owed();

  // No reply can come any more.
  bool over() const { return over_; }
  // What passes is TLS.
  bool blind() const { return blind_; }

  // The command that is being carried out: its line, and its verb in upper case.
  std::string line();
  std::string verb();

  // The argument of the last HELO or EHLO that had a 2xx reply.
  const std::string& hello() const { return hello_; }
  // How often RSET, HELO and EHLO have ended a transaction.
  unsigned resets() const { return resets_; }
  const std::vector<Message>& messages() const { return messages_; }

 private:
  void answered(unsigned code);
  void read_body();
  bool take_line(std::string& line);

  enum class At { greeting, command, opaque, body } at_ = At::greeting;
  std::string sent_;
  std::size_t next_ = 0;  // in sent_: what is not answered yet
  bool over_ = false, blind_ = false;
  std::string hello_;
  unsigned resets_ = 0;
  std::vector<Message> messages_;
};

}  // namespace fuzz
