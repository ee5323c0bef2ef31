#include "spf/dialogue/annotation.hh"

#include "spf/base/header_field.hh"
#include "tests/catch.hh"

using spf::Annotation;

namespace {

const Annotation usual = {{"SPFRESULT=pass", "SPFDOMAIN=example.org", "SPFHEADER=pass (x) a=b;"},
                          "Received-SPF: pass (x)\n a=b;\nAuthentication-Results: mx; spf=pass\n"};

std::string with_length(const std::string& body) {
  return "spfqueue 1 " + std::to_string(body.size()) + '\n' + body;
}

}  // namespace

TEST_CASE("what is encoded is found again") {
  const Annotation cases[] = {
      usual,
      {usual.variables, ""},                             // no header
      {{}, usual.header},                                // no variables
      {{}, ""},                                          // a verdict that leaves nothing
      {{"SPFEXPLANATION="}, "X: y\n"},                   // an empty value
      {{"SPFPOLICY=" + std::string(1000, '=')}, "X: y\n"},  // one as long as can be
      {{"SPFHELORESULT=none"}, "X: " + std::string(995, 'y') + '\n'},
  };
  for (const Annotation& c : cases) CHECK(spf::decode_annotation(spf::encode_annotation(c)) == c);
  CHECK(spf::decode_annotation("") == Annotation{});  // a MAIL that is not checked

  const Annotation crlf = {usual.variables, spf::folded_field("Received-SPF", std::string(70, 'x') + " (y z)")};
  CHECK(spf::decode_annotation(spf::encode_annotation(crlf))->header == spf::without_cr(crlf.header));
}

TEST_CASE("no part of an annotation is one, nor is it with more behind it") {
  const std::string octets = spf::encode_annotation(usual);
  for (std::size_t size = 1; size < octets.size(); ++size) {
    INFO(size);
    CHECK_FALSE(spf::decode_annotation(octets.substr(0, size)));
  }
  CHECK_FALSE(spf::decode_annotation(octets + '\n'));
  CHECK_FALSE(spf::decode_annotation(octets + std::string(100, '\0')));
  CHECK_FALSE(spf::decode_annotation(octets + octets));
  CHECK_FALSE(spf::decode_annotation(std::string(octets.size(), '\0')));
}

TEST_CASE("an octet that was changed is mostly seen, and never becomes a line of its own kind") {
  const std::string octets = spf::encode_annotation(usual);
  for (std::size_t at = 0; at < octets.size(); ++at)
    for (const char c : {'\0', '\r', '\t', '\x1b', '\x7f', '\xff'}) {
      std::string changed = octets;
      changed[at] = c;
      INFO(at << ' ' << int(c));
      CHECK_FALSE(spf::decode_annotation(changed));
    }
}

TEST_CASE("what the contract does not have is no annotation") {
  const struct { std::string octets; const char* why; } cases[] = {
      {"spfqueue 2 1\n\n", "another version"},
      {"spfqueue 1 01\n\n", "a length with a nought before it"},
      {"spfqueue 1 +1\n\n", "a sign"},
      {"spfqueue 1 \n\n", "no length"},
      {"spfqueue 1 99999999999999999999\n\n", "a length beyond numbers"},
      {with_length("SPFRESULT=pass\n"), "no empty line"},
      {with_length("PATH=/tmp\n\n"), "a variable that is none of ours"},
      {with_length("LD_PRELOAD=x\n\n"), "another"},
      {with_length("SPFFD=10\n\n"), "one that leads back here"},
      {with_length("SPFRESULT\n\n"), "a name alone"},
      {with_length("SPFRESULT=p\tass\n\n"), "TAB in a value"},
      {with_length("SPFDOMAIN=" + std::string(1001, 'x') + "\n\n"), "a value over 1,000 octets"},
      {with_length("\n x: y\n"), "a field that continues what is above it"},
      {with_length("\nX: y"), "a line without its end"},
      {with_length("\nX: y\n\nZ: y\n"), "a line that ends the header"},
      {with_length("\nX: y\r\n"), "CR"},
      {with_length("\nX y\n"), "no field"},
      {with_length("\nX: " + std::string(996, 'y') + '\n'), "a line over 998 octets"},
      {spf::encode_annotation({{}, "X: y\n" + std::string(70000, 'y') + ":\n"}), "a field beyond all bounds"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    CHECK_FALSE(spf::decode_annotation(c.octets));
  }
  std::string long_header;
  while (long_header.size() < spf::max_annotation) long_header += "X: y\n";
  CHECK_FALSE(spf::decode_annotation(spf::encode_annotation({{}, long_header})));
}
