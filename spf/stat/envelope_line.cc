#include "spf/stat/envelope_line.hh"

#include <bitset>
#include <cstdint>
#include <iterator>

#include "spf/base/ascii.hh"
#include "spf/base/number.hh"

namespace spf {
namespace {

constexpr std::string_view start = "qlogenvelope: ";

struct Words {
  std::string_view result, code, reason, detail, ms;
};

struct Key {
  std::string_view name;
  std::string_view Words::*word;
  std::string_view EnvelopeLine::*value;
};

// In the order in which they are written, those that nobody asks for among them, so
// that each is found at once.
constexpr Key keys[] = {
    {"result", &Words::result, nullptr},
    {"code", &Words::code, nullptr},
    {"reason", &Words::reason, nullptr},
    {"detail", &Words::detail, nullptr},
    {"helo", nullptr, &EnvelopeLine::helo},
    {"mailfrom", nullptr, &EnvelopeLine::mailfrom},
    {"rcptto", nullptr, &EnvelopeLine::rcptto},
    {"relay", nullptr, nullptr},
    {"remoteip", nullptr, &EnvelopeLine::remoteip},
    {"remotehost", nullptr, nullptr},
    {"pid", nullptr, &EnvelopeLine::pid},
    {"identity", nullptr, nullptr},
    {"domain", nullptr, &EnvelopeLine::domain},
    {"mechanism", nullptr, nullptr},
    {"lookups", nullptr, nullptr},
    {"voids", nullptr, nullptr},
    {"ms", &Words::ms, nullptr},
    {"tls", nullptr, &EnvelopeLine::tls},
    {"level", nullptr, nullptr},
    {"why", nullptr, &EnvelopeLine::why},
    {"policy", nullptr, &EnvelopeLine::policy},
    {"shadow", nullptr, nullptr},
    {"heloresult", nullptr, &EnvelopeLine::heloresult},
};
constexpr std::size_t key_count = std::size(keys);

void read_words(std::string_view rest, Words& words, EnvelopeLine& line) {
  std::bitset<key_count> seen;
  std::size_t next = 0;
  while (!rest.empty()) {
    const std::string_view word = take_word(rest);
    const std::size_t equals = word.find('=');
    if (equals == word.npos) continue;
    const std::string_view name = word.substr(0, equals), value = word.substr(equals + 1);
    for (std::size_t tried = 0; tried < key_count; ++tried) {
      const std::size_t i = (next + tried) % key_count;
      if (keys[i].name != name) continue;
      if (!seen[i] && keys[i].word) words.*keys[i].word = value;
      if (!seen[i] && keys[i].value) line.*keys[i].value = value;
      seen.set(i);
      next = i + 1;
      break;
    }
  }
}

std::optional<Result> result_named(std::string_view text) {
  for (const Result result : all_results)
    if (name(result) == text) return result;
  return {};
}

std::optional<Decision> decision_of(std::string_view result, std::string_view code) {
  if (result == "accepted" && code == "250") return Decision::accept;
  if (result == "rejected" && code == "451") return Decision::defer;
  if (result == "rejected" && code == "550") return Decision::reject;
  return {};
}

}  // namespace

Reading read_envelope_line(std::string_view line, bool cut, EnvelopeLine& into) {
  if (!line.starts_with(start)) return Reading::foreign;
  if (cut) line = line.substr(0, line.rfind(' '));
  Words words;
  EnvelopeLine found{};
  read_words(line.substr(std::min(start.size(), line.size())), words, found);
  if (!words.reason.empty() && words.reason != "spf") return Reading::foreign;
  const auto decision = decision_of(words.result, words.code);
  const auto result = result_named(words.detail);
  if (!decision || !result) return Reading::not_understood;
  found.decision = *decision;
  found.result = *result;
  found.milliseconds = parse_number(words.ms, 0, UINT32_MAX);
  into = found;
  return Reading::read;
}

}  // namespace spf
