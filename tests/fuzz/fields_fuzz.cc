// The fields that are taken out of a message: in whatever pieces it comes, what
// is left is what a model leaves of the whole.
#include <iterator>

#include "spf/base/buffer.hh"
#include "spf/dialogue/field_filter.hh"
#include "tests/fuzz/field_model.hh"
#include "tests/fuzz/fuzz.hh"
#include "tests/fuzz/input.hh"
#include "tests/support/own_buffer.hh"

namespace fuzz {
namespace {

constexpr std::string_view words[] = {
    "Authentication-Results", "authentication-results:", "Received-SPF", "received-spf:", "mx.local",
    "MX.Local", "\"mx.local\"", "other.example", "mx", ".", "local", " ", "\t", "\r\n", "\r\n ", "\r",
    std::string_view("\0", 1), ":", ";", "(", ")", "\"", "\\", "1", "/", "x", "Subject: y\r\n", "\r\n\r\n",
    "; spf=pass\r\n", "Authentication-Results: mx.local; spf=pass\r\n",
};

// Octets of which most mean something.
std::string any_message(Input& input) {
  std::string message;
  while (!input.empty()) {
    const unsigned octet = input.octet();
    if (octet < 0xf0)
      message += words[octet % std::size(words)];
    else
      message += char(input.octet());
    if (message.ends_with('\n') && !message.ends_with("\r\n")) message.back() = '_';
  }
  return message;
}

}  // namespace

void fields(std::string_view data) {
  Input input(data);
  const auto strip = spf::Strip(input.octet() % 3);
  const std::string id = input.octet() % 4 ? "mx.local" : "our mx";
  std::string pieces(input.take(8));
  const std::string message = any_message(input);

  spf::FieldFilter filter(strip, id);
  static test::OwnBuffer out(2 * 65536);
  out.clear();
  std::string passed;
  std::size_t piece = 0;
  for (std::string_view rest = message; !rest.empty();) {
    const std::size_t size = pieces.empty() ? 1 : 1 + static_cast<unsigned char>(pieces[piece++ % pieces.size()]);
    const std::string_view octets = rest.substr(0, size);
    const std::size_t most = octets.size() + filter.held();
    filter.push(octets, out);
    require(out.data().size() <= most, "more was passed on than may be");
    require(filter.held() < 4200, "more is held back than may be");
    passed += out.data();
    out.clear();
    rest.remove_prefix(octets.size());
  }
  const std::size_t most = filter.held();
  filter.finish(out);
  require(out.data().size() <= most, "more was held back than it said");
  passed += out.data();
  if (message.size() < 4000) require(passed == without_fields(message, strip, id), "another message");
  if (strip == spf::Strip::no) require(passed == message, "a message that was not to be touched");
}

}  // namespace fuzz
