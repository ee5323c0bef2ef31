#include "tests/support/child_record.hh"

#include <algorithm>
#include <sstream>

#include "tests/support/temp_dir.hh"

namespace test {

namespace {

std::string unescape(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t escape = std::min(text.find('%', at), text.size());
    result.append(text, at, escape - at);
    at = escape + 3;
    if (escape + 2 < text.size())
      result += static_cast<char>(std::stoi(text.substr(escape + 1, 2), nullptr, 16));
    else
      result.append(text, escape);
  }
  return result;
}

ChildRun& run_of(std::vector<ChildRun>& runs, int pid) {
  auto found = std::find_if(runs.begin(), runs.end(), [&](auto& run) { return run.pid == pid; });
  if (found != runs.end()) return *found;
  runs.emplace_back().pid = pid;
  return runs.back();
}

void add(ChildRun& run, const std::string& kind, const std::string& text) {
  if (kind == "argument") run.arguments.push_back(text);
  if (kind == "command") run.commands.push_back(text);
  if (kind == "message") run.messages.push_back(text);
  if (kind == "end") run.end = text;
  if (kind == "early-input") run.early_input = true;
  if (kind == "ahead") run.ahead = true;
  if (kind == "variable") {
    const auto equals = text.find('=');
    run.environment[text.substr(0, equals)] = text.substr(equals + 1);
  }
}

}  // namespace

std::string ChildRun::value(const std::string& name) const {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::vector<ChildRun> read_record(const std::string& path) {
  std::vector<ChildRun> runs;
  std::istringstream in(read_file(path));
  int pid;
  std::string kind, text;
  while (in >> pid >> kind && std::getline(in, text))
    add(run_of(runs, pid), kind, unescape(text.empty() ? text : text.substr(1)));
  return runs;
}

}  // namespace test
