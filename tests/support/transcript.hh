// A whole dialogue of a Session with everybody round it, as text.
//
// Each line begins with who does what:
//   > text    the client sends text and CRLF                      (input)
//   >> text   the client sends just text                          (input)
//   >|        the client closes                                   (input)
//   >!        the client is lost                                  (input)
//   < text    the client has got this line
//   - text    the child sends text and CRLF                       (input)
//   -|        the child closes                                    (input)
//   + text    the child has got this line
//   +> text   the child has got this text
//   * text    spftls says text and LF: to the session alone, until the client
//             is handed over to it; then in the client's place    (input)
//   ** text   spftls says just text                               (input)
//   *|        spftls closes                                       (input)
//   ~ time    the limit that runs, of so many seconds, is over    (input)
//   ~         the same, whatever it is                            (input)
//   ^         SIGTERM                                             (input)
//   ? sender  a check of this sender was asked for; "= result domain mechanism"
//             behind it gives the verdict, and one more word the milliseconds
//             of CPU time that it took, or "helo:result" the one on the HELO
//             name                                                (input)
//   ?? sender the same of an exemption; "= reason" gives it, or "= none", or "= trouble"
//   ! action  start, with the result RESULT ("start pass", with the policy behind it) and whatever variables
//             are not of SPF ("start pass NAME=value"), dismiss, restore (which is
//             warned of), close, abandon, finish, prepare_tls, dismiss_tls,
//             start_tls, annotate (with nothing, or "annotate RESULT with header"),
//             "warning text", "log code recipient protocol policy" without
//             what there is none of, "log text" of a line that is of no MAIL
//   # text    a comment
// In text \r \n \t \0 \e \xHH \s (a blank) stand for octets.
// Inputs are given when everything before them has been seen. What the client
// sends in clear ends where the session starts TLS, be it within one input: the
// rest goes to spftls.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "spf/settings/config.hh"
#include "tests/catch.hh"

namespace transcript {

// A configuration as most transcripts use it: level 3, client 192.0.2.1.
spf::Config config();

// This machine's own address is 192.0.2.25.
bool is_own(const spf::Address& address);

// A transcript's beginning, up to EHLO.
inline const std::string hello = R"(
  ! start
  - 220 child ESMTP
  < 220 child ESMTP
  > EHLO client.example
  + EHLO client.example
  - 250 child
  < 250 child
)";

// A command that prog takes, to see that the session goes on.
inline const std::string noop = R"(
  > NOOP
  + NOOP
  - 250 ok
  < 250 ok
)";

// Plays the transcript, each input fed in pieces of `piece` octets. Returns ""
// or what went differently.
std::string play(std::string_view text, const spf::Config& config, std::size_t piece);

// Checks that it goes as it says, with inputs whole and an octet at a time.
inline void plays(std::string_view text, const spf::Config& with = config()) {
  CHECK(play(text, with, std::string::npos) == "");
  CHECK(play(text, with, 1) == "");
}

}  // namespace transcript
