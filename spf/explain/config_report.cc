#include "spf/explain/config_report.hh"

#include <unistd.h>

#include <array>
#include <chrono>
#include <optional>
#include <vector>

#include "spf/dns/name_servers.hh"
#include "spf/dialogue/policy.hh"
#include "spf/base/process.hh"
#include "spf/explain/certificate_trial.hh"
#include "spf/explain/certificate_validity.hh"
#include "spf/explain/terminal_text.hh"
#include "spf/tls/status.hh"

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
    case Starttls::unavailable: return "not offered; STARTTLS is answered 454";
  }
  return config.outer_tls.empty() ? "none: STARTTLS is hidden"
                                  : "done before spfwrap; STARTTLS is hidden";
}

// Whether a client can have TLS; with SPFSTARTTLS=pass that is prog's affair.
bool may_have_tls(const Config& config, const CertificateTrial& trial) {
  return trial.certificate || config.starttls == Starttls::pass || !config.outer_tls.empty();
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Who may read what another may not.
std::string user_text() {
  const uid_t user = geteuid();
  return user == 0 ? "root, who can read what spfwrap's user may not"
                   : "user " + std::to_string(user);
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
  CertificateTrial trial;
  CertificateValidity valid;
  const bool tried = config.smtps || config.starttls == Starttls::terminate;
  if (tried) trial = try_certificate(beside_this_program("spftls"), config, tls_ready_time);
  if (trial.certificate) {
    valid = validity(*trial.certificate, std::chrono::floor<std::chrono::seconds>(
                                             std::chrono::system_clock::now()));
    if (!valid.warning.empty()) warnings.push_back(valid.warning);
  } else if (config.smtps) {
    errors.push_back(trial.reason + "; with SMTPS no mail is taken");
  } else if (tried) {
    warnings.push_back(trial.reason + "; STARTTLS is offered, but answered 454");
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
  if (config.auth_needs_tls && !may_have_tls(config, trial))
    warnings.push_back("SPFAUTH=tls: there is no TLS, so nobody can authenticate");
  if (config.auth_needs_tls && config.level == 0 && !config.smtps)
    warnings.push_back("SPFAUTH=tls: at level 0 spfwrap steps aside, and AUTH is had in clear");

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
  if (config.auth_needs_tls) out.item("AUTH", "only in TLS (SPFAUTH)");
  if (trial.certificate) {
    out.item("certificate", trial.certificate->names.empty() ? "names no host"
                                                             : joined(trial.certificate->names));
    out.item("valid until", valid.until);
  }
  if (tried) out.item("tried by", user_text());
  std::vector<std::string> servers;
  for (const SocketAddress& server : name_servers_found.servers) servers.push_back(server.text());
  out.item("name servers", joined(servers));
  return {grade, out.text()};
}

}  // namespace spf
