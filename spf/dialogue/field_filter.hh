// Header fields of others that claim to be ours, taken out of a message on its
// way (RFC 8601 section 5, RFC 7208 section 9.1).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "spf/base/buffer.hh"
#include "spf/settings/config.hh"

namespace spf {

// Takes the octets of a message as they come, in any pieces, un-stuffed or
// stuffed, where LF comes after CR only, and passes on all of them but:
//
// - with Strip::own, each field Authentication-Results that bears our ID: whose
//   authserv-id some reader might take for it. That is where the ID stands as a
//   word, without regard to case, before the first semicolon, counted by who
//   knows comments (nested, with quoted pairs) and quotes, and by who knows no
//   more than brackets; quoted, in pieces round its dots, or in a comment too.
//   One that has not come to the semicolon after 4 kB bears it as well, and so
//   does one that another begins in before, after a bare CR.
// - with Strip::all, each Received-SPF besides.
//
// A field is its line and all lines after it that begin with SP, TAB or a bare
// CR. White space between name and colon is allowed (RFC 5322 section 4.5), and
// since there are readers for which a bare CR ends a line, a field may begin
// after one. The header ends at its first empty line: for many readers a line
// that is no field does not end it.
class FieldFilter {
 public:
  // Passes everything on.
  FieldFilter() = default;
  // `authserv_id` is our ID, as other fields have it between their quotes.
  FieldFilter(Strip strip, std::string_view authserv_id);

  // Passes `octets` on to `out`. Needs octets.size() + held() of room there.
  void push(std::string_view octets, Buffer& out);

  // The end of the message: nothing is held back any more. Needs held() of room.
  void finish(Buffer& out);

  // How many octets it may pass on besides those that it is given.
  std::size_t held() const { return held_.size() + 3; }

  // Whether the header is over, and nothing is looked at any more.
  bool over() const { return at_ == At::body; }

 private:
  enum class At {
    start,       // a line begins: `held_` is "" after CRLF, CR after a bare one
    name,        // all of it belongs to the name looked for
    after_name,  // white space before the colon
    id,          // of Authentication-Results, what comes before the semicolon
    pass,        // what goes on, up to the end of the line
    drop,        // what does not, up to the end of the field
    body,
  };

  // Where the first semicolon outside comments and quotes is.
  class Prelude {
   public:
    bool is_ended_by(char c);  // needs one octet after the other

   private:
    unsigned depth_ = 0, naive_depth_ = 0;
    bool quoted_ = false, escaped_ = false;
    bool ended_ = false, naive_ended_ = false;
  };

  // An octet, or a bare CR, or LF for CRLF.
  void step(char c, Buffer& out);
  void step_start(char c, Buffer& out);
  void step_after_name(char c, Buffer& out);
  void step_id(char c, Buffer& out);
  void step_drop(char c, Buffer& out);
  bool continues(char c) const;
  void start_line(char c, Buffer& out);
  void pass(char c, Buffer& out);
  void hold(char c);
  void release(Buffer& out);
  void begin_drop();
  void end_drop(Buffer& out);
  bool bears_our_id() const;

  Strip strip_ = Strip::no;
  std::string authserv_id_;  // in lower case
  At at_ = At::body;
  std::string held_;         // not passed on yet, since it may have to go
  std::string_view name_;    // name: what is looked for
  std::size_t matched_ = 0;  // and the octets of it that were found
  std::size_t prelude_ = 0;  // id: where in held_ the name and its colon end
  Prelude reading_;
  bool cr_ = false;          // the octet before was CR, not looked at yet
  bool line_end_ = false;    // of a field that the next line may continue
  bool passed_ = false;      // some of this line was passed on
};

}  // namespace spf
