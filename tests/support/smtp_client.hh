// A client that says exactly what a test wants, in pieces it chooses.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/support/process.hh"

namespace test {

class SmtpClient {
 public:
  explicit SmtpClient(Fd socket);
  static SmtpClient connect(int port);  // to loopback

  // Sends the bytes as they are, in pieces of at most `piece` octets, each
  // handed over before the next. False when the other side no longer reads.
  bool send(std::string_view bytes, std::size_t piece = 1 << 20);

  // One whole reply, its lines joined by \n without CRLF. A line that ends in
  // LF alone, the end of the connection and the time limit show as <LF>, <EOF>
  // and <silence>.
  std::string reply(milliseconds limit = patience);

  std::string ask(std::string_view command) {
    send(std::string(command) + "\r\n");
    return reply();
  }
  // Asks each in turn; every reply followed by \n.
  std::string talk(std::initializer_list<std::string_view> commands);

  // Everything until the other side closes, unread replies first, raw but for
  // CR, which is dropped; <silence> at its end if it does not close.
  std::string rest(milliseconds limit = patience);

  // Sends over and over, reads nothing, until the other side has taken no more
  // for `limit`, or `most` octets; how much it took.
  std::size_t flood(std::string_view bytes, std::size_t most, milliseconds limit = 300ms);

  void half_close();
  void reset();  // closes so that the other side has nothing more to hope for
  void close() { socket_.reset(); }

  // How often data arrived: on a packet socket, how often it was written.
  unsigned arrivals() const { return arrivals_; }

 private:
  enum class Read { data, end, silence };
  Read read_some(Clock::time_point end);

  Fd socket_;
  std::string buffer_;
  unsigned arrivals_ = 0;
};

}  // namespace test
