#include "spf/tls/status.hh"

#include "tests/catch.hh"
#include "tests/support/own_buffer.hh"

using spf::parse_tls_status;
using spf::TlsStatus;
using Kind = TlsStatus::Kind;

namespace {

const std::string long_name(300, 'n');
const std::string long_reason(2000, 'r');

struct Filled : test::OwnBuffer {
  explicit Filled(std::string_view octets) : OwnBuffer(65536) { append(octets); }
};

}  // namespace

TEST_CASE("a status is one line, and read as it was meant") {
  const struct { TlsStatus status; const char* line; } cases[] = {
      {{Kind::ready}, "ready\n"},
      {{Kind::unusable, "control/servercert.pem: No such file or directory"},
       "unusable control/servercert.pem: No such file or directory\n"},
      {{Kind::unusable}, "unusable\n"},
      {{Kind::failed, "no shared cipher"}, "failed no shared cipher\n"},
      {{Kind::failed, "established TLSv1.3 X"}, "failed established TLSv1.3 X\n"},
      {{Kind::failed, " blanks  "}, "failed  blanks  \n"},
      {{Kind::established, "", "TLSv1.3", "TLS_AES_256_GCM_SHA384"},
       "established TLSv1.3 TLS_AES_256_GCM_SHA384\n"},
      {{Kind::established, "", "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256", "mx.example"},
       "established TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 mx.example\n"},
  };
  for (const auto& c : cases) {
    INFO(c.line);
    const std::string line = spf::tls_status_line(c.status);
    CHECK(line == c.line);
    CHECK(parse_tls_status(line.substr(0, line.size() - 1)) == c.status);
  }
}

// The server name is the client's, and a reason may quote what it sent.
TEST_CASE("what a client chose neither ends the line nor makes a word more of it") {
  const struct { const char* name; const char* written; } names[] = {
      {"a b", "a_b"},
      {"a\nready", "a_ready"},
      {"a\r\n", "a__"},
      {"\t\x1b[2J\x7f", "__[2J_"},
      {"caf\xc3\xa9", "caf__"},
      {" ", "_"},
      {"A=B;$(x)", "A=B;$(x)"},
  };
  for (const auto& n : names) {
    INFO(n.written);
    const std::string line = spf::tls_status_line({Kind::established, "", "P", "C", n.name});
    CHECK(line == "established P C " + std::string(n.written) + "\n");
    CHECK(parse_tls_status(line.substr(0, line.size() - 1))->server_name == n.written);
  }
  using std::string_literals::operator""s;
  CHECK(spf::tls_status_line({Kind::established, "", "P", "C", "a\0b"s}) == "established P C a_b\n");
  CHECK(spf::tls_status_line({Kind::failed, "a\nestablished P C\r\x1b\xff"}) ==
        "failed a_established P C___\n");
}

TEST_CASE("a status keeps to its bound, whatever is put into it") {
  const struct { TlsStatus status; std::string line; } cases[] = {
      {{Kind::unusable, long_reason}, "unusable " + long_reason.substr(0, 800) + "\n"},
      {{Kind::failed, long_reason}, "failed " + long_reason.substr(0, 800) + "\n"},
      {{Kind::established, "", long_name, long_name, long_name},
       "established " + long_name.substr(0, 60) + " " + long_name.substr(0, 60) + " " +
           long_name.substr(0, 255) + "\n"},
  };
  for (const auto& c : cases) {
    CHECK(spf::tls_status_line(c.status) == c.line);
    CHECK(c.line.size() <= spf::max_tls_status);
    Filled buffer(c.line);
    CHECK(spf::take_tls_status(buffer, Kind::established, c.status.kind)->kind == c.status.kind);
  }
}

TEST_CASE("what is no status is none") {
  for (const std::string line :
       {"", " ", " ready", "Ready", "readyy", "ready\t", "ready\r", "go", "established",
        "established ", "established TLSv1.3", "established TLSv1.3 ", "established  TLSv1.3",
        "established TLSv1.3  C", "established P C a b", "established P C  a", "220 ready for tls",
        "\x16\x03\x01", "established P C mx\r", "established P C\x7f", "failed \x1b[2J",
        "unusable caf\xc3\xa9"}) {
    INFO(line);
    CHECK_FALSE(parse_tls_status(line));
  }
}

TEST_CASE("a status is taken when all of it is there, and nothing behind it") {
  const std::string line = "established TLSv1.3 C mx.example\n";
  const std::string plaintext = "EHLO client.example\r\nfailed\n";
  for (std::size_t piece = 1; piece <= line.size(); ++piece) {
    INFO(piece);
    test::OwnBuffer buffer(65536);
    std::optional<TlsStatus> status;
    for (std::size_t at = 0; at < line.size(); at += piece) {
      REQUIRE_FALSE(status);
      buffer.append(line.substr(at, piece));
      status = spf::take_tls_status(buffer, Kind::established, Kind::failed);
    }
    CHECK(status == TlsStatus{Kind::established, "", "TLSv1.3", "C", "mx.example"});
    CHECK(buffer.empty());
  }
  Filled buffer(line + plaintext);
  CHECK(spf::take_tls_status(buffer, Kind::established, Kind::failed)->server_name == "mx.example");
  CHECK(buffer.data() == plaintext);
}

TEST_CASE("what belongs before the handover is nonsense after it, and the other way round") {
  for (const std::string line : {"ready\n", "unusable because\n"}) {
    Filled buffer(line);
    CHECK(spf::take_tls_status(buffer, Kind::established, Kind::failed)->kind == Kind::failed);
  }
  for (const std::string line : {"established P C\n", "failed because\n"}) {
    Filled buffer(line);
    CHECK(spf::take_tls_status(buffer, Kind::ready, Kind::unusable) ==
          TlsStatus{Kind::unusable, "spftls does not make sense"});
  }
}

TEST_CASE("nonsense and a line without end are what the caller says they are") {
  const std::string full(spf::max_tls_status, 'x');
  const struct { std::string octets; bool taken; } cases[] = {
      {"nonsense\n", true},
      {"\n", true},
      {"READY\n", true},
      {"ready\r\n", true},
      {"established P\n", true},
      {"unusable\n", true},  // and does not say why
      {"failed\n", true},
      {"go\n", true},
      {"ready", false},
      {"", false},
      {full.substr(1), false},
      {full.substr(1) + "\n", true},
      {full, true},
      {"ready " + full + "\n", true},
      {"ready " + full.substr(6) + "\n", true},  // its LF is beyond the bound
  };
  const struct { Kind good, bad; } phases[] = {{Kind::ready, Kind::unusable},
                                               {Kind::established, Kind::failed}};
  for (const auto& phase : phases)
    for (const auto& c : cases) {
      INFO(c.octets);
      Filled buffer(c.octets);
      const auto status = spf::take_tls_status(buffer, phase.good, phase.bad);
      REQUIRE(status.has_value() == c.taken);
      if (!c.taken) {
        CHECK(buffer.data() == c.octets);
        continue;
      }
      CHECK(*status == TlsStatus{phase.bad, "spftls does not make sense"});
    }
  // The longest line that there can be.
  Filled longest("ready " + full.substr(7) + "\n");
  CHECK(spf::take_tls_status(longest, Kind::ready, Kind::unusable) ==
        TlsStatus{Kind::ready, full.substr(7)});
}
