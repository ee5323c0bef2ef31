#include "spf/stat/stamp.hh"

#include <cstdlib>
#include <ctime>

#include "tests/catch.hh"

namespace {

struct Zone {
  explicit Zone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
  ~Zone() {
    unsetenv("TZ");
    tzset();
  }
};

}  // namespace

TEST_CASE("each logger's time is read") {
  const Zone zone("CET-1CEST,M3.5.0,M10.5.0/3");
  const struct { const char* line; long time; const char* rest; } cases[] = {  // time -1: none
      // As multilog t wrote it when the time was 1795751854.
      {"@400000006b08ffb835d94934 q", 1795751854, "q"},
      {"@400000006b08ffb739fbe904 q", 1795751853, "q"},  // svlogd -t
      {"@400000000000000a00000000 q", 0, "q"},
      {"@400000000000000900000000 q", -1, "q"},          // before 1970
      {"@8000000000000000000000 0 q", -1, "@8000000000000000000000 0 q"},
      {"@800000000000000000000000 q", -1, "q"},          // a TAI64 that is reserved
      {"@7fffffffffffffff00000000 q", 4611686018427387893, "q"},
      {"@400000006b08ffb835d94934", -1, "@400000006b08ffb835d94934"},
      {"@400000006b08ffb835d94934q", -1, "@400000006b08ffb835d94934q"},
      {"@400000006b08ffb835d9493 q", -1, "@400000006b08ffb835d9493 q"},
      {"@400000006B08FFB835D94934 q", -1, "@400000006B08FFB835D94934 q"},
      {"@", -1, "@"},
      // svlogd -tt and -ttt: UTC
      {"2026-11-27_03:57:34.27558 q", 1795751854, "q"},
      {"2026-11-27T03:57:34.56748 q", 1795751854, "q"},
      {"2026-11-27_03:57:34 q", 1795751854, "q"},
      {"2024-02-29T00:00:00.1 q", 1709164800, "q"},
      {"1970-01-01T00:00:00.0 q", 0, "q"},
      {"1969-12-31T23:59:59.0 q", -1, "1969-12-31T23:59:59.0 q"},
      {"1970-01-01T00:00:00+01:00 q", -1, "q"},
      {"9999-12-31T23:59:60.0 q", 253402300800, "q"},
      {"2026-13-01T00:00:00.0 q", -1, "2026-13-01T00:00:00.0 q"},
      {"2026-11-27T24:00:00.0 q", -1, "2026-11-27T24:00:00.0 q"},
      {"2026-11-27T03:57:34", -1, "2026-11-27T03:57:34"},
      {"2026-11-27T03:57:34.", -1, "2026-11-27T03:57:34."},
      {"2026-11-27x03:57:34 q", -1, "2026-11-27x03:57:34 q"},
      // with a zone, and host and tag behind it
      {"2026-11-27T04:57:34+01:00 mx tcpserver[12]: q", 1795751854, "q"},
      {"2026-11-27T04:57:34+0100 mx tcpserver[12]: q", 1795751854, "q"},
      {"2026-11-26T22:27:34.123456-05:30 mx smtp: q", 1795751854, "q"},
      {"2026-11-27T03:57:34Z mx smtp: q r", 1795751854, "q r"},
      {"2026-11-27T03:57:34Z q", 1795751854, "q"},
      {"2026-11-27T03:57:34Z rblsmtpd: 192.0.2.1 pid 1: q", 1795751854, "rblsmtpd: 192.0.2.1 pid 1: q"},
      {"2026-11-27T03:57:34.1 mx smtp: q", 1795751854, "mx smtp: q"},  // svlogd's lines have no host
      {"2026-11-27T03:57:34+1 q", -1, "2026-11-27T03:57:34+1 q"},
      // tai64nlocal and s6-log: local time, in winter and in summer
      {"2026-11-27 04:57:34.903432500 q", 1795751854, "q"},
      {"2026-11-27 04:57:34.903432500  q", 1795751854, "q"},
      {"2026-07-01 02:00:00.5 q", 1782864000, "q"},
      {"1970-01-01 00:59:59.0 q", -1, "q"},
      {"1970-01-01 01:00:01.0 q", 1, "q"},
      {"qlogenvelope: result=accepted", -1, "qlogenvelope: result=accepted"},
      {"", -1, ""},
  };
  spf::StampReader reader;
  for (const auto& c : cases) {
    INFO(c.line);
    const spf::Stamp stamp = reader.read(c.line);
    CHECK(stamp.time.value_or(-1) == c.time);
    CHECK(std::string_view(c.line).substr(stamp.size) == c.rest);
  }
}

TEST_CASE("a stamp that ends anywhere is none") {
  spf::StampReader reader;
  for (const std::string_view whole : {"@400000006b08ffb835d94934 ", "2026-11-27T03:57:34.56748+01:00 mx smtp: ",
                                       "2026-11-27 03:57:34.9 "})
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const std::string_view line = whole.substr(0, size);
      CHECK(reader.read(line).size <= size);
    }
}
