// A log as a busy host may have it, made up from a seed: lines of spfwrap and of
// the programs round it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

namespace test {

struct LogPlan {
  unsigned long seed = 1;
  std::size_t domains = 20000, clients = 10000;  // a few of which have most messages
  std::int64_t begin = 1795000000;               // seconds since 1970
  unsigned messages_an_hour = 6000;
};

// What a message is made of.
struct MadeMessage {
  std::string detail, code, domain, client, tls, why, policy, heloresult;
  unsigned recipients = 1, milliseconds = 0;
  std::int64_t time = 0;
};

class MadeLog {
 public:
  explicit MadeLog(const LogPlan& plan) : plan_(plan), random_(plan.seed) {}

  // The lines of the next message, and sometimes some of other programs; `message`
  // then has what it is.
  std::string next() {
    message = {};
    message.time = plan_.begin + std::int64_t(number_++ * 3600 / plan_.messages_an_hour);
    message.detail = one_of({"pass", "pass", "pass", "pass", "pass", "pass", "none", "none", "none", "softfail",
                             "softfail", "fail", "fail", "neutral", "permerror", "temperror"});
    message.code = code_of(message.detail);
    message.domain = "d" + std::to_string(skewed(plan_.domains)) + ".example.org";
    message.client = client();
    message.tls = one_of({"TLSv1.3", "TLSv1.3", "TLSv1.2", "none"});
    message.milliseconds = unsigned(below(40) == 0 ? below(20000) : below(60));
    if (message.detail == "permerror") message.why = one_of({"parse_error", "two_records", "too_many_terms"});
    if (message.detail == "temperror") message.why = one_of({"DNS_problem", "timeout"});
    if (message.code == "250" && message.detail == "fail") message.policy = one_of({"", "", "forwarder"});
    message.heloresult = one_of({"", "", "pass", "none", "fail"});
    if (message.code == "550") message.recipients = 1 + unsigned(below(4)) % 3;
    std::string lines;
    pid_ = 1000 + number_ % 30000;  // a process for each message
    if (below(3) == 0) add(lines, "tcpserver: ok " + std::to_string(pid_) + " mx.local:192.0.2.25:25 :" +
                                      message.client + "::4711");
    if (below(50) == 0) add(lines, "rblsmtpd: " + message.client + " pid 17: 451 http://zen.example/ qlogenvelope: result=accepted code=250 detail=pass");
    for (unsigned i = 0; i < message.recipients; ++i) add(lines, envelope(i));
    return lines;
  }

  MadeMessage message;

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  // Small numbers far more often than large ones.
  std::size_t skewed(std::size_t bound) {
    const double x = double(below(1 << 30)) / double(1 << 30);
    return std::size_t(double(bound) * x * x * x * x);
  }

  std::string one_of(std::initializer_list<std::string_view> choices) {
    return std::string(choices.begin()[below(choices.size())]);
  }

  std::string code_of(std::string_view detail) {
    if (detail == "fail") return one_of({"550", "550", "250"});  // some clients' level is lower
    return detail == "temperror" ? "451" : "250";
  }

  std::string client() {
    const std::size_t number = skewed(plan_.clients);
    char text[64];
    if (number % 8 == 7)
      std::snprintf(text, sizeof text, "2001:db8:%zx:%zx::%zx", number >> 8, number & 255, number % 7919);
    else
      std::snprintf(text, sizeof text, "10.%zu.%zu.%zu", number >> 16 & 255, number >> 8 & 255, number & 255);
    return text;
  }

  std::string envelope(unsigned recipient) const {
    const MadeMessage& m = message;
    std::string line = "qlogenvelope: result=";
    line += m.code == "250" ? "accepted" : "rejected";
    line += " code=" + m.code + " reason=spf detail=" + m.detail + " helo=mail." + m.domain + " mailfrom=user" +
            std::to_string(number_) + "@" + m.domain + " rcptto=";
    if (m.code == "550") line += "r" + std::to_string(recipient) + "@l.example";
    return line + " relay=no remoteip=" + m.client + " remotehost=unknown pid=" + std::to_string(pid_) +
           " identity=mailfrom domain=" + m.domain + " mechanism=include:_spf.example.org lookups=3 voids=0 ms=" +
           std::to_string(m.milliseconds) + " tls=" + m.tls + " level=3 why=" + m.why + " policy=" + m.policy +
           " shadow= heloresult=" + m.heloresult;
  }

  void add(std::string& lines, const std::string& text) {
    char stamp[40];
    std::snprintf(stamp, sizeof stamp, "@%016llx%08lx ",
                  (unsigned long long)(message.time) + 10 + (1ULL << 62), 500000000UL);
    lines += stamp + text + '\n';
  }

  LogPlan plan_;
  std::mt19937_64 random_;
  std::uint64_t number_ = 0;
  std::uint64_t pid_ = 0;
};

}  // namespace test
