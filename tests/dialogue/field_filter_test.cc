#include "spf/dialogue/field_filter.hh"

#include <random>

#include "spf/dialogue/message_content.hh"
#include "tests/catch.hh"
#include "tests/fuzz/field_model.hh"
#include "tests/support/own_buffer.hh"

using spf::Strip;

namespace {

// What goes on of `message`, which comes in pieces of this size.
std::string passed(std::string_view message, Strip strip, std::size_t piece, std::string_view id = "mx.local") {
  spf::FieldFilter filter(strip, id);
  static test::OwnBuffer out(400'000);  // new memory for each of so many costs most of the time
  out.clear();
  std::string result;
  for (; !message.empty(); message.remove_prefix(std::min(piece, message.size()))) {
    const std::string_view octets = message.substr(0, piece);
    const std::size_t most = octets.size() + filter.held();
    filter.push(octets, out);
    if (out.data().size() > most) FAIL("more is passed on than may be");
    result += out.data();
    out.clear();
  }
  filter.finish(out);
  return result += out.data();
}

const std::string nul(1, '\0');
const std::string from = "From: a@example.org\r\n";
const std::string end = "\r\nbody\r\nAuthentication-Results: mx.local; spf=pass\r\nReceived-SPF: pass\r\n";

}  // namespace

TEST_CASE("a field that some reader takes for ours goes, and one of others stays") {
  const std::string deep(2000, '('), blanks(5000, ' ');
  const struct { std::string field; bool goes; const char* why; } cases[] = {
      {"Authentication-Results: mx.local; spf=pass\r\n", true, "ours"},
      {"AUTHENTICATION-RESULTS: MX.LOCAL; spf=pass\r\n", true, "in other letters"},
      {"Authentication-Results:mx.local;spf=pass\r\n", true, "without blanks"},
      {"Authentication-Results: mx.local\r\n", true, "without results"},
      {"Authentication-Results: mx.local; none\r\n", true, "with none"},
      {"Authentication-Results: mx.local 1; spf=pass\r\n", true, "with a version"},
      {"Authentication-Results: mx.local/1; spf=pass\r\n", true, "with one as it is not written"},
      {"Authentication-Results: \"mx.local\"; spf=pass\r\n", true, "quoted"},
      {"Authentication-Results: \"m\\x.lo\\cal\"; spf=pass\r\n", true, "with quoted pairs"},
      {"Authentication-Results: (a) mx.local (b) 1 (c); spf=pass\r\n", true, "with comments"},
      {"Authentication-Results: (a (b) c \\) \\( d) mx.local; spf=pass\r\n", true, "nested, with quoted pairs"},
      {"Authentication-Results: (a; b) mx.local; spf=pass\r\n", true, "with a semicolon in a comment"},
      {"Authentication-Results: (\"a) mx.local; spf=pass\r\n", true, "with a quote in a comment"},
      {"Authentication-Results:\r\n mx.local;\r\n\tspf=pass\r\n", true, "folded"},
      {"Authentication-Results:\r\n \r\n\t\r\n mx.local; spf=pass\r\n", true, "folded into empty lines"},
      {"Authentication-Results: (a\r\n b) mx.local; spf=pass\r\n", true, "folded in a comment"},
      {"Authentication-Results: \"mx.\r\n local\"; spf=pass\r\n", true, "folded in quotes"},
      {"Authentication-Results \t : mx.local; spf=pass\r\n", true, "white space before the colon"},
      {"Authentication-Results\r\n : mx.local; spf=pass\r\n", true, "the same, folded"},
      {"Authentication-Results: mx . local; spf=pass\r\n", true, "in pieces, as OpenDMARC puts them together"},
      {"Authentication-Results: mx (a) .(b) local; spf=pass\r\n", true, "with comments between them"},
      {"Authentication-Results: mx.local .x; spf=pass\r\n", true, "with what is no version"},
      {"Authentication-Results: (a\\) mx.local; spf=pass\r\n", true, "behind a comment for who knows no pairs"},
      {"Authentication-Results: (\\() x; ) mx.local; spf=pass\r\n", true, "the other way round"},
      {"Authentication-Results: \"(\" x; \")\" mx.local; spf=pass\r\n", true, "for who knows no quotes"},
      {"Authentication-Results: " + deep + std::string(2000, ')') + " mx.local; spf=pass\r\n", true, "nested deeply"},
      {"Authentication-Results:" + blanks + "mx.local; spf=pass\r\n", true, "beyond what is held back"},
      {"Authentication-Results" + blanks + ": mx.local; spf=pass\r\n", true, "the same before the colon"},
      {"Authentication-Results:" + blanks + "other.example; spf=pass\r\n", true, "whosever it is then"},
      {"Authentication-Results: mx.local; " + std::string(100'000, 'x') + "\r\n x\r\n", true, "very long"},
      {"Authentication-Results: mx.local" + nul + "; spf=pass\r\n", true, "NUL behind the ID"},
      {"Authentication-Results: mx.local" + nul + ".x; spf=pass\r\n", true, "where a C string ends"},
      {"Authentication-Results: m" + nul + "x.local; spf=pass\r\n", true, "where NUL is dropped"},
      {"Authentication-Results: mx.lo\rcal; spf=pass\r\n", true, "where CR is dropped"},
      {"Authentication-Results" + nul + ": mx.local; spf=pass\r\n", true, "NUL before the colon"},
      {"Authentication-Results: other.example\r\n (mx.local); spf=pass\r\n", true, "in a comment of others, before all results"},
      {"\rAuthentication-Results: mx.local; spf=pass\r\n", true, "behind a bare CR"},

      {"Authentication-Results: mx.local.example; spf=pass\r\n", false, "a longer name"},
      {"Authentication-Results: a.mx.local; spf=pass\r\n", false, "one below ours"},
      {"Authentication-Results: mx-local; spf=pass\r\n", false, "one that is like it"},
      {"Authentication-Results: mxx local; spf=pass\r\n", false, "two words"},
      {"Authentication-Results: other.example; spf=pass smtp.mailfrom=mx.local\r\n", false, "ours among the results"},
      {"Authentication-Results: other.example; spf=pass (mx.local: x) smtp.helo=mx.local\r\n", false, "and in a comment there"},
      {"Authentication-Results: (a \\) b) other.example; spf=pass\r\n", false, "another's comment"},
      {"Authentication-Results: other.example;\r\n\tspf=pass;\r\n\tdkim=pass\r\n", false, "another's, folded"},
      {"Authentication-Results: \"other.example\" 1; none\r\n", false, "another's, quoted"},
      {"Authentication-Results:\r\n", false, "nobody's"},
      {"Authentication-Results: ; spf=pass\r\n", false, "nobody's results"},
      {"Authentication-Results mx.local; spf=pass\r\n", false, "no field"},
      {"Authentication-Resultss: mx.local; spf=pass\r\n", false, "another name"},
      {"Authentication-Result: mx.local; spf=pass\r\n", false, "a shorter one"},
      {"ARC-Authentication-Results: i=1; mx.local; spf=pass\r\n", false, "a field of ARC"},
      {"X-Authentication-Results: mx.local; spf=pass\r\n", false, "one of nobody"},
      {"Subject: x\r\n Authentication-Results: mx.local; spf=pass\r\n", false, "a continuation"},
      {"Subject: Authentication-Results: mx.local; spf=pass\r\n", false, "within another field"},
      {"Received-SPF: pass\r\n", false, "not of this kind"},
  };
  for (const auto& c : cases)
    for (const Strip strip : {Strip::own, Strip::all})
      for (const std::size_t piece : {std::size_t(1), std::size_t(2), std::size_t(3), std::size_t(7), std::size_t(200'000)}) {
        INFO(c.why << ", in pieces of " << piece);
        const bool goes = c.goes || (strip == Strip::all && c.field.starts_with("Received-SPF"));
        CHECK((passed(c.field + end, strip, piece) == (goes ? "" : c.field) + end));
        CHECK((passed(from + c.field + from + end, strip, piece) == from + (goes ? "" : c.field) + from + end));
        CHECK((passed(c.field + c.field + from + end, strip, piece) == (goes ? "" : c.field + c.field) + from + end));
        CHECK((passed(c.field + end, Strip::no, piece) == c.field + end));
      }
}

TEST_CASE("with all, each Received-SPF goes too") {
  const struct { std::string field; bool goes; const char* why; } cases[] = {
      {"Received-SPF: pass\r\n", true, "as it is written"},
      {"received-spf:fail\r\n\t(x)\r\n y\r\n", true, "folded"},
      {"RECEIVED-SPF \t: pass\r\n", true, "white space before the colon"},
      {"Received-SPF:\r\n pass\r\n", true, "a first line with nothing in it"},
      {"Received-SPF: " + std::string(100'000, 'x') + "\r\n", true, "a long one"},
      {"Received-SPF: x\r\rpass\r\n", true, "with bare CRs"},
      {"Received-SPF\r\n", false, "no field"},
      {"Received: from x\r\n", false, "another name"},
      {"Received-SPFX: pass\r\n", false, "a longer one"},
      {"X-Received-SPF: pass\r\n", false, "of nobody"},
  };
  for (const auto& c : cases)
    for (const std::size_t piece : {std::size_t(1), std::size_t(2), std::size_t(200'000)}) {
      INFO(c.why);
      CHECK((passed(from + c.field + from + end, Strip::all, piece) == from + (c.goes ? "" : c.field) + from + end));
      CHECK((passed(from + c.field + from + end, Strip::own, piece) == from + c.field + from + end));
    }
}

TEST_CASE("the header ends at its first empty line, and nowhere else") {
  const std::string ours = "Authentication-Results: mx.local; spf=pass\r\n";
  const struct { std::string message, left; const char* why; } cases[] = {
      {"", "", "nothing"},
      {"\r\n" + ours, "\r\n" + ours, "a header that is empty"},
      {ours, "", "nothing but our field"},
      {ours + "\r\n", "\r\n", "and no body"},
      {"no field\r\n" + ours + end, "no field\r\n" + end, "a first line that is no field"},
      {from + "--\r\n" + ours + end, from + "--\r\n" + end, "another line that is none"},
      {" x\r\n" + ours + end, " x\r\n" + end, "a continuation of nothing"},
      {from + " \r\n" + ours + end, from + " \r\n" + end, "a line of blanks"},
      {from + "\r\r\n" + ours + end, from + "\r\r\n" + end, "a line of CR"},
      {"Subject: x\r" + ours + from + end, "Subject: x\r\n" + from + end, "for some a field ends at a bare CR"},
      {"Subject: x\r\r" + ours + from + end, "Subject: x\r\r\n" + from + end, "and for none a header"},
      {"Subject: x\ry\r" + ours + " z\r\n" + from + end, "Subject: x\ry\r\n" + from + end, "with all its lines"},
      {ours + "\rx\r\n" + from + end, from + end, "a line with CR before it is a continuation for some"},
      {"Authentication-Results\r" + ours + end, "Authentication-Results\r\n" + end, "a name, and the field"},
      {"Authentication-Results: x\r" + ours + end, end, "within another's ID"},
      {"Authentication-Results: x; y\r" + ours + end, "Authentication-Results: x; y\r\n" + end, "and behind that"},
  };
  for (const auto& c : cases)
    for (const std::size_t piece : {std::size_t(1), std::size_t(2), std::size_t(5), std::size_t(200'000)}) {
      INFO(c.why << ", in pieces of " << piece);
      CHECK(passed(c.message, Strip::own, piece) == c.left);
    }
  const std::string hidden = "Authentication-Results: x\rReceived-SPF: pass; y\r\n";
  CHECK(passed(hidden + end, Strip::all, 1) == end);
  CHECK(passed(hidden + end, Strip::own, 1) == hidden + end);
}

TEST_CASE("an ID that is no token is found where it is quoted") {
  CHECK(passed("Authentication-Results: \"our mx\"; spf=pass\r\n", Strip::own, 1, "Our MX") == "");
  CHECK(passed("Authentication-Results: \"2001:DB8::25\"; x\r\n", Strip::own, 1, "2001:db8::25") == "");
  const std::string other = "Authentication-Results: \"our mxs\"; spf=pass\r\n";
  CHECK(passed(other, Strip::own, 1, "our mx") == other);
}

TEST_CASE("whatever the pieces, what is left is what a model leaves of the whole, octet by octet") {
  static const std::string words[] = {
      "Authentication-Results", "authentication-results: ", "Received-SPF", "received-spf:", "mx.local", "MX.LOCAL",
      "\"mx.local\"", "other.example", "mx", ".", "local", " ", "\t", "\r\n", "\r\n ", "\r", nul, ":", ";", "(", ")",
      "\"", "\\", "1", "/", "x\xff", "Subject: y\r\n", "\r\n\r\n", "; spf=pass\r\n"};
  std::mt19937 random(20080428);
  const auto below = [&](std::size_t bound) { return random() % bound; };
  for (int round = 0; round < 20'000; ++round) {
    std::string message;
    for (std::size_t count = below(24); count > 0; --count) message += words[below(std::size(words))];
    const Strip strip = below(2) ? Strip::own : Strip::all;
    const std::string left = fuzz::without_fields(message, strip, "mx.local");
    CAPTURE(message, int(strip));
    const bool same = passed(message, strip, 1) == left && passed(message, strip, 1 + below(40)) == left &&
                      passed(message, strip, 100'000) == left;
    if (!same) CHECK(passed(message, strip, 1) == left);
    REQUIRE(same);
  }
}

TEST_CASE("in a message at DATA it is the message's own header that is filtered, dots and all") {
  const std::string header = "Authentication-Results: mx.local; spf=fail\r\n";
  const std::string ours = "Authentication-Results: mx.local; spf=pass\r\n";
  const struct { std::string content, passed; const char* why; } cases[] = {
      {ours + from + "\r\n" + ours + ".\r\n", header + from + "\r\n" + ours, "a message as they come"},
      {"." + ours + from + ".\r\n", header + from, "a field behind a dot that goes"},
      {".." + ours + ".\r\n", header + ".." + ours, "and behind one that stays"},
      {ours + ".\r\n", header, "nothing else"},
      {ours + ". x\r\n" + from + ".\r\n", header + from, "a continuation behind a dot"},
      {"." + ours + "..\r\n.\r\n", header + "..\r\n", "dots behind the field"},
      {" x\r\n" + ours + ".\r\n", header + "X-Received-SPF-Note: the message began with white space\r\n x\r\n", "a guard before the message"},
      {ours + "\r\n" + std::string(150'000, 'x') + "\r\n..\r\n.\r\n", header + "\r\n" + std::string(150'000, 'x') + "\r\n..\r\n", "a body of any size"},
      {"Authentication-Results:" + std::string(4000, ' ') + "x;\r\n.\r\n", header + "Authentication-Results:" + std::string(4000, ' ') + "x;\r\n", "what was held back, at once"},
      {"Subject: x\r" + ours + ".\r\n", header + "Subject: x\r\n", "a line's end at the message's"},
  };
  for (const auto& c : cases)
    for (const std::size_t piece : {std::string::npos, std::size_t(1), std::size_t(3)})
      for (const std::size_t room : {std::size_t(8192), std::size_t(200'000)}) {
        INFO(c.why);
        spf::ContentRelay relay(header, {Strip::own, "mx.local"});
        test::OwnBuffer out(room);
        std::string result;
        auto status = spf::ContentRelay::Status::more;
        std::size_t taken = 0;
        while (status == spf::ContentRelay::Status::more && taken < c.content.size()) {
          const auto step = relay.push(std::string_view(c.content).substr(taken, piece), out);
          taken += step.taken;
          status = step.status;
          result += out.data();
          out.clear();
        }
        CHECK(status == spf::ContentRelay::Status::end);
        CHECK((result == c.passed));
      }
}
