#include "spf/explain/config_report.hh"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "spf/dns/name_servers.hh"
#include "spf/dialogue/policy.hh"
#include "spf/explain/terminal_text.hh"

namespace spf {
namespace {

constexpr std::array all_results = {Result::fail,      Result::softfail,  Result::neutral, Result::none,
                                    Result::permerror, Result::temperror, Result::pass};

// The results that meet with a decision at a level, or "".
std::string results_with(unsigned level, Decision decision) {
  std::string text;
  for (const Result result : all_results) {
    if (decide(level, result) != decision) continue;
    if (!text.empty()) text += ", ";
    text += name(result);
  }
  return text;
}

std::string level_text(unsigned level, bool smtps) {
  if (level == 0) return smtps ? "0: checks nothing" : "0: spfwrap steps aside";
  std::string text = std::to_string(level) + ": checks";
  if (const auto results = results_with(level, Decision::defer); !results.empty())
    text += "; 451 on " + results;
  const auto rejected = results_with(level, Decision::reject);
  return text + (rejected.empty() ? "; refuses nothing" : "; 550 on " + rejected);
}

std::string tls_text(const Config& config) {
  if (config.smtps) return "before the greeting (SMTPS)";
  switch (config.starttls) {
    case Starttls::hide: break;
    case Starttls::pass: return "left to prog: what follows STARTTLS is not seen";
    case Starttls::terminate: return "after STARTTLS";
  }
  return config.outer_tls.empty() ? "none: STARTTLS is hidden"
                                  : "done before spfwrap; STARTTLS is hidden";
}

// Why the file is not there, or "". Whether it can be used is not looked into
// here, where a key has no business.
std::string absence(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)) return {};
  return path + ": " + std::strerror(errno);
}

std::string spftls_command(const Config& config) {
  std::string command = "spftls -n -c " + config.certificate;
  if (config.key != config.certificate) command += " -k " + config.key;
  if (!config.ciphers.empty()) command += " -l '" + config.ciphers + "'";
  return command;
}

}  // namespace

std::string_view name(ConfigReport::Grade grade) {
  switch (grade) {
    case ConfigReport::Grade::good: return "good";
    case ConfigReport::Grade::warnings: return "warnings";
    case ConfigReport::Grade::unreadable: break;
  }
  return "unreadable";
}

ConfigReport report_config(const Getenv& getenv) {
  std::vector<Setting> found;
  const Config config = read_settings(getenv, Address(), &found);

  std::vector<std::string> errors, warnings = config.warnings;
  for (const Setting& setting : found)
    if (!setting.problem.empty()) errors.push_back(setting.problem + "; no mail is taken");
  for (const std::string& file : {config.certificate, config.key}) {
    const std::string why = file.empty() ? "" : absence(file);
    if (why.empty()) continue;
    if (config.smtps)
      errors.push_back(why + "; with SMTPS no mail is taken");
    else
      warnings.push_back(why + "; STARTTLS is not offered");
    break;
  }
  for (std::string& problem : option_problems(check_options(config)))
    warnings.push_back(std::move(problem));
  const NameServers name_servers_found = name_servers(getenv);
  warnings.insert(warnings.end(), name_servers_found.problems.begin(),
                  name_servers_found.problems.end());
  if (getenv("RELAYCLIENT"))
    warnings.push_back("RELAYCLIENT is set here: with it spfwrap checks nothing");
  if (errors.empty() && config.level == 0)
    warnings.push_back("the level is 0: spfwrap checks nothing, unless tcp.smtp sets SPFBEHAVIOR");
  if (config.starttls == Starttls::pass)
    warnings.push_back("SPFSTARTTLS=pass: mail that comes with STARTTLS is not checked");

  const auto grade = !errors.empty()     ? ConfigReport::Grade::unreadable
                     : warnings.empty() ? ConfigReport::Grade::good
                                        : ConfigReport::Grade::warnings;
  TerminalText out;
  out.verbatim(name(grade));
  for (const std::string& error : errors) out.item("error", error);
  for (const std::string& warning : warnings) out.item("warning", warning);

  out.title("Settings");
  for (const Setting& setting : found)
    out.item(setting.name,
             (setting.value.empty() ? "none" : setting.value) + " (" + setting.source + ")");

  out.title("What they mean");
  out.item("level", level_text(config.level, config.smtps));
  out.item("this host", config.receiver);
  out.item("TLS", tls_text(config));
  if (!config.certificate.empty()) out.item("check it by", spftls_command(config));
  std::string servers;
  for (const SocketAddress& server : name_servers_found.servers)
    servers += (servers.empty() ? "" : ", ") + server.text();
  out.item("name servers", servers);
  return {grade, out.text()};
}

}  // namespace spf
