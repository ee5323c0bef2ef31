#include "tests/storm/session.hh"

#include <signal.h>

#include "tests/queue/queue.hh"

namespace storm {

using namespace test;

namespace {

std::string stuffed(const std::string& content) {
  std::string text = content.starts_with('.') ? "." + content : content;
  for (std::size_t at = 0; (at = text.find("\r\n.", at)) != text.npos; at += 4) text.insert(at + 2, ".");
  return text + ".\r\n";
}

// The commands of a message, each with its CRLF.
std::vector<std::string> commands(const Message& message) {
  std::vector<std::string> lines;
  if (message.reset) lines.push_back("RSET\r\n");
  lines.push_back("MAIL FROM:<" + message.id + "@" + message.sender + ".storm.example>\r\n");
  for (unsigned i = 0; i < message.recipients; ++i)
    lines.push_back("RCPT TO:<r" + std::to_string(i) + "@example.org>\r\n");
  lines.push_back("DATA\r\n");
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

// What the queue program has, without the server's Received and with CRLF.
Outcome::Queued as_sent(const QueuedMessage& message) {
  std::string text = message.message;
  const auto received = text.find("Received: from unknown");
  if (received != text.npos) text.erase(received, text.find("-0000\n", received) + 6 - received);
  std::string crlf;
  for (const char c : text) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  const std::string name = "SPFRESULT=";
  const auto value = message.environment.find(name);
  if (value == message.environment.npos) return {crlf, ""};
  const auto begin = value + name.size();
  return {crlf, message.environment.substr(begin, message.environment.find('\n', begin) - begin)};
}

Setup setup_of(const Plan& plan, const Environment& environment, const Queue& queue) {
  Setup setup = level(std::to_string(plan.level), environment);
  setup.environment["SPFTIMEOUT"] = "1";
  setup.environment["CHILD_FAULT"] = plan.fault;
  if (!plan.header) setup.environment["SPFANNOTATE"] = "env";
  if (plan.queue) {
    setup.environment.insert({{"CHILD_QUEUE", "1"}, {"QMAILQUEUE", Queue::prog()}, {"QUEUE", queue.files().path()},
                              {"QUEUE_FAULT", plan.queue_fault}});
    setup.environment["SPFANNOTATE"] = "queue";
  }
  if (plan.split) setup.environment["CHILD_SPLIT"] = "1";
  if (plan.short_timeout) setup.control = {{"timeoutsmtpd", "2\n"}};
  if (plan.log_full) setup.before = {"sh", "-c", "exec \"$0\" \"$@\" 2>/dev/full"};
  return setup;
}

class Player {
 public:
  Player(const Plan& plan, const Environment& environment)
      : plan_(plan), spfwrap_(setup_of(plan, environment, queue_)) {
    outcome_.fates.assign(plan.messages.size(), Fate::not_offered);
  }

  Outcome play() {
    if (hear().starts_with('2')) {
      say("EHLO mail.example.org\r\n");
      if (hear().starts_with('2')) {
        for (std::size_t i = 0; i < plan_.messages.size() && open_; ++i) message(i);
        if (open_) leave_politely();
      }
    }
    if (spfwrap_.finish() == -1) problem("something stays, or a sanitizer complains: " + spfwrap_.errors());
    if (plan_.queue) {
      for (const QueuedMessage& message : queue_.queued()) outcome_.queued.push_back(as_sent(message));
    } else {
      for (const ChildRun& run : spfwrap_.runs())
        for (const std::string& text : run.messages) outcome_.queued.push_back({text, run.value("SPFRESULT")});
    }
    return std::move(outcome_);
  }

 private:
  void problem(const std::string& what) { outcome_.problems.push_back(what); }

  void say(std::string_view text) { spfwrap_.client().send(text, plan_.piece); }

  std::string hear() {
    if (!open_) return "";
    const std::string reply = spfwrap_.client().reply();
    if (reply.ends_with("<silence>")) problem("silence after " + reply);
    if (reply.find("<LF>") != reply.npos) problem("a line without CR: " + reply);
    if (reply.find('<') != reply.npos) open_ = false;
    for (const char* last : {"421 ", "451 SMTP server gave up", "451 See https"})
      if (open_ && reply.starts_with(last)) hear_the_end();
    return reply;
  }

  // After a last word.
  void hear_the_end() {
    if (spfwrap_.client().rest().ends_with("<silence>")) problem("it does not close");
    open_ = false;
  }

  void close() {
    spfwrap_.client().close();
    open_ = false;
  }

  // Signals that are due; true if the client closes here, after part of `text`.
  bool events(std::size_t i, Point::Stage stage, const std::string& text) {
    if (plan_.children.at(i, stage))
      for (int n = 0; n < 100; ++n) spfwrap_.process().signal(SIGCHLD);
    if (plan_.stop.at(i, stage)) spfwrap_.process().signal(SIGTERM);
    if (!plan_.leave.at(i, stage)) return false;
    say(std::string_view(text).substr(0, text.size() * plan_.leave.promille / 1000));
    close();
    return true;
  }

  // The replies to a message's commands; whether the last of them was 354.
  bool ask(std::size_t i) {
    const auto lines = commands(plan_.messages[i]);
    if (!sent_ahead_) {
      if (events(i, Point::commands, joined(lines))) return false;
      if (plan_.pipelining) say(joined(lines));
    }
    std::string reply;
    for (const std::string& line : lines) {
      if (!sent_ahead_ && !plan_.pipelining) say(line);
      reply = hear();
      if (!open_) return false;
    }
    sent_ahead_ = false;
    return reply.starts_with("354");
  }

  void message(std::size_t i) {
    Fate& fate = outcome_.fates[i];
    fate = Fate::refused;
    if (!sent_ahead_ && events(i, Point::before, "")) return;
    if (!ask(i)) return;

    std::string text = stuffed(plan_.messages[i].content);
    if (events(i, Point::body, text)) return;
    if (plan_.leave.at(i, Point::after_dot)) {
      say(text);
      events(i, Point::after_dot, "");
      fate = Fate::client_gone;
      return;
    }
    if (plan_.ahead && i + 1 < plan_.messages.size()) {
      text += joined(commands(plan_.messages[i + 1]));
      sent_ahead_ = true;
    }
    say(text);
    events(i, Point::after_dot, "");
    const std::string reply = hear();
    fate = reply.starts_with("250") ? Fate::accepted : Fate::no_answer;
    if (open_ && fate == Fate::no_answer) fate = Fate::refused;
    if (plan_.messages[i].bare_lf && fate == Fate::accepted) problem("a bare LF was accepted");
  }

  void leave_politely() {
    say(plan_.half_close ? "NOOP\r\n" : "QUIT\r\n");
    if (plan_.half_close) spfwrap_.client().half_close();
    const std::string heard = spfwrap_.client().rest();
    // An early refusal of a message is its answer, and the end.
    const bool early = plan_.fault.find("body=") != std::string::npos;
    if (heard.empty() && !early) problem("no reply at the end");
    if (heard.ends_with("<silence>")) problem("it does not close");
  }

  const Plan& plan_;
  const Queue queue_;
  Wrapped spfwrap_;
  Outcome outcome_;
  bool open_ = true;
  bool sent_ahead_ = false;
};

}  // namespace

Outcome play(const Plan& plan, const Environment& environment) { return Player(plan, environment).play(); }

}  // namespace storm
