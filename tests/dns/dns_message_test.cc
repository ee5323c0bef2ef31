#include "spf/dns/dns_message.hh"

#include <string>

#include "tests/catch.hh"

using namespace spf;
using namespace std::string_literals;
using Status = Answer::Status;

namespace {

const std::string name = to_wire("example.org");  // at 12 in each message, org at 20

std::string number16(unsigned value) { return {char(value >> 8), char(value & 0xff)}; }

struct Rr {
  std::string owner;
  unsigned type;
  std::string data;
};

// A response to example.org with these records; `count` of them are said to be
// answers and `authorities` follow.
std::string response(RrType type, const std::vector<Rr>& records, unsigned count, unsigned authorities = 0,
                     unsigned code = 0) {
  std::string message = number16(7) + char(0x81) + char(0x80 | code) + number16(1) + number16(count) +
                        number16(authorities) + number16(0) + name + number16(unsigned(type)) + number16(1);
  for (const Rr& rr : records)
    message += rr.owner + number16(rr.type) + number16(1) + "\0\0\0\0"s + number16(unsigned(rr.data.size())) + rr.data;
  return message;
}

const std::string same = "\xc0\x0c";  // a pointer to the name asked

Reading read(RrType type, const std::vector<Rr>& records) {
  return read_response(response(type, records, unsigned(records.size())), type);
}

}  // namespace

TEST_CASE("a query over TCP is a question without an OPT record") {
  CHECK(to_wire("a.bc.") == "\1a\2bc\0"s);
  CHECK(make_query(0x1234, to_wire("a.bc"), RrType::txt) ==
        "\x12\x34\x01\0\0\1\0\0\0\0\0\0\1a\2bc\0\0\x10\0\1"s);
}

TEST_CASE("a response is for a question when id, name, type and class are the same") {
  const std::string good = response(RrType::a, {}, 0);
  CHECK(answers(good, 7, to_wire("EXAMPLE.org"), RrType::a));
  CHECK_FALSE(answers(good, 8, name, RrType::a));
  CHECK_FALSE(answers(good, 7, to_wire("example.com"), RrType::a));
  CHECK_FALSE(answers(good, 7, name, RrType::aaaa));
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(answers(good.substr(0, size), 7, name, RrType::a));
}

TEST_CASE("records of the question's name and type are read, others passed over") {
  const Answer answer = read(RrType::a, {{same, 1, "\xc0\0\2\1"s}, {same, 16, "\1x"s},
                                         {to_wire("other.example"), 1, "\xc0\0\2\2"s}}).answer;
  CHECK(answer.status == Status::ok);
  REQUIRE(answer.addresses.size() == 1);
  CHECK(answer.addresses[0].text() == "192.0.2.1");
  CHECK(read(RrType::a, {{same, 28, std::string(16, 'x')}}).answer.status == Status::no_data);
  CHECK(read(RrType::a, {}).answer.status == Status::no_data);
}

TEST_CASE("codes other than NOERROR and NXDOMAIN are trouble") {
  for (unsigned code = 1; code < 16; ++code)
    CHECK(read_response(response(RrType::a, {}, 0, 0, code), RrType::a).answer.status ==
          (code == 3 ? Status::no_name : Status::trouble));
}

TEST_CASE("a malformed value is trouble") {
  const struct { RrType type; std::string data; } cases[] = {
      {RrType::a, ""}, {RrType::a, "abc"}, {RrType::a, "abcde"},
      {RrType::aaaa, std::string(15, 'x')}, {RrType::aaaa, std::string(17, 'x')},
      {RrType::txt, "\5abc"}, {RrType::txt, "\2ab\1"},
      {RrType::mx, ""}, {RrType::mx, "\0"s}, {RrType::mx, "\0\1"s}, {RrType::mx, "\0\1\7short"s},
      {RrType::ptr, ""}, {RrType::ptr, "\xc0"}, {RrType::ptr, "\3ab"}, {RrType::ptr, "\x40" "a"},
      {RrType::ptr, "\xff\xff"}, {RrType::ptr, "\xc0\x05"s},  // into the header
  };
  for (const auto& c : cases) {
    CHECK(read(c.type, {{same, unsigned(c.type), c.data}}).answer.status == Status::trouble);
  }
}

