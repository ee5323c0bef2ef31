// One DNS message, as anybody who can reach our socket may send it: any octets
// behind the right question, or any octets at all.
#include "spf/dns/dns_message.hh"
#include "tests/fuzz/fuzz.hh"
#include "tests/fuzz/input.hh"

namespace fuzz {
namespace {

constexpr spf::RrType types[] = {spf::RrType::a, spf::RrType::ptr, spf::RrType::mx,
                                 spf::RrType::txt, spf::RrType::aaaa};

void try_message(const std::string& message, const std::string& wire, spf::RrType type) {
  if (message.size() >= 12) {
    spf::is_response(message);
    spf::is_truncated(message);
  }
  if (!spf::answers(message, 0x1234, wire, type)) return;
  const spf::Reading reading = spf::read_response(message, type);
  const spf::Answer& answer = reading.answer;
  const bool is_address = type == spf::RrType::a || type == spf::RrType::aaaa;
  require(answer.addresses.empty() || is_address, "addresses in another answer");
  require(answer.texts.empty() || !is_address, "texts in an answer of addresses");
  require(reading.alias.size() <= 255, "a name over 255 octets");
  if (answer.status == spf::Answer::Status::ok)
    require(!answer.addresses.empty() || !answer.texts.empty(), "an answer of nothing");
  else
    require(answer.addresses.empty() && answer.texts.empty(), "an answer that is none has values");
  for (const std::string& text : answer.texts) {
    require(text.size() <= message.size() + 255, "more text than was sent");
    if (type != spf::RrType::txt) require(text.empty() || spf::is_dns_name(text), "no name");
  }
}

}  // namespace

void message(std::string_view data) {
  Input input(data);
  const unsigned how = input.octet();
  const spf::RrType type = types[how % 5];
  const std::string wire = spf::to_wire("example.org");
  std::string message;
  if (!(how & 128)) {
    // The id, what the input says of flags and counts, and our question.
    message = "\x12\x34";
    message += char(0x80 | input.octet());
    message += char(input.octet());
    message += std::string("\0\1", 2);
    for (int i = 0; i < 3; ++i) message += std::string(1, '\0') + char(input.octet());
    message += wire;
    message += '\0';
    message += char(static_cast<unsigned>(type));
    message += std::string("\0\1", 2);
  }
  message += input.take(std::string::npos);
  try_message(message, wire, type);
}

}  // namespace fuzz
