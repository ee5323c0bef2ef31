#include "tests/support/transcript.hh"

#include <deque>
#include <sstream>
#include <utility>

#include "spf/dialogue/session.hh"
#include "spf/dialogue/annotation.hh"

namespace transcript {
namespace {

const std::string restore_warning =
    "SMTP server, started again, does not greet and take EHLO";

std::string unescape(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      result += text[i];
      continue;
    }
    switch (const char c = text[++i]) {
      case 'r': result += '\r'; break;
      case 'n': result += '\n'; break;
      case 't': result += '\t'; break;
      case '0': result += '\0'; break;
      case 'e': result += '\x1b'; break;
      case 's': result += ' '; break;
      case 'x':
        result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
        break;
      default: result += c;
    }
  }
  return result;
}

spf::Result result_named(std::string_view text) {
  for (int r = 0; r <= static_cast<int>(spf::Result::temperror); ++r)
    if (spf::name(static_cast<spf::Result>(r)) == text) return static_cast<spf::Result>(r);
  return spf::Result::none;
}

class Player {
 public:
  Player(const spf::Config& config, std::size_t piece)
      : session_(config, 42, is_own), piece_(piece) {
    look();
  }

  // "" or what is wrong.
  std::string line(std::string_view text) {
    if (text.empty() || text[0] == '#') return {};
    const std::size_t blank = text.find(' ');
    const std::string kind(text.substr(0, blank));
    const std::string argument =
        blank == text.npos ? std::string() : unescape(text.substr(blank + 1));
    if (kind == ">") return feed_client(argument + "\r\n");
    if (kind == ">>") return feed_client(argument);
    if (kind == "-") return feed(session_.from_child(), argument + "\r\n");
    if (kind == "*") return feed_tls(argument + "\n");
    if (kind == "**") return feed_tls(argument);
    if (kind == ">|") return session_.client_closed(), look(), "";
    if (kind == ">!") return session_.client_lost(), look(), "";
    if (kind == "-|") return session_.child_closed(), look(), "";
    if (kind == "*|") return close_tls();
    if (kind == "<") return expect("client", to_client_, argument);
    if (kind == "+") return expect("child", to_child_, argument);
    if (kind == "+>") return expect("child", to_child_, argument, "");
    if (kind == "~") return time_out(argument);
    if (kind == "^") return session_.shut_down(), look(), "";
    if (kind == "!") return expect_event(argument);
    if (kind == "?") return check(argument);
    if (kind == "??") return exemption(argument);
    return "no such line";
  }

  std::string end() const {
    std::string rest;
    if (!to_client_.empty()) rest += "more to the client: " + to_client_;
    if (!to_child_.empty()) rest += "more to the child: " + to_child_;
    for (const std::string& event : events_) rest += "more: " + event + "\n";
    return rest;
  }

 private:
  enum class Tls { none, waits, has_client };

  std::string feed_client(std::string_view bytes) {
    return feed(session_.from_client(), bytes, tls_ != Tls::has_client);
  }

  std::string feed_tls(std::string_view bytes) {
    if (tls_ == Tls::none) return "spftls is not there";
    return feed(tls_ == Tls::waits ? session_.from_tls() : session_.from_client(), bytes);
  }

  std::string close_tls() {
    if (tls_ == Tls::none) return "spftls is not there";
    if (tls_ == Tls::waits)
      session_.tls_closed();
    else
      session_.client_closed();
    return look(), "";
  }

  std::string time_out(const std::string& seconds) {
    const std::string running = std::to_string(session_.limit().time.count());
    if (running == "0") return "no time limit runs";
    if (!seconds.empty() && seconds != running) return "the limit is " + running;
    return session_.timed_out(), look(), "";
  }

  std::string feed(spf::Buffer& buffer, std::string_view bytes, bool in_clear = false) {
    while (!bytes.empty() && !(in_clear && tls_ == Tls::has_client)) {
      const std::string_view now = bytes.substr(0, std::min(piece_, buffer.room()));
      if (now.empty()) return "the session takes no more";
      buffer.append(now);
      bytes.remove_prefix(now.size());
      look();
    }
    return {};
  }

  // Lets the session go on and notes what it does.
  void look() {
    for (annotated_ = true; std::exchange(annotated_, false);) {
      session_.resume();
      for (const spf::Action& action : session_.take_actions()) note(action);
    }
    take(session_.to_child(), to_child_);
    if (session_.output_ready()) take(session_.to_client(), to_client_);
    if (session_.finished() && !finished_) {
      finished_ = true;
      events_.push_back("finish");
    }
  }

  void note(const spf::Action& action) {
    namespace action_of = spf::action;
    std::visit(spf::Performer{
                   [this](const action_of::Warn& warn) { note_warning(warn.line); },
                   [this](const action_of::Log& log) { note_log(log.line); },
                   [this](const action_of::StartCheck& start) {
                     events_.push_back("check " + start.query.sender + "," + start.query.helo);
                   },
                   [this](const action_of::StartExemption& start) {
                     events_.push_back("exemption " + start.query.sender + "," + start.query.helo);
                   },
                   [this](action_of::AbandonCheck) { events_.push_back("abandon"); },
                   [this](const action_of::Annotate& annotate) { note_annotation(annotate.octets); },
                   [this](const action_of::StartChild& start) { note_start(start.variables); },
                   [this](action_of::DismissPrevious) { events_.push_back("dismiss"); },
                   [this](action_of::RestorePrevious) { events_.push_back("restore unsaid"); },
                   [this](action_of::CloseChildInput) { events_.push_back("close"); },
                   [this](action_of::PrepareTls) { note_tls("prepare_tls", Tls::waits); },
                   [this](action_of::DismissTls) { note_tls("dismiss_tls", Tls::none); },
                   [this](action_of::StartTls) { note_tls("start_tls", Tls::has_client); },
               },
               action);
  }

