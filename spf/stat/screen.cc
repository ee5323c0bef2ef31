#include "spf/stat/screen.hh"

#include <algorithm>
#include <vector>

#include "spf/stat/chart.hh"
#include "spf/stat/figures.hh"

namespace spf {
namespace {

constexpr std::size_t count_width = 13;
constexpr std::size_t label_width = 9;
constexpr std::size_t party_width = 36;   // of a domain, where clients leave it room
constexpr std::size_t parties_width = 57;  // of a domain and a client
constexpr std::size_t text_width = 64;
constexpr std::size_t most_costly = 5;
constexpr std::size_t most_refused = 10;
constexpr std::size_t most_protocols_shown = 3;

std::string plural(std::uint64_t count, const std::string& what) {
  return grouped(count) + ' ' + what + (count == 1 ? "" : "s");
}

std::string row(std::string_view label, std::initializer_list<std::uint64_t> counts) {
  std::string line = "  " + left(label, label_width);
  for (const std::uint64_t count : counts) line += right(grouped(count), count_width);
  return line;
}

std::string headings(std::initializer_list<std::string_view> words) {
  std::string line(2 + label_width, ' ');
  for (const std::string_view word : words) line += right(word, count_width);
  return line + '\n';
}

std::string totals(const Statistics& s) {
  std::string text = plural(s.messages(), "message") + " in " + plural(s.lines, "line");
  if (s.understood > s.messages()) text += ", " + grouped(s.understood) + " of them spfwrap's";
  text += '\n';
  if (s.first)
    text += "from " + minute_text(*s.first) + " to " + minute_text(*s.last) + ' ' + zone_text(*s.last) + '\n';
  if (s.not_understood > 0) text += plural(s.not_understood, "qlogenvelope line") + " not understood\n";
  if (s.future > 0) text += plural(s.future, "message") + " with a time in the future\n";
  if (s.first && s.undated > 0) text += plural(s.undated, "message") + " without a time\n";
  return text;
}

std::string messages(const Statistics& s) {
  std::string text = "\nMessages by result and code\n" +
                     headings({"accepted 250", "deferred 451", "refused 550", "all"});
  ByResult all{};
  std::array<std::uint64_t, 3> sums{};
  for (const Result result : all_results) {
    const std::size_t r = std::size_t(result);
    for (std::size_t d = 0; d < sums.size(); ++d) {
      all[r] += s.decided[d][r];
      sums[d] += s.decided[d][r];
    }
    text += row(name(result), {s.decided[0][r], s.decided[1][r], s.decided[2][r], all[r]}) +
            right(percent(all[r], s.messages()), 10) + '\n';
  }
  text += row("all", {sums[0], sums[1], sums[2], s.messages()}) + '\n';
  text += "  " + left("of these", label_width);
  for (const std::uint64_t sum : sums) text += right(percent(sum, s.messages()), count_width);
  text += '\n';
  if (s.recipients_refused > 0) text += "  Recipients refused: " + grouped(s.recipients_refused) + ".\n";
  return text;
}

// The results that `level` does not let through and the one below it does.
std::string results_of(unsigned level) {
  std::string names;
  for (const Result result : all_results) {
    if (lowest_level(result) != level) continue;
    if (!names.empty()) names += ", ";
    names += name(result);
  }
  return names;
}

std::string levels(const Statistics& s) {
  std::string text = "\nWhat each level would have done\n" +
                     headings({"let through", "deferred", "refused", "it adds"});
  for (unsigned level = 1; level <= max_level; ++level) {
    const auto [through, deferred, refused] = s.at_level(level);
    const std::uint64_t more = s.cost[level].domains.total();
    text += row("level " + std::to_string(level), {through, deferred, refused});
    if (more > 0) text += right(grouped(more), count_width) + ' ' + results_of(level);
    text += '\n';
  }
  if (s.let_through > 0)
    text += "  Let through at each level, as policy= says: " + grouped(s.let_through) + ".\n";
  if (s.helo_fails > 0)
    text += "  With SPFHELO=2, refused besides from level " +
            std::to_string(lowest_level(Result::fail)) + " on: " + grouped(s.helo_fails) + ".\n";
  return text;
}

std::string how_many(const Frequent& names, const std::string& what) {
  if (names.error() > 0) return "over " + plural(names.capacity(), what);
  return plural(names.names(), what);
}

// How far the figures below may be too low.
std::string inexact(std::uint64_t error) {
  return error > 0 ? "; up to " + grouped(error) + " more each\n" : "\n";
}

std::string how_many(const Parties& parties) {
  return "  of " + how_many(parties.domains, "domain") + ", from " + how_many(parties.clients, "client") +
         inexact(std::max(parties.domains.error(), parties.clients.error()));
}

std::string none_above(std::uint64_t error) { return "  none has more than " + grouped(2 * error) + '\n'; }

// A column of domains, and one of clients, whose addresses are never cut.
std::string parties(const Parties& parties, std::size_t most) {
  const auto domains = parties.domains.top(most), clients = parties.clients.top(most);
  std::size_t client_width = parties_width - party_width;
  for (const auto& client : clients) client_width = std::max(client_width, client.name.size());
  client_width = std::min(client_width, std::size_t(39));  // the longest of IPv6
  const std::size_t domain_width = parties_width - client_width;
  std::string text;
  for (std::size_t i = 0; i < std::max(domains.size(), clients.size()); ++i) {
    std::string line = "  ";
    line += i < domains.size()
                ? right(grouped(domains[i].count), 9) + ' ' + left(end_of(domains[i].name, domain_width), domain_width)
                : std::string(10 + domain_width, ' ');
    if (i < clients.size())
      line += right(grouped(clients[i].count), 9) + ' ' + end_of(clients[i].name, client_width);
    line.resize(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  if (domains.empty() && clients.empty())
    text += none_above(std::max(parties.domains.error(), parties.clients.error()));
  return text;
}

std::string costs(const Statistics& s) {
  std::string text;
  for (unsigned level = 1; level <= max_level; ++level) {
    const Parties& cost = s.cost[level];
    if (cost.domains.total() == 0) continue;
    text += "\nWhat level " + std::to_string(level) + " would have cost: " +
            plural(cost.domains.total(), "message") + " (" + results_of(level) + ")\n" +
            how_many(cost) + parties(cost, most_costly);
  }
  return text;
}

std::string refused_most(const Statistics& s) {
  if (s.refused.domains.total() == 0) return "\nNothing was refused.\n";
  return "\nRefused most: " + plural(s.refused.domains.total(), "message") + '\n' +
         how_many(s.refused) + parties(s.refused, most_refused);
}

std::string troubles(const Statistics& s) {
  if (s.troubles.total() == 0) return {};
  std::string text = "\nTroubles: " + how_many(s.troubles, "reason") + inexact(s.troubles.error());
  const auto reasons = s.troubles.top(most_refused);
  for (const auto& [what, count] : reasons)
    text += "  " + right(grouped(count), 9) + ' ' + beginning_of(what, text_width) + '\n';
  if (reasons.empty()) text += none_above(s.troubles.error());
  return text;
}

std::string times(const Durations& durations) {
  if (durations.count() == 0) return {};
  const auto percentile = [&](unsigned percent) { return grouped(durations.percentile(percent)) + " ms"; };
  return "  time      p50 " + percentile(50) + ", p99 " + percentile(99) + ", longest " + percentile(100) + '\n';
}

std::string tls(const Statistics& s) {
  std::vector<Frequent::Name> protocols;
  std::uint64_t all = 0, in_tls = 0;
  for (const auto& [protocol, count] : s.protocols) {
    all += count;
    if (protocol == "none") continue;
    in_tls += count;
    protocols.push_back({protocol, count});
  }
  if (all == 0) return {};
  std::string text = "  in TLS    " + percent(in_tls, all);
  std::stable_sort(protocols.begin(), protocols.end(),
                   [](const auto& one, const auto& other) { return one.count > other.count; });
  for (std::size_t i = 0; i < std::min(protocols.size(), most_protocols_shown); ++i)
    text += (i == 0 ? ": " : ", ") + beginning_of(protocols[i].name, 7) + ' ' + percent(protocols[i].count, all);
  return text + (protocols.size() > most_protocols_shown ? ", ...\n" : "\n");
}

std::string checks(const Statistics& s) {
  const std::string text = times(s.durations) + tls(s);
  return text.empty() ? text : "\nChecks\n" + text;
}

}  // namespace

std::string screen(const Statistics& s, bool blocks) {
  if (s.messages() == 0) return "no message of spfwrap's" + totals(s).substr(std::string_view("0 messages").size());
  std::string text = totals(s) + messages(s) + levels(s) + costs(s) + refused_most(s) + troubles(s) + checks(s);
  if (const std::string chart = hour_chart(s.hours, blocks); !chart.empty()) text += "\nBy hour\n" + chart;
  return text;
}

}  // namespace spf
