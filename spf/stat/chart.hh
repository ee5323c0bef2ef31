// A chart of the hours, a column for one or more of them.
#pragma once

#include <cstdint>
#include <string>

#include "spf/stat/hours.hh"

namespace spf {

// Text of at most 78 columns for what is in `hours`; "" if that is nothing. It has
// the hours of the local time zone. Where nothing was logged for 30 days it begins
// after that, and says what it leaves out. With `blocks` it is made of U+2581 to
// U+2588, in UTF-8, else of ASCII.
std::string hour_chart(const Hours& hours, bool blocks);

// "2026-11-22 13:45", in local time.
std::string minute_text(std::int64_t time);

// "CET"
std::string zone_text(std::int64_t time);

}  // namespace spf
