// conformance SUITE.yml: judges every case of an openspf suite with check(),
// asking a real DNS server on loopback, prints each miss and `N of M`, once
// with TIMEOUT as SERVFAIL and once as silence. Exits 0 when all conform.
#include <cstdio>
#include <cstring>

#include "spf/check.hh"
#include "spf/udns.hh"
#include "tests/support/conformance_suite.hh"

namespace {

// A silent server costs each case that asks it this much.
constexpr std::chrono::milliseconds patience{400};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " or ") + word;
  return text;
}

// What is wrong, "" where the case conforms.
std::string judge(const conformance::Case& item) {
  const auto client = spf::Address::parse(item.host);
  if (!client) return "bad host " + item.host;
  spf::UdnsResolver resolver(std::chrono::steady_clock::now() + patience);
  spf::CheckOptions options;
  options.receiver = "receiver.example";
  const spf::Verdict verdict = spf::check({*client, item.helo, item.mailfrom}, options, resolver);
  const std::string result(name(verdict.result));
  if (std::find(item.results.begin(), item.results.end(), result) == item.results.end())
    return result + ", not " + joined(item.results) + " " + verdict.problem;
  if (!item.explanation) return "";
  const std::string expected =
      *item.explanation == "DEFAULT"
          ? "SPF fail: " + verdict.domain + " does not designate " + client->text() + " as permitted sender"
          : *item.explanation;
  if (verdict.explanation != expected)
    return "explanation: " + verdict.explanation + "\n    expected: " + expected;
  return "";
}

unsigned run(const std::vector<conformance::Scenario>& scenarios, DnsServer& server,
             DnsServer::Fault fault, const char* how) {
  unsigned good = 0, all = 0;
  for (const auto& scenario : scenarios) {
    conformance::serve(scenario, server, fault);
    for (const auto& item : scenario.cases) {
      ++all;
      const std::string miss = judge(item);
      if (miss.empty())
        ++good;
      else
        std::printf("%s: %s: %s\n", scenario.description.c_str(), item.name.c_str(), miss.c_str());
    }
  }
  std::printf("TIMEOUT as %s: %u of %u\n", how, good, all);
  return all - good;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: conformance SUITE.yml\n");
    return 100;
  }
  const auto scenarios = conformance::load(argv[1]);
  DnsServer server;
  server.use();
  unsigned misses = run(scenarios, server, DnsServer::Fault::servfail, "SERVFAIL");
  misses += run(scenarios, server, DnsServer::Fault::silence, "silence");
  return misses == 0 ? 0 : 1;
}
