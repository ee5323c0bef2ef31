#include "spf/explain/config_report.hh"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "spf/base/process.hh"
#include "spf/dns/name_servers.hh"
#include "spf/explain/certificate_trial.hh"
#include "spf/explain/terminal_text.hh"
#include "spf/tls/status.hh"

namespace spf {
namespace {

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
bool may_have_tls(const Config& config, const ConfigReport& report) {
  return report.certificate || config.starttls == Starttls::pass || !config.outer_tls.empty();
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
  ConfigReport report;
  const Config config = read_settings(getenv, Address(), &report.settings);
  report.level = config.level;
  for (Setting& setting : report.settings) {
    setting.value = shortened(std::move(setting.value));
    if (setting.problem.empty()) continue;
    report.errors.push_back(setting.problem + "; no mail is taken");
    if (setting.name == "SPFBEHAVIOR") report.level.reset();
  }
  report.smtps = config.smtps;
  report.receiver = config.receiver;
  report.tls = tls_text(config);
  report.auth_needs_tls = config.auth_needs_tls;

  auto& errors = report.errors;
  auto& warnings = report.warnings;
  warnings = config.warnings;
  if (config.smtps || config.starttls == Starttls::terminate) {
    report.tried_by = geteuid();
    CertificateTrial trial = try_certificate(beside_this_program("spftls"), config, tls_ready_time);
    report.certificate = std::move(trial.certificate);
    if (report.certificate) {
      const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
      report.validity = validity(*report.certificate, now);
      if (!report.validity.warning.empty()) warnings.push_back(report.validity.warning);
    } else if (config.smtps) {
      errors.push_back(trial.reason + "; with SMTPS no mail is taken");
    } else {
      warnings.push_back(trial.reason + "; STARTTLS is offered, but answered 454");
    }
  }
  for (std::string& problem : option_problems(check_options(config)))
    warnings.push_back(std::move(problem));
  const NameServers servers = name_servers(getenv);
  warnings.insert(warnings.end(), servers.problems.begin(), servers.problems.end());
  for (const SocketAddress& server : servers.servers) report.name_servers.push_back(server.text());
  if (getenv("RELAYCLIENT"))
    warnings.push_back("RELAYCLIENT is set here: with it spfwrap checks nothing");
  if (errors.empty() && config.level == 0)
    warnings.push_back("the level is 0: spfwrap checks nothing, unless tcp.smtp sets SPFBEHAVIOR");
  if (config.starttls == Starttls::pass)
    warnings.push_back("SPFSTARTTLS=pass: mail that comes with STARTTLS is not checked");
  if (config.auth_needs_tls && !may_have_tls(config, report))
    warnings.push_back("SPFAUTH=tls: there is no TLS, so nobody can authenticate");
  if (config.auth_needs_tls && config.level == 0 && !config.smtps)
    warnings.push_back("SPFAUTH=tls: at level 0 spfwrap steps aside, and AUTH is had in clear");

  for (std::string& warning : warnings) warning = shortened(std::move(warning));
  report.grade = !errors.empty()     ? ConfigReport::Grade::unreadable
                 : warnings.empty() ? ConfigReport::Grade::good
                                    : ConfigReport::Grade::warnings;
  return report;
}

}  // namespace spf
