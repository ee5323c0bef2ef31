// conformance SUITE.yml: judges every case of an openspf suite twice: by
// check(), and by the real spfwrap in an SMTP dialogue. Both ask a real DNS
// server on loopback, once with TIMEOUT as SERVFAIL and once as silence. Prints
// each miss and `N of M` for each run. Exits 0 when all conform.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "spf/engine/check.hh"
#include "tests/support/local_resolver.hh"
#include "tests/support/conformance_suite.hh"
#include "tests/support/wrapped.hh"

namespace {

using conformance::Case;

constexpr const char* receiver = "receiver.example";

// A silent server costs each case that asks it this much; the dialogue's own
// limit is in whole seconds.
constexpr std::chrono::milliseconds patience{400};
constexpr const char* spftimeout = "1";

// What became of a case, by whichever way it was judged.
struct Judged {
  std::string result;
  std::string explanation;  // on fail
  std::string trouble;      // why there is no result, or it is not to be trusted
  std::string remark;       // how a case was judged that SMTP cannot carry
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " or ") + word;
  return text;
}

// The suite's DEFAULT is ours.
std::string default_explanation(const Case& item, const std::string& client) {
  const auto at = item.mailfrom.rfind('@');
  const std::string domain = at == item.mailfrom.npos ? item.helo : item.mailfrom.substr(at + 1);
  return "SPF fail: " + domain + " does not designate " + client + " as permitted sender";
}

// What is wrong, "" where the case conforms.
std::string miss(const Case& item, const spf::Address& client, const Judged& judged) {
  if (!judged.trouble.empty()) return judged.trouble;
  if (std::find(item.results.begin(), item.results.end(), judged.result) == item.results.end())
    return judged.result + ", not " + joined(item.results);
  if (!item.explanation) return "";
  const std::string expected =
      *item.explanation == "DEFAULT" ? default_explanation(item, client.text()) : *item.explanation;
  if (judged.explanation == expected) return "";
  return "explanation: " + judged.explanation + "\n    expected: " + expected;
}

// Engine

Judged by_engine(const Case& item, const spf::Address& client, bool /*silent*/) {
  LocalResolver resolver(std::chrono::steady_clock::now() + patience);
  spf::CheckOptions options;
  options.receiver = receiver;
  const spf::Verdict verdict = spf::check({client, item.helo, item.mailfrom}, options, resolver).verdict;
  return {std::string(name(verdict.result)), verdict.explanation, "", ""};
}

// SMTP dialogue

// At level 6 every result but pass shows in a reply of spfwrap's own.
test::Setup setup(const spf::Address& client, bool silent) {
  test::Setup setup = test::level("6", {{"TCPLOCALHOST", receiver},
                                        {"NAMESERVERS", getenv("NAMESERVERS")},
                                        {"RES_OPTIONS", getenv("RES_OPTIONS")}});
  if (silent) setup.environment["SPFTIMEOUT"] = spftimeout;
  if (client.is_ip4()) {
    setup.environment["TCPREMOTEIP"] = client.text();
  } else {
    setup.environment["PROTO"] = "TCP6";
    setup.environment["TCP6REMOTEIP"] = client.text();
    setup.unset = {"TCPREMOTEIP"};
  }
  return setup;
}

// A 550 reply's text in one line, without codes, and without the line that says whose
// it is.
std::string text_of(std::string reply) {
  std::string text;
  const auto first = std::min(reply.find('\n'), reply.size());
  if (reply.starts_with("550-SPF fail: ") && reply.substr(0, first).ends_with(" says:")) reply.erase(0, first + 1);
  while (!reply.empty()) {
    const auto end = std::min(reply.find('\n'), reply.size());
    text += (text.empty() ? "" : " ") + reply.substr(std::min<std::size_t>(4, end), end - 4);
    reply.erase(0, end + 1);
  }
  const std::string code = " (#5.7.1)";
  return text.ends_with(code) ? text.substr(0, text.size() - code.size()) : text;
}

std::string without_quotes(std::string text) {
  std::erase(text, '"');
  return text;
}

