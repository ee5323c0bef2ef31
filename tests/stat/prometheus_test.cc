// -p, read by the grammar of Prometheus' text form, version 0.0.4.
#include "spf/stat/prometheus.hh"

#include <cmath>
#include <cstdlib>
#include <map>
#include <sstream>
#include <vector>

#include "tests/catch.hh"
#include "tests/stat/made_log.hh"

namespace {

struct Sample {
  std::string name, value;
  std::map<std::string, std::string> labels;
};

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:") == text.npos &&
         !(text[0] >= '0' && text[0] <= '9');
}

// name [ "{" label "=" '"' value '"' { "," ... } "}" ] " " value
Sample read_sample(const std::string& line) {
  Sample sample;
  std::size_t at = line.find_first_of("{ ");
  REQUIRE(at != line.npos);
  sample.name = line.substr(0, at);
  REQUIRE(is_name(sample.name));
  while (line[at] == '{' || line[at] == ',') {
    const std::size_t equals = line.find("=\"", at);
    REQUIRE(equals != line.npos);
    const std::string label = line.substr(at + 1, equals - at - 1);
    REQUIRE(is_name(label));
    const std::size_t end = line.find('"', equals + 2);
    REQUIRE(end != line.npos);
    const std::string value = line.substr(equals + 2, end - equals - 2);
    REQUIRE(value.find('\\') == value.npos);
    REQUIRE(sample.labels.emplace(label, value).second);
    at = end + 1;
    if (line[at] == '}') ++at;
  }
  REQUIRE(line[at] == ' ');
  sample.value = line.substr(at + 1);
  char* end;
  std::strtod(sample.value.c_str(), &end);
  REQUIRE(*end == '\0');
  return sample;
}

// Each family has its HELP, its TYPE and its samples, in this order, once.
std::map<std::string, std::vector<Sample>> read_families(const std::string& text, std::map<std::string, std::string>& types) {
  REQUIRE(text.ends_with("\n"));
  std::map<std::string, std::vector<Sample>> families;
  std::istringstream in(text);
  std::string family;
  for (std::string line; std::getline(in, line);) {
    INFO(line);
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      REQUIRE(families.emplace(family, std::vector<Sample>()).second);
      continue;
    }
    if (line.starts_with("# TYPE ")) {
      REQUIRE(line.starts_with("# TYPE " + family + ' '));
      types[family] = line.substr(line.rfind(' ') + 1);
      continue;
    }
    const Sample sample = read_sample(line);
    REQUIRE(types.count(family) == 1);
    if (types[family] == "histogram")
      REQUIRE((sample.name == family + "_bucket" || sample.name == family + "_sum" || sample.name == family + "_count"));
    else
      REQUIRE(sample.name == family);
    families[family].push_back(sample);
  }
  return families;
}

}  // namespace

TEST_CASE("the text form is well formed, and its figures are those of the log") {
  test::MadeLog log(test::LogPlan{});
  spf::Statistics statistics(2'000'000'000);
  std::map<std::string, double> codes, details;
  long milliseconds = 0;
  const unsigned messages = 3000;
  for (unsigned i = 0; i < messages; ++i) {
    std::istringstream in(log.next());
    for (std::string line; std::getline(in, line);) statistics.add(line, false);
    ++codes[log.message.code];
    ++details[log.message.detail];
    milliseconds += long(log.message.milliseconds);
  }
  std::map<std::string, std::string> types;
  auto families = read_families(spf::prometheus_text(statistics), types);
  CHECK(types == std::map<std::string, std::string>{{"spfwrap_messages_total", "counter"},
                                                    {"spfwrap_checks_total", "counter"},
                                                    {"spfwrap_check_seconds", "histogram"}});
  CHECK(families["spfwrap_messages_total"].size() == 3);
  for (const Sample& sample : families["spfwrap_messages_total"]) {
    CHECK(sample.labels.size() == 2);
    CHECK(std::stod(sample.value) == codes[sample.labels.at("code")]);
    CHECK(sample.labels.at("result") == (sample.labels.at("code") == "250" ? "accepted" : "rejected"));
  }
  CHECK(families["spfwrap_checks_total"].size() == 7);
  for (const Sample& sample : families["spfwrap_checks_total"])
    CHECK(std::stod(sample.value) == details[sample.labels.at("detail")]);

  double bound = 0, below = 0;
  const auto& histogram = families["spfwrap_check_seconds"];
  for (const Sample& sample : histogram) {
    if (sample.name == "spfwrap_check_seconds_sum") CHECK(std::lround(std::stod(sample.value) * 1000) == milliseconds);
    if (sample.name == "spfwrap_check_seconds_count") CHECK(std::stod(sample.value) == messages);
    if (sample.name != "spfwrap_check_seconds_bucket") continue;
    const double le = std::stod(sample.labels.at("le"));  // +Inf too
    CHECK(le > bound);
    CHECK(std::stod(sample.value) >= below);
    bound = le;
    below = std::stod(sample.value);
  }
  CHECK(below == messages);
  REQUIRE(histogram.size() > 3);
  CHECK(histogram[histogram.size() - 3].labels.at("le") == "+Inf");
}

TEST_CASE("a log without anything has figures too") {
  std::map<std::string, std::string> types;
  const std::string text = spf::prometheus_text(spf::Statistics(0));
  for (const auto& [family, samples] : read_families(text, types))
    for (const Sample& sample : samples) CHECK(std::stod(sample.value) == 0);
}

TEST_CASE("a check as long as a bound is within it") {
  spf::Statistics statistics(0);
  for (const char* ms : {"5", "6", "20000", "20001", "60001"})
    statistics.add("qlogenvelope: result=accepted code=250 reason=spf detail=pass ms=" + std::string(ms), false);
  const std::string text = spf::prometheus_text(statistics);
  for (const char* line : {"_bucket{le=\"0.005\"} 1\n", "_bucket{le=\"0.01\"} 2\n", "_bucket{le=\"10\"} 2\n",
                           "_bucket{le=\"20\"} 3\n", "_bucket{le=\"60\"} 4\n", "_bucket{le=\"+Inf\"} 5\n",
                           "_sum 100.013\n", "_count 5\n"})
    CHECK(text.find("spfwrap_check_seconds" + std::string(line)) != text.npos);
}
