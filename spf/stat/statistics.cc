#include "spf/stat/statistics.hh"

#include <algorithm>
#include <numeric>

#include "spf/base/ascii.hh"

namespace spf {
namespace {

constexpr std::string_view not_logged = "(not logged)";

}  // namespace

unsigned lowest_level(Result result) {
  for (unsigned level = 1; level <= max_level; ++level)
    if (decide(level, result) != Decision::accept) return level;
  return 0;
}

void Parties::add(const EnvelopeLine& line) {
  // DNS does not tell cases apart.
  char domain[max_item];
  const std::size_t size = std::min(line.domain.size(), sizeof domain);
  std::transform(line.domain.begin(), line.domain.begin() + std::ptrdiff_t(size), domain, lower);
  domains.add(size > 0 ? std::string_view(domain, size) : not_logged);
  clients.add(line.remoteip.empty() ? not_logged : line.remoteip);
}

void Statistics::add(std::string_view text, bool cut) {
  ++lines;
  const Stamp stamp = stamps_.read(text);
  EnvelopeLine line;
  switch (read_envelope_line(text.substr(stamp.size), cut, line)) {
    case Reading::foreign: return;
    case Reading::not_understood: ++not_understood; return;
    case Reading::read: break;
  }
  ++understood;
  if (line.decision == Decision::reject) ++recipients_refused;
  if (transactions_.begins(line)) add_message(line, stamp);
}

void Statistics::add_message(const EnvelopeLine& line, const Stamp& stamp) {
  ++decided[std::size_t(line.decision)][std::size_t(line.result)];
  if (line.decision == Decision::reject) refused.add(line);
  add_to_levels(line);
  if (line.result == Result::permerror || line.result == Result::temperror) {
    const std::string_view why = line.why.empty() ? not_logged : line.why;
    troubles.add(std::string(name(line.result)).append(" ").append(why));
  }
  if (line.milliseconds) durations.add(*line.milliseconds);
  if (!line.tls.empty()) add_protocol(line.tls);
  add_time(line, stamp);
}

void Statistics::add_to_levels(const EnvelopeLine& line) {
  if (line.decision == Decision::accept && !line.policy.empty()) {
    ++let_through;
    return;
  }
  ++judged[std::size_t(line.result)];
  static const std::array<unsigned, result_count> lowest = [] {
    std::array<unsigned, result_count> levels;
    std::transform(std::begin(all_results), std::end(all_results), levels.begin(), lowest_level);
    return levels;
  }();
  if (const unsigned level = lowest[std::size_t(line.result)]; level > 0) cost[level].add(line);
  if (line.heloresult == name(Result::fail) &&
      decide(lowest_level(Result::fail), line.result) == Decision::accept)
    ++helo_fails;
}

void Statistics::add_protocol(std::string_view protocol) {
  auto known = protocols.find(protocol);
  if (known == protocols.end()) {
    if (protocols.size() >= most_protocols) protocol = "other";
    known = protocols.try_emplace(std::string(protocol)).first;
  }
  ++known->second;
}

void Statistics::add_time(const EnvelopeLine& line, const Stamp& stamp) {
  if (!stamp.time) {
    ++undated;
    return;
  }
  if (*stamp.time > latest) {
    ++future;
    return;
  }
  first = std::min(first.value_or(*stamp.time), *stamp.time);
  last = std::max(last.value_or(*stamp.time), *stamp.time);
  hours.add(*stamp.time / 3600, line.decision);
}

std::uint64_t Statistics::messages() const {
  std::uint64_t sum = 0;
  for (const ByResult& counts : decided) sum = std::accumulate(counts.begin(), counts.end(), sum);
  return sum;
}

std::array<std::uint64_t, 3> Statistics::at_level(unsigned level) const {
  std::array<std::uint64_t, 3> sums{};
  sums[std::size_t(Decision::accept)] = let_through;
  for (const Result result : all_results)
    sums[std::size_t(decide(level, result))] += judged[std::size_t(result)];
  return sums;
}

}  // namespace spf
