// A model of the server behind the wrapper: it reads its octets as some server
// does, strictly as qmail-smtpd or as loosely as the worst that are known, acts
// on what it has read, and says what it did.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

// How a server reads. All false is qmail-smtpd.
//
// A bare CR ends a line in commands only. In a message it is data, for us and
// for those behind us: who takes CR.CR for the end of a message can't be
// protected without changing messages that are meant so.
struct Reading {
  bool cr_ends_command = false;
  bool loose_verbs = false;       // by their first four letters, after blanks; a tab is a blank
  bool loose_end_of_data = false; // LF.LF, LF.CRLF, CRLF.LF, CRLF.CRCRLF, CRLF.NUL CRLF
  bool keeps_on_hello = false;    // HELO and EHLO do not end a transaction
  // Of a path: as qmail does, that takes quotes away and heeds them on the way;
  // what stands between the last '<' before the first '>', and that; the same,
  // its quotes and backslashes taken away. A parameter's brackets (AUTH=<>) are
  // no path to any of them: RFC 4954 has them there.
  enum class Path { qmail, brackets, unquoted } path = Path::qmail;

  bool strict_data() const { return !loose_end_of_data; }
};

// The address such a server finds in the argument of MAIL or RCPT.
std::string address_in(std::string_view argument, Reading::Path path);

// `mailbox` (without brackets) as such a server would store it.
std::string stored(std::string_view mailbox, Reading::Path path);

class ServerModel;

// Who is told what a server acts on.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void line(const ServerModel&, std::string_view octets) = 0;  // a command, with line end
  virtual void mail(ServerModel&, const std::string& address) = 0;
  virtual void recipient(ServerModel&, const std::string& address) = 0;
  virtual void authentication(const ServerModel&) = 0;
};

class ServerModel {
 public:
  struct Message {
    int mail = -1;                // `tag` of its MAIL
    std::vector<int> recipients;  // of its RCPTs
    std::string content;          // un-stuffed; lines end in CRLF
    bool complete = false;
    bool accepted = false;  // 2xx was said to its dot
  };

  // `mood` gives a number for each reply; 0 is a usual one.
  ServerModel(Reading reading, std::vector<std::string> variables, Witness& witness,
              std::function<unsigned()> mood);

  void take(std::string_view octets);
  void end_of_input() { exited = true; }
  // Says something unasked.
  void interrupt(std::string_view text) { output += text; }

  const Reading reading;
  const std::vector<std::string> variables;
  std::string output;  // what it has said and nobody has read
  bool exited = false;
  bool authenticated = false;  // it has said 235
  int tag = 0;                 // the witness marks each MAIL and RCPT with it
  std::vector<Message> messages;
  bool in_data() const { return at_ == At::data; }
  bool in_transaction() const { return seen_mail_; }

 private:
  void command(std::string_view line);
  bool reply(std::string_view usual);
  void data_strict(char octet);
  void data_loose(char octet);
  void end_message();
  void reset();

  Witness& witness_;
  std::function<unsigned()> mood_;
  enum class At { command, opaque, data } at_ = At::command;
  std::string line_;
  bool after_cr_ = false;  // which ended a line
  unsigned responses_ = 0;  // still wanted in AUTH
  bool seen_mail_ = false;
  int mail_tag_ = -1;
  std::vector<int> recipients_;
  enum class Blast { start, dot, dot_cr, cr, inside } blast_ = Blast::start;
};

}  // namespace fuzz