  void note_tls(const char* event, Tls now) {
    events_.push_back(event);
    tls_ = now;
  }

  void note_start(const std::vector<std::string>& variables) {
    std::string event = "start";
    for (const std::string& variable : variables)
      if (variable.starts_with("SPFRESULT=") || variable.starts_with("SPFPOLICY="))
        event += " " + variable.substr(10);
      else if (!variable.starts_with("SPF"))
        event += " " + variable;
    events_.push_back(event);
  }

  void note_annotation(const std::string& octets) {
    session_.annotated(annotated_ = true);
    std::string event = "annotate";
    if (const auto annotation = spf::decode_annotation(octets)) {
      for (const std::string& variable : annotation->variables)
        if (variable.starts_with("SPFRESULT=") || variable.starts_with("SPFPOLICY="))
          event += " " + variable.substr(10);
      if (annotation->header.starts_with("Received-SPF: ")) event += " with header";
    } else {
      event += " unreadably";
    }
    events_.push_back(event);
  }

  void note_log(const std::string& line) {
    if (!line.starts_with("qlogenvelope: ")) {
      events_.push_back("log " + line.substr(line.find(": ", line.find(": ") + 1) + 2));
      return;
    }
    const auto value = [&line](std::string_view key) {
      const std::size_t begin = line.find(key) + key.size();
      return line.substr(begin, line.find(' ', begin) - begin);
    };
    std::string event = "log " + value(" code=");
    if (!value(" rcptto=").empty()) event += " " + value(" rcptto=");
    if (value(" tls=") != "none") event += " " + value(" tls=");
    if (!value(" policy=").empty()) event += " " + value(" policy=");
    events_.push_back(event);
  }

  // The warning of a restart that failed belongs to what was done about it.
  void note_warning(const std::string& line) {
    if (line == restore_warning && !events_.empty() && events_.back() == "restore unsaid")
      events_.back() = "restore";
    else
      events_.push_back("warning " + line);
  }

  static void take(spf::Buffer& from, std::string& to) {
    to += from.data();
    from.clear();
  }

  static std::string expect(const std::string& who, std::string& output,
                            const std::string& line, const std::string& line_end = "\r\n") {
    const std::string wanted = line + line_end;
    if (output.starts_with(wanted)) {
      output.erase(0, wanted.size());
      return {};
    }
    return who + " has got: " + output;
  }

  std::string expect_event(const std::string& wanted) {
    if (events_.empty()) return "nothing was done";
    const std::string event = events_.front();
    events_.pop_front();
    return event == wanted ? "" : "done instead: " + event;
  }

  std::string check(const std::string& argument) {
    std::istringstream words(argument);
    std::string asked, equals, result;
    spf::Judgement judgement;
    spf::Verdict& verdict = judgement.verdict;
    unsigned cpu_time = 0;
    verdict.mechanism.emplace();
    words >> asked >> equals >> result >> verdict.domain >> *verdict.mechanism;
    std::string last;
    words >> last;
    if (last.starts_with("helo:")) {
      judgement.helo.emplace();
      judgement.helo->identity = spf::Identity::helo;
      judgement.helo->domain = "client.example";
      judgement.helo->mechanism = "a";
      judgement.helo->result = result_named(last.substr(5));
      judgement.helo->explanation = "no, says HELO";
    } else if (!last.empty()) {
      cpu_time = unsigned(std::stoul(last));
    }
    if (std::string wrong = expect_event("check " + asked); !wrong.empty()) return wrong;
    if (equals != "=") return {};
    verdict.result = result_named(result);
    verdict.explanation = "no, says " + verdict.domain;
    session_.check_done(std::move(judgement), std::chrono::milliseconds(cpu_time));
    look();
    return {};
  }

  std::string exemption(const std::string& argument) {
    std::istringstream words(argument);
    std::string asked, equals, reason;
    unsigned cpu_time = 0;
    words >> asked >> equals >> reason >> cpu_time;
    if (std::string wrong = expect_event("exemption " + asked); !wrong.empty()) return wrong;
    if (equals != "=") return {};
    const bool trouble = reason == "trouble", none = reason == "none";
    session_.exempted({trouble || none ? "" : reason, trouble, ""}, std::chrono::milliseconds(cpu_time));
    look();
    return {};
  }

  spf::Session session_;
  std::size_t piece_;
  std::string to_client_, to_child_;
  std::deque<std::string> events_;
  bool annotated_ = false;
  Tls tls_ = Tls::none;
  bool finished_ = false;
};

}  // namespace

bool is_own(const spf::Address& address) { return address.text() == "192.0.2.25"; }

spf::Config config() {
  spf::Config config;
  config.level = 3;
  config.client = *spf::Address::parse("192.0.2.1");
  config.receiver = "mx.local";
  config.remote_host = "unknown";
  return config;
}

std::string play(std::string_view text, const spf::Config& config, std::size_t piece) {
  Player player(config, piece);
  unsigned number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    if (std::string wrong = player.line(line); !wrong.empty())
      return "line " + std::to_string(number) + " (" + std::string(line) + "): " + wrong;
  }
  return player.end();
}

}  // namespace transcript
