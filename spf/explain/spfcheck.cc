// spfcheck: what spfwrap would say of a client and sender, of one's own record,
// or of its configuration. See spfcheck(1).

#include <getopt.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/explain/check_report.hh"
#include "spf/explain/report_json.hh"
#include "spf/explain/report_text.hh"
#include "spf/settings/config.hh"
#include "spf/explain/config_report.hh"
#include "spf/engine/idna.hh"
#include "spf/base/dns_name.hh"
#include "spf/base/own_address.hh"
#include "spf/engine/limits.hh"
#include "spf/base/exit_code.hh"
#include "spf/base/log.hh"
#include "spf/base/usage.hh"
#include "spf/base/read_write.hh"
#include "spf/dns/name_servers.hh"
#include "spf/explain/record_report.hh"
#include "spf/dialogue/command.hh"
#include "spf/wall/walled_process.hh"

namespace {

constexpr spf::Usage usage = {
    "spfcheck",
    "[ -q | --json ] ip helo sender [ recipient ]\n"
    "[ -q | --json ] domain\n"
    "[ -q | --json ] -C",
    "Makes the check that spfwrap would make, with the same settings, and explains it; judges\n"
    "a domain's SPF record; shows with -C the settings. -q prints one word. See spfcheck(1)."};

enum class Form { text, word, json };

struct WrongUsage {
  std::string why;
};

// As libspf2's spfquery.
int exit_status(spf::Result result) {
  switch (result) {
    case spf::Result::neutral: return 1;
    case spf::Result::pass: return 2;
    case spf::Result::fail: return 3;
    case spf::Result::softfail: return 4;
    case spf::Result::none: return 5;
    case spf::Result::temperror: return 6;
    case spf::Result::permerror: break;
  }
  return 7;
}

int exit_status(spf::Grade grade) {
  switch (grade) {
    case spf::Grade::good: return 0;
    case spf::Grade::warnings: return 1;
    case spf::Grade::none: return exit_status(spf::Result::none);
    case spf::Grade::temperror: return exit_status(spf::Result::temperror);
    case spf::Grade::permerror: break;
  }
  return exit_status(spf::Result::permerror);
}

int exit_status(spf::ConfigReport::Grade grade) {
  switch (grade) {
    case spf::ConfigReport::Grade::good: return 0;
    case spf::ConfigReport::Grade::warnings: return 1;
    case spf::ConfigReport::Grade::unreadable: break;
  }
  return spf::system_trouble;
}

template <class Report>
std::string written(const Report& report, Form form) {
  if (form == Form::json) return spf::json_of(report);
  std::string text = spf::text_of(report);
  if (form == Form::word) text.resize(text.find('\n') + 1);
  return text;
}

int print(std::string_view report, int status) {
  if (spf::write_all(1, report) || errno == EPIPE) return status;  // who reads has seen enough
  spf::write_fatal(std::string("unable to write: ") + std::strerror(errno));
  return spf::system_trouble;
}

struct Outcome {
  int status;
  std::string report;
};

// Prints what `work` reports behind the wall, as spfwrap has it: what it reads
// comes from strangers, and libspf2 ends the process when it has no memory left.
int print_walled(const spf::Config& config, unsigned most_questions,
                 const std::function<Outcome(spf::Resolver&)>& work) {
  const spf::NameServers found = spf::name_servers(std::getenv);
  for (const std::string& problem : found.problems) spf::write_warning(problem);
  const spf::SealedAddresses name_servers(found.servers);
  spf::WalledProcess process(name_servers,
                             spf::WalledProcess::Clock::now() + config.check_timeout,
                             most_questions,
                             [&](spf::Resolver& resolver) {
                               Outcome outcome = work(resolver);
                               return char(outcome.status) + std::move(outcome.report);
                             });
  for (;;) {
    pollfd output = {process.descriptor(), POLLIN, 0};
    poll(&output, 1, -1);
    switch (process.read()) {
      case spf::WalledProcess::State::working: continue;
      case spf::WalledProcess::State::done: {
        const std::string text = process.take_text();
        return print(std::string_view(text).substr(1), text.front());
      }
      case spf::WalledProcess::State::died: break;
    }
    spf::write_fatal("the check " + process.end() + "; spfwrap would take that for temperror");
    return spf::system_trouble;
  }
}

// As the session hears it in a command.
std::optional<std::string> mailbox(spf::Verb verb, const std::string& keyword, const std::string& text) {
  const std::string path = text.starts_with('<') ? text : '<' + text + '>';
  auto heard = spf::parse_path(verb, keyword + path, spf::is_own_address);
  if (!heard || !heard->parameters.empty()) return {};
  return std::move(heard->mailbox);
}

// "" is the null sender, too.
std::string sender(const std::string& text) {
  if (auto heard = mailbox(spf::Verb::mail, "FROM:", text)) return *heard;
  throw WrongUsage{"no sender that MAIL can have: " + text};
}

std::string recipient(const std::string& text) {
  if (auto heard = mailbox(spf::Verb::rcpt, "TO:", text)) return *heard;
  throw WrongUsage{"no recipient that RCPT can have: " + text};
}

// The last of the arguments may be missing.
int check_client(char** arguments, Form form) {
  const auto client = spf::Address::parse(arguments[0]);
  if (!client) throw WrongUsage{"no IP address: " + std::string(arguments[0])};
  spf::CheckedMail asked{{*client, arguments[1], sender(arguments[2])}, {}, spf::is_own_address(*client)};
  if (arguments[3]) asked.recipient = recipient(arguments[3]);
  spf::Config config = spf::read_settings(std::getenv, *client);
  for (spf::Levels* levels : {&config.sender_levels, &config.recipient_levels}) levels->hold();  // for the wall
  std::vector<spf::Setting> found;
  spf::read_settings(std::getenv, *client, &found);  // what can't be read has ended it above
  return print_walled(config, spf::Limits::most_questions, [&](spf::Resolver& resolver) {
    const spf::CheckReport report = spf::report_check(asked, config, found, resolver);
    return Outcome{exit_status(report.judgement.verdict.result), written(report, form)};
  });
}

int check_record(const char* argument, Form form) {
  const std::string domain(spf::without_trailing_dot(spf::to_a_labels(argument)));
  if (spf::Address::parse(domain)) throw WrongUsage{"HELO and sender are missing after " + domain};
  if (!spf::is_dns_name(domain) || domain.find('.') == domain.npos ||
      domain.find('@') != domain.npos)
    throw WrongUsage{"no domain name: " + domain};
  const spf::Config config = spf::read_settings(std::getenv, spf::Address());
  return print_walled(config, spf::most_judged_questions, [&](spf::Resolver& resolver) {
    const spf::RecordReport report = spf::report_record(domain, config.check_timeout, resolver);
    return Outcome{exit_status(report.judgement.grade), written(report, form)};
  });
}

int wrong(const std::string& why) {
  if (!why.empty()) spf::write_fatal(why);
  spf::write_log(spf::usage_message(usage));
  return spf::wrong_usage;
}

template <class Work>
int guarded(Work work) {
  try {
    return work();
  } catch (const WrongUsage& usage) {
    return wrong(usage.why);
  } catch (const std::exception& error) {
    spf::write_fatal(error.what());
    return spf::system_trouble;
  }
}

int run(int argc, char** argv) {
  static constexpr option options[] = {{"json", no_argument, nullptr, 'j'}, {}};
  bool quiet = false, json = false, configuration = false;
  opterr = 0;
  for (int option; (option = getopt_long(argc, argv, "+qC", options, nullptr)) != -1;) switch (option) {
      case 'q': quiet = true; break;
      case 'j': json = true; break;
      case 'C': configuration = true; break;
      default:
        return wrong("unknown option: " + (optopt > 0 && optopt != 'j' ? std::string("-") + char(optopt)
                                                                       : std::string(argv[optind - 1])));
    }
  if (quiet && json) return wrong("");
  const Form form = json ? Form::json : quiet ? Form::word : Form::text;
  char** const arguments = argv + optind;
  const int count = argc - optind;
  if (configuration && count == 0)
    return guarded([&] {
      const auto report = spf::report_config(std::getenv);
      return print(written(report, form), exit_status(report.grade));
    });
  if (!configuration && (count == 3 || count == 4))
    return guarded([&] { return check_client(arguments, form); });
  if (!configuration && count == 1)
    return guarded([&] { return check_record(arguments[0], form); });
  return wrong("");
}

}  // namespace

int main(int argc, char** argv) {
  spf::set_program_name("spfcheck");
  if (const auto answered = spf::answer_about(usage, argc, argv)) return *answered;
  std::signal(SIGPIPE, SIG_IGN);
  return run(argc, argv);
}