// Fills in what the replies say, and holds it against the log line.
void read_replies(test::Wrapped& spfwrap, const std::string& mailfrom, Judged& judged) {
  const std::string mail = spfwrap.ask("MAIL FROM:<" + mailfrom + ">");
  std::string rcpt;
  if (mail.starts_with("250")) rcpt = spfwrap.ask("RCPT TO:<b@example.org>");
  const int code = spfwrap.finish();
  const auto log = spfwrap.log();
  const std::string line = log.size() == 1 ? log.front() : "";
  const std::string key = " detail=";
  const auto at = line.find(key);
  if (code != 0 || at == line.npos) {
    judged.trouble = "exit code " + std::to_string(code) + " and " + std::to_string(log.size()) +
                     " log lines after " + mail + " " + rcpt;
    return;
  }
  const auto begin = at + key.size();
  judged.result = line.substr(begin, line.find(' ', begin) - begin);
  const test::ChildRun child = spfwrap.last_run();
  const bool reached = std::any_of(child.commands.begin(), child.commands.end(), [](const auto& command) {
    return command.starts_with("MAIL");
  });
  const bool pass = judged.result == "pass", temperror = judged.result == "temperror";
  const bool as_it_should =
      pass        ? rcpt == "250 ok" && reached && child.value("SPFRESULT") == "pass"
      : temperror ? mail == "451 SPF lookup failure (#4.3.0)" && !reached
                  : rcpt.starts_with("550") && rcpt.ends_with(" (#5.7.1)") && !reached;
  if (!as_it_should) judged.trouble = judged.result + ", but the replies were " + mail + " " + rcpt;
  if (judged.result == "fail") judged.explanation = text_of(rcpt);
}

Judged by_dialogue(const Case& item, const spf::Address& client, bool silent) {
  Judged judged;
  test::Wrapped spfwrap(setup(client, silent));
  spfwrap.client().reply();
  spfwrap.ask("HELO " + item.helo);
  const auto at = item.mailfrom.rfind('@');
  const bool empty_label = at != 0 && item.mailfrom.find("..", at + 1) != item.mailfrom.npos;
  if (at == 0 || empty_label) {
    const std::string reply = spfwrap.ask("MAIL FROM:<" + item.mailfrom + ">");
    judged.result = item.results.front();
    judged.explanation = item.explanation.value_or("");
    judged.remark = empty_label ? "501 by design, since such a domain is none"
                                : "501 by design, since servers do not agree on <@domain>";
    if (!reply.starts_with("501")) judged.trouble = reply + ", not 501";
    if (spfwrap.finish() != 0) judged.trouble = "exit code";
    return judged;
  }
  if (item.mailfrom.find(' ') == item.mailfrom.npos) {
    read_replies(spfwrap, item.mailfrom, judged);
  } else {
    // RFC 5321 section 4.1.2: only in quotes; in the explanation they show.
    read_replies(spfwrap, "\"" + item.mailfrom.substr(0, at) + "\"" + item.mailfrom.substr(at), judged);
    judged.explanation = without_quotes(judged.explanation);
    judged.remark = "its local-part sent in quotes";
  }
  return judged;
}

using Judge = std::function<Judged(const Case&, const spf::Address&, bool silent)>;

unsigned run(const char* what, const Judge& judge, const std::vector<conformance::Scenario>& scenarios,
             DnsServer& server, bool silence) {
  unsigned good = 0, all = 0;
  std::string remarks;
  for (const auto& scenario : scenarios) {
    conformance::serve(scenario, server, silence ? DnsServer::Fault::silence : DnsServer::Fault::servfail);
    for (const auto& item : scenario.cases) {
      ++all;
      const auto client = spf::Address::parse(item.host);
      const Judged judged = client ? judge(item, *client, silence && has_timeout(scenario))
                                   : Judged{"", "", "bad host " + item.host, ""};
      if (!judged.remark.empty()) remarks += "; " + item.name + ": " + judged.remark;
      const std::string wrong = miss(item, client.value_or(spf::Address()), judged);
      if (wrong.empty())
        ++good;
      else
        std::printf("%s: %s: %s\n", scenario.description.c_str(), item.name.c_str(), wrong.c_str());
    }
  }
  std::printf("%-13s TIMEOUT as %-9s %u of %u%s\n", what, silence ? "silence:" : "SERVFAIL:", good, all,
              remarks.c_str());
  std::fflush(stdout);
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
  unsigned misses = 0;
  for (const bool silence : {false, true}) {
    misses += run("engine", by_engine, scenarios, server, silence);
    misses += run("SMTP dialogue", by_dialogue, scenarios, server, silence);
  }
  return misses == 0 ? 0 : 1;
}
