// The line in which spftls tells of a certificate.
#include "spf/tls/certificate.hh"

#include "tests/catch.hh"
#include "spf/tls/status.hh"

using namespace std::chrono;
using spf::Certificate;
using spf::parse_certificate_line;

namespace {

Certificate::Time at(int y, unsigned m, unsigned d, int seconds_of_day = 0) {
  return sys_days(year(y) / month(m) / day(d)) + seconds(seconds_of_day);
}

Certificate naming(std::vector<std::string> names) {
  return {at(2026, 11, 24), at(2027, 1, 31, 36000), std::move(names)};
}

std::string without_lf(std::string line) {
  REQUIRE(line.ends_with('\n'));
  line.pop_back();
  return line;
}

}  // namespace

TEST_CASE("a certificate is one line, and read as it was meant") {
  const std::string times = "from 2026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for";
  const struct { Certificate certificate; std::string line; const char* why; } cases[] = {
      {naming({"mx.example.org"}), times + " mx.example.org\n", "a name"},
      {naming({"a.example", "*.b.example"}), times + " a.example *.b.example\n", "more, one for many"},
      {naming({}), times + "\n", "none"},
      {naming({"until", "for"}), times + " until for\n", "words of ours"},
      {{at(1950, 1, 1, 86399), at(9999, 12, 31, 86399), {"x"}},  // RFC 5280 section 4.1.2.5
       "from 1950-01-01T23:59:59Z until 9999-12-31T23:59:59Z for x\n", "the first and the last time"},
      {{at(2024, 2, 29), at(2024, 3, 1), {"x"}}, "from 2024-02-29T00:00:00Z until 2024-03-01T00:00:00Z for x\n",
       "a leap day"},
      {{Certificate::Time(), at(0, 1, 1), {"x"}}, "from 1970-01-01T00:00:00Z until 0000-01-01T00:00:00Z for x\n",
       "a year of no digit but 0"},
  };
  for (const auto& c : cases) {
    INFO(c.why);
    CHECK(spf::certificate_line(c.certificate) == c.line);
    CHECK(parse_certificate_line(without_lf(c.line)) == c.certificate);
  }
}

TEST_CASE("what stands in a name neither ends the line nor makes a name more of it") {
  const struct { std::string name; const char* written; } names[] = {
      {"a b", "a_b"}, {"a\nready", "a_ready"}, {std::string("a\0b", 3), "a_b"},
      {"\t\x1b[2J\x7f", "__[2J_"}, {"caf\xc3\xa9", "caf__"}, {" ", "_"},
  };
  for (const auto& n : names) {
    INFO(n.written);
    const auto read = parse_certificate_line(without_lf(spf::certificate_line(naming({n.name, "z"}))));
    REQUIRE(read);
    CHECK(read->names == std::vector<std::string>{n.written, "z"});
  }
}

TEST_CASE("the line is bounded, and tells that names were left out") {
  for (const std::size_t size : {1, 7, 63, 253, 254, 255, 256, 100000})
    for (const std::size_t count : {1, 3, 4, 100, 1000}) {
      INFO(count << " names of " << size);
      const std::string line = spf::certificate_line(naming(std::vector(count, std::string(size, 'n'))));
      CHECK(line.size() <= spf::max_tls_status);
      const auto read = parse_certificate_line(without_lf(line));
      REQUIRE(read);
      const bool whole = read->names.back() != "...";
      CHECK(whole == (read->names.size() == count && read->names[0] == read->names.back()));
      CHECK(read->names[0] == std::string(std::min(size, std::size_t(255)), 'n'));
      if (!whole) CHECK(line.size() + std::min(size, std::size_t(255)) >= spf::max_tls_status - 5);
    }
}

TEST_CASE("no other line is read as a certificate") {
  const std::string good = "from 2026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for x";
  REQUIRE(parse_certificate_line(good));
  for (std::size_t size = 0; size < good.size() - 2; ++size) {
    INFO(good.substr(0, size));
    CHECK_FALSE(parse_certificate_line(good.substr(0, size)));
  }
  for (const char* line : {
           "spftls: fatal: /x: No such file or directory",             // what it says otherwise
           "From 2026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for x",
           " from 2026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for x",
           "from  2026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for x",
           "from 2026-11-24 until 2027-01-31 for x",                   // no time of day
           "from 2026-11-31T00:00:00Z until 2027-01-31T10:00:00Z for x",  // no such day
           "from 2026-00-24T00:00:00Z until 2027-01-31T10:00:00Z for x",
           "from 2026-13-24T00:00:00Z until 2027-01-31T10:00:00Z for x",
           "from 2023-02-29T00:00:00Z until 2027-01-31T10:00:00Z for x",
           "from 2026-11-24T24:00:00Z until 2027-01-31T10:00:00Z for x",
           "from 2026-11-24T00:60:00Z until 2027-01-31T10:00:00Z for x",
           "from 2026-11-24T00:00:60Z until 2027-01-31T10:00:00Z for x",
           "from 2026-11-24T00:00:00+ until 2027-01-31T10:00:00Z for x",
           "from -026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for x",
           "from 12026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for x",
           "from 2026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for x\n",
           "from 2026-11-24T00:00:00Z until 2027-01-31T10:00:00Z for \x1b[2J",
       }) {
    INFO(line);
    CHECK_FALSE(parse_certificate_line(line));
  }
  CHECK_FALSE(parse_certificate_line(good + std::string(spf::max_tls_status, 'x')));
}
