// SMTP replies (RFC 5321 section 4.2): the child's, read and made canonical,
// and every one that this program gives itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/engine/verdict.hh"

namespace spf {

// Our own replies, without CRLF.
namespace reply {
inline constexpr std::string_view
    ok = "250 ok",
    ready_for_tls = "220 ready for tls",
    lookup_failure = "451 SPF lookup failure (#4.3.0)",
    cannot_start_again = "451 unable to start SMTP server again (#4.3.0)",
    cannot_annotate = "451 unable to annotate the message (#4.3.0)",
    encryption_required = "538 encryption required for authentication (#5.7.11)",
    message_lost = "451 SMTP server gave up, message not accepted (#4.3.0)",
    bare_lf = "451 See https://cr.yp.to/docs/smtplf.html.",
    line_too_long = "500 line too long (#5.5.2)",
    bad_octet = "500 NUL or CR in command line (#5.5.2)",
    bad_syntax = "501 syntax error in parameters (#5.5.4)",
    bad_mail = "501 syntax: MAIL FROM:<address> (#5.5.4)",
    bad_rcpt = "501 syntax: RCPT TO:<address> (#5.5.4)",
    not_implemented = "502 command not implemented (#5.5.1)",
    in_transaction = "503 AUTH not permitted during a mail transaction (#5.5.1)",
    tls_active = "503 TLS is active already (#5.5.1)",
    tls_unavailable = "454 TLS not available (#4.3.0)",
    no_chunking = "521 BDAT not supported, closing (#5.5.1)",
    timed_out = "421 timeout (#4.4.2)",
    controls = "421 unable to read controls (#4.3.0)",
    cannot_start = "421 unable to start SMTP server (#4.3.0)",
    server_trouble = "421 SMTP server trouble, closing (#4.3.0)",
    too_many_messages = "421 too many messages in one session (#4.7.0)",
    too_much_work = "421 too much work in one session (#4.7.0)",
    out_of_memory = "421 out of memory (#4.3.0)",
    shutting_down = "421 shutting down (#4.3.2)";
}  // namespace reply

// A reply in several lines; each without code and CRLF.
struct Reply {
  unsigned code = 0;
  std::vector<std::string> lines;

  bool positive() const { return code / 100 == 2; }

  // As it goes over the wire: "250-one\r\n250 two\r\n".
  std::string wire() const;
};

// 550 to a recipient of a rejected MAIL: the verdict's explanation broken into
// lines of at most 512 octets (RFC 5321 section 4.5.3.1.5), the last with
// " (#5.7.1)". A line that says whose they are comes before a domain's own words
// (RFC 7208 section 8.4). Line feeds in it break lines too; other octets that are
// not printable ASCII become '_'. What is over longest_verdict_text is left out.
Reply rejection(const Verdict& verdict);

// Leaves in the reply to EHLO only the keywords of which this program knows
// that they do no harm. STARTTLS is dropped, kept where the child has it, or
// offered by this program whether it has it or not; AUTH is dropped or kept.
enum class StarttlsKeyword { drop, keep, offer };
enum class AuthKeyword { drop, keep };
void filter_ehlo(Reply& reply, StarttlsKeyword starttls, AuthKeyword auth);

// Takes the child's output apart into replies.
class ReplyParser {
 public:
  enum class Status { more, complete, malformed };

  // Takes octets from the front of `bytes` until a reply is complete; `taken`
  // says how many. After `complete` take() has the reply. `malformed`: not
  // RFC 5321, or over the bounds; there is no way on from it.
  Status push(std::string_view bytes, std::size_t& taken);
  Reply take();

  // Whether part of a reply has been read.
  bool begun() const { return !line_.empty() || !reply_.lines.empty(); }

 private:
  Status end_of_line();

  Reply reply_;
  std::string line_;
  std::size_t size_ = 0;
};

// Bounds on one reply of the child: octets in a line, and in all lines.
inline constexpr std::size_t max_reply_line = 2048;
inline constexpr std::size_t max_reply_size = 16384;

}  // namespace spf
