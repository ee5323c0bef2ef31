#include "tests/support/wrapped.hh"

#include <sstream>

#include "tests/support/name_server.hh"

namespace test {

Setup level(const std::string& spfbehavior, Environment more) {
  more["SPFBEHAVIOR"] = spfbehavior;
  return {.environment = more};
}

Wrapped::Wrapped(const Setup& setup) {
  Environment environment = {{"PROTO", "TCP"},
                             {"TCPREMOTEIP", "192.0.2.1"},
                             {"TCPREMOTEPORT", "4321"},
                             {"TCPREMOTEHOST", "client.example"},
                             {"TCPLOCALIP", "192.0.2.25"},
                             {"TCPLOCALPORT", "25"},
                             {"TCPLOCALHOST", "mx.local"},
                             {"CONTROLDIR", files_.make_directory("control")},
                             {"CHILD_RECORD", files_.file("record")}};
  if (!setup.environment.count("NAMESERVERS")) environment.merge(name_server().environment());
  for (const auto& [name, value] : setup.environment) environment[name] = value;
  for (const auto& name : setup.unset) environment.erase(name);
  for (const auto& [name, text] : setup.control) files_.write("control/" + name, text);

  Connection ends = connection(setup.over);
  client_ = std::make_unique<SmtpClient>(std::move(ends.client));
  const Fd server = std::move(ends.server), errors = open_append(files_.file("errors"));
  Arguments arguments = setup.before;
  arguments.push_back(program("spfwrap"));
  if (setup.prog.empty())
    arguments.push_back(test_program("child"));
  else
    arguments.insert(arguments.end(), setup.prog.begin(), setup.prog.end());
  process_ = std::make_unique<Process>(arguments, environment,
                                       Streams{server.get(), server.get(), errors.get()});
}

Wrapped& Wrapped::hello(std::string_view name) {
  client_->reply();
  ask("EHLO " + std::string(name));
  return *this;
}

int Wrapped::finish() {
  client_->close();
  const auto code = process_->wait();
  const std::string said = errors();
  const bool sane = said.find("Sanitizer") == said.npos && said.find("runtime error:") == said.npos;
  return code && process_->group_gone() && sane ? *code : -1;
}

std::vector<std::string> Wrapped::log() const {
  std::vector<std::string> lines;
  std::istringstream in(errors());
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("qlogenvelope: ")) lines.push_back(line);
  return lines;
}

std::string warning_of(pid_t pid, const std::string& what) {
  return "spfwrap: warning: pid " + std::to_string(pid) + ": " + what;
}

ChildRun Wrapped::last_run() const {
  const auto all = runs();
  return all.empty() ? ChildRun{} : all.back();
}

std::string deliver(Wrapped& wrapped, const std::string& mail, std::string_view body) {
  std::string replies;
  for (const std::string& command : {mail, std::string("RCPT TO:<b@example.org>"), std::string("DATA")}) {
    const std::string reply = wrapped.ask(command);
    replies += reply + '\n';
    if (reply[0] != '2' && reply[0] != '3') return replies;
  }
  wrapped.client().send(body);
  return replies + wrapped.ask(".") + '\n';
}

}  // namespace test
