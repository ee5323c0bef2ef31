#include "spf/stat/prometheus.hh"

#include <string_view>

namespace spf {
namespace {

struct Bound {
  unsigned milliseconds;
  std::string_view seconds;
};
// To the longest SPFTIMEOUT; 20 s is the default.
constexpr Bound bounds[] = {{5, "0.005"}, {10, "0.01"}, {25, "0.025"}, {50, "0.05"}, {100, "0.1"},
                            {250, "0.25"}, {500, "0.5"}, {1000, "1"}, {2500, "2.5"}, {5000, "5"},
                            {10000, "10"}, {20000, "20"}, {60000, "60"}};

constexpr std::string_view codes[] = {R"(result="accepted",code="250")", R"(result="rejected",code="451")",
                                      R"(result="rejected",code="550")"};  // by Decision

std::string head(std::string_view name, std::string_view help, std::string_view type) {
  return std::string("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name)
      .append(" ").append(type).append("\n");
}

std::string sample(std::string_view name, std::string_view labels, std::string_view value) {
  std::string line(name);
  if (!labels.empty()) line.append("{").append(labels).append("}");
  return line.append(" ").append(value).append("\n");
}

std::string seconds(std::uint64_t milliseconds) {
  const std::string fraction = std::to_string(1000 + milliseconds % 1000);
  return std::to_string(milliseconds / 1000) + '.' + fraction.substr(1);
}

}  // namespace

std::string prometheus_text(const Statistics& statistics) {
  std::string text = head("spfwrap_messages_total", "Messages by result= and code= in the log.", "counter");
  ByResult all{};
  for (std::size_t decision = 0; decision < std::size(codes); ++decision) {
    std::uint64_t sum = 0;
    for (std::size_t result = 0; result < result_count; ++result) {
      const std::uint64_t count = statistics.decided[decision][result];
      sum += count;
      all[result] += count;
    }
    text += sample("spfwrap_messages_total", codes[decision], std::to_string(sum));
  }

  text += head("spfwrap_checks_total", "Messages by detail= in the log, the result of SPF.", "counter");
  for (const Result result : all_results)
    text += sample("spfwrap_checks_total", "detail=\"" + std::string(name(result)) + '"',
                   std::to_string(all[std::size_t(result)]));

  const Durations& durations = statistics.durations;
  text += head("spfwrap_check_seconds", "Time that the SPF check of a message took.", "histogram");
  for (const auto& [milliseconds, le] : bounds)
    text += sample("spfwrap_check_seconds_bucket", "le=\"" + std::string(le) + '"',
                   std::to_string(durations.at_most(milliseconds)));
  text += sample("spfwrap_check_seconds_bucket", "le=\"+Inf\"", std::to_string(durations.count()));
  text += sample("spfwrap_check_seconds_sum", "", seconds(durations.sum()));
  text += sample("spfwrap_check_seconds_count", "", std::to_string(durations.count()));
  return text;
}

}  // namespace spf
