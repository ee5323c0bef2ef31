// The content of a message (RFC 5321 section 2.3.9) on its way from client to
// child: where it ends (4.1.1.4 and 4.5.2), and where the header goes in.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "spf/base/buffer.hh"
#include "spf/dialogue/field_filter.hh"

namespace spf {

// A relay as section 2.3.10 has it: trace information is all that it adds. Every
// line is un-stuffed and stuffed again, so that what goes on holds a dot at the
// start of a line only where a second dot follows it. A bare CR is content.
class ContentRelay {
 public:
  enum class Status {
    more,     // the message goes on
    end,      // CRLF.CRLF, or .CRLF as the very first line, was taken
    bare_lf,  // an LF without CR: nothing more may be taken
  };
  struct Step {
    std::size_t taken;  // octets of `content` that are done with
    Status status;
  };

  // `header` (lines ending in CRLF, or "") is put before the first line; what
  // `fields` takes out of the message's own header does not go on.
  explicit ContentRelay(std::string_view header, FieldFilter fields = {})
      : header_(header), fields_(std::move(fields)) {}

  // Passes `content` on to `out` as far as its room allows. The final dot is
  // taken but not passed on: who calls sends end_of_data.
  Step push(std::string_view content, Buffer& out);

 private:
  enum class At { start_of_line, after_dot, after_dot_cr, first_cr, in_line };

  void begin(char first, Buffer& out);
  void pass(std::string_view content, Buffer& out);

  std::string header_;
  FieldFilter fields_;
  At at_ = At::start_of_line;
  bool begun_ = false;     // the first octet of content has been seen
  bool after_cr_ = false;  // in_line: the octet before was CR
};

inline constexpr std::string_view end_of_data = ".\r\n";

}  // namespace spf
