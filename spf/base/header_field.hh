// Header fields as text (RFC 5322 section 2.2), for whoever puts one on top of
// a message.
#pragma once

#include <string>
#include <string_view>

namespace spf {

// "name: value", folded at 78 columns where `value` has a blank outside quoted
// strings, and with CRLF. `value` is printable ASCII in one line.
std::string folded_field(std::string_view name, std::string_view value);

// What has to stand between a field of ours and a message that begins with
// `first`, "" for nothing: a line that begins with white space would continue
// the field, and one with a bare CR does so for who takes that away later.
std::string_view guard_before(char first);

// `text` with LF alone at the end of its lines, as in a queue.
std::string without_cr(std::string text);

}  // namespace spf
