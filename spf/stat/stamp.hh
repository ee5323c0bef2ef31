// The time that a logger wrote before a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spf {

struct Stamp {
  std::optional<std::int64_t> time;  // seconds since 1970, if there is a stamp
  std::size_t size = 0;              // octets of the line before its text
};

// Reads
//   @ and 24 hexadecimal digits: TAI64N, ten seconds ahead of UTC as multilog's and
//     svlogd's are
//   2026-11-22_13:45:12.12345, 2026-11-22T13:45:12.12345: UTC, as svlogd -tt and -ttt
//   2026-11-22T13:45:12+01:00 host tag: as syslogd and journalctl -o short-iso; the
//     zone may be Z, or lack its colon
//   2026-11-22 13:45:12.12345: local time, as tai64nlocal and s6-log
// with the blanks behind it. A line that begins otherwise has no stamp.
class StampReader {
 public:
  Stamp read(std::string_view line);

 private:
  std::int64_t local_time(std::string_view minute, int year, int month, int day, int hour, int minutes);

  std::string known_minute_;  // local times are looked up once a minute
  std::int64_t known_time_ = 0;
};

}  // namespace spf
