#include "tests/support/tls_client.hh"

#include <stdio.h>

#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace test {

Setup TlsClient::before(Setup setup) const {
  setup.environment.emplace("SPFCERT", certificates().server);
  Arguments all{test_program("tls_client")};
  all.insert(all.end(), options_.begin(), options_.end());
  all.push_back(files_.file("report"));
  setup.before.insert(setup.before.begin(), all.begin(), all.end());
  return setup;
}

std::string TlsClient::handshake() const {
  wait_until([this] { return report().find('\n') != std::string::npos; });
  return report().substr(0, report().find('\n'));
}

std::string TlsClient::end() const {
  std::string line;
  wait_until([&] {
    std::istringstream in(report());
    while (std::getline(in, line))
      if (line.starts_with("end ")) return true;
    return false;
  });
  return line;
}

OwnSpftls::OwnSpftls(const std::string& script) {
  files_.script("spftls", "#!/bin/sh\n" + script + "\n");
  if (run({"cp", program("spfwrap"), files_.file("spfwrap")}).code != 0)
    throw std::runtime_error("no copy of spfwrap");
}

Setup OwnSpftls::beside(Setup setup) const {
  setup.before.insert(setup.before.end(), {files_.file("spfwrap"), test_program("child")});
  return setup;
}

std::string start_tls(Wrapped& spfwrap, std::string_view name) {
  const std::string answer = spfwrap.hello(name).ask("STARTTLS");
  return answer == "220 ready for tls" ? spfwrap.ask("EHLO " + std::string(name)) : answer;
}

pid_t process_of(Wrapped& spfwrap, const std::string& program) {
  pid_t found = 0;
  wait_until([&] {
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      if (!isdigit(entry.path().filename().native()[0])) continue;
      int pid, group;
      char name[64];
      const std::string stat = read_file(entry.path() / "stat");
      if (sscanf(stat.c_str(), "%d (%63[^)]) %*c %*d %d", &pid, name, &group) == 3 &&
          group == spfwrap.process().pid() && name == program)
        found = pid;
    }
    return found != 0;
  });
  if (found == 0) throw std::runtime_error("no " + program + " is running");
  return found;
}

std::vector<std::string> warnings(const Wrapped& spfwrap) {
  std::vector<std::string> lines;
  std::istringstream in(spfwrap.errors());
  for (std::string line; std::getline(in, line);)
    if (line.find(": warning: ") != line.npos) lines.push_back(line);
  return lines;
}

}  // namespace test
