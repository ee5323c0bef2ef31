#include "spf/dialogue/log_line.hh"

#include "spf/base/sanitise.hh"

namespace spf {

std::string log_line(const LogEntry& entry, const Query& query, const Verdict& verdict) {
  std::string line = "qlogenvelope:";
  const auto add = [&line](std::string_view key, std::string_view text) {
    line += ' ';
    line += key;
    line += '=';
    line += printable_word(text, max_item);
  };
  add("result", entry.code == 250 ? "accepted" : "rejected");
  add("code", std::to_string(entry.code));
  add("reason", "spf");
  add("detail", name(verdict.result));
  add("helo", query.helo);
  add("mailfrom", query.sender);
  add("rcptto", entry.recipient);
  add("relay", "no");
  add("remoteip", query.client.text());
  add("remotehost", entry.remote_host);
  add("pid", std::to_string(entry.pid));
  add("identity", name(verdict.identity));
  add("domain", verdict.domain);
  add("mechanism", verdict.mechanism.value_or(std::string()));
  add("lookups", std::to_string(verdict.lookups));
  add("voids", std::to_string(verdict.voids));
  add("ms", std::to_string(verdict.milliseconds));
  add("tls", entry.tls);
  add("level", std::to_string(entry.level));
  const bool error = verdict.result == Result::temperror || verdict.result == Result::permerror;
  add("why", entry.trouble.empty() && error ? verdict.problem : entry.trouble);
  add("policy", entry.policy);
  add("shadow", entry.shadow ? std::to_string(*entry.shadow) : std::string());
  add("heloresult", entry.helo_result);
  return line;
}

std::string unchecked_line(long pid, std::string_view tls, std::string_view client) {
  return "spfwrap: pid " + std::to_string(pid) + ": " + printable_word(tls, max_item) + " with " +
         std::string(client) + ", nothing checked";
}

}  // namespace spf
