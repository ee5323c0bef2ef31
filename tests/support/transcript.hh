// A whole dialogue of a Session with everybody round it, as text.
//
// Each line begins with who does what:
//   > text    the client sends text and CRLF       (input)
//   >> text   the client sends just text           (input)
//   >|   the client closes                     (input)
//   < text    the client has got this line
//   - text    the child sends text and CRLF        (input)
//   -|   the child closes                      (input)
//   + text    the child has got this line
//   +> text   the child has got this text
//   ~         the time limit that runs is over  (input)
//   ? sender  a check of this sender was asked for; "= result domain mechanism"
//             behind it gives the verdict           (input)
//   ! action  start, start again with the result RESULT ("start pass"),
//             dismiss, restore, close, abandon, finish, "log code recipient"
//   # text    a comment
// In text \r \n \t \0 \e \xHH \s (a blank) stand for octets.
// Inputs are given when everything before them has been seen.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "spf/config.hh"

namespace transcript {

// A configuration as most transcripts use it: level 3, client 192.0.2.1.
spf::Config config();

// Plays the transcript, each input fed in pieces of `piece` octets. Returns ""
// or what went differently.
std::string play(std::string_view text, const spf::Config& config, std::size_t piece);

}  // namespace transcript