TEST_CASE("compression that loops, or points forward, is trouble") {
  const std::size_t at = response(RrType::ptr, {{same, 12, ""}}, 1).size();  // where RDATA begins
  const auto pointer = [](std::size_t to) { return number16(unsigned(0xc000 | to)); };
  CHECK(read(RrType::ptr, {{same, 12, pointer(at)}}).answer.status == Status::trouble);
  CHECK(read(RrType::ptr, {{same, 12, pointer(at + 2) + to_wire("x")}}).answer.status == Status::trouble);
  CHECK(read(RrType::ptr, {{same, 12, "\1a"s + pointer(at)}}).answer.status == Status::trouble);
  CHECK(read(RrType::ptr, {{pointer(at), 12, pointer(12)}}).answer.status == Status::trouble);
  CHECK(read(RrType::ptr, {{same, 12, pointer(12)}}).answer.texts.at(0) == "example.org");
  CHECK(read(RrType::ptr, {{same, 12, "\4mail"s + pointer(12)}}).answer.texts.at(0) == "mail.example.org");
}

TEST_CASE("a name over 255 octets is trouble, one of 255 is not") {
  std::string wire;
  for (int i = 0; i < 3; ++i) wire += char(63) + std::string(63, 'x');
  CHECK(read(RrType::ptr, {{same, 12, wire + char(61) + std::string(61, 'x') + '\0'}}).answer.texts.at(0).size() == 253);
  CHECK(read(RrType::ptr, {{same, 12, wire + char(62) + std::string(62, 'x') + '\0'}}).answer.status == Status::trouble);
  CHECK(read(RrType::ptr, {{same, 12, wire + char(50) + std::string(50, 'x') + same}}).answer.status == Status::trouble);
}

TEST_CASE("a name that text cannot hold is given as none") {
  CHECK(read(RrType::ptr, {{same, 12, "\3a.b\3org\0"s}}).answer.texts.at(0) == "");
  CHECK(read(RrType::ptr, {{same, 12, "\3a\0b\3org\0"s}}).answer.texts.at(0) == "");
  CHECK(read(RrType::ptr, {{same, 12, "\0"s}}).answer.texts.at(0) == "");
}

TEST_CASE("counts that promise more than the message holds are trouble") {
  const std::string one = response(RrType::a, {{same, 1, "abcd"}}, 2);
  CHECK(read_response(one, RrType::a).answer.status == Status::trouble);
  CHECK(read_response(response(RrType::a, {{same, 1, "abcd"}}, 65535, 65535), RrType::a).answer.status == Status::trouble);
  // What is wrong after the answers is not needed.
  CHECK(read_response(response(RrType::a, {{same, 1, "abcd"}}, 1, 9), RrType::a).answer.status == Status::ok);
  const std::string whole = response(RrType::mx, {{same, 15, "\0\1\4mail"s + same}}, 1);
  for (std::size_t size = 12; size < whole.size(); ++size)
    CHECK(read_response(whole.substr(0, size), RrType::mx).answer.status == Status::trouble);
}

TEST_CASE("CNAMEs are followed in any order, a loop is trouble") {
  const std::string other = to_wire("other.example"), third = to_wire("third.example");
  CHECK(read(RrType::a, {{third, 1, "abcd"}, {other, 5, third}, {same, 5, other}}).answer.addresses.size() == 1);
  CHECK(read(RrType::a, {{same, 5, other}}).alias == other);
  CHECK(read(RrType::a, {{same, 5, other}, {other, 5, third}, {other, 1, "abcd"}}).alias == third);
  CHECK(read(RrType::a, {{same, 5, same}}).answer.status == Status::trouble);
  CHECK(read(RrType::a, {{same, 5, other}, {other, 5, name}}).answer.status == Status::trouble);
  CHECK(read(RrType::a, {{same, 5, other}, {other, 5, name}}).alias == "");
  CHECK(read(RrType::a, {{same, 5, "\3ab"}}).answer.status == Status::trouble);
  // With the SOA of the target's zone there is nothing left to ask.
  const Reading full = read_response(response(RrType::a, {{same, 5, other}, {other, 6, "soa"}}, 1, 1), RrType::a);
  CHECK(full.alias == "");
  CHECK(full.answer.status == Status::no_data);
}
