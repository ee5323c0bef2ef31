#include "tests/support/server.hh"

#include <sstream>
#include <stdexcept>

#include "tests/support/certificate.hh"
#include "tests/support/name_server.hh"

namespace test {

Server::Server(const Arguments& command, const std::string& rules, Environment environment,
               const Environment& control) {
  environment.emplace("CONTROLDIR", files_.make_directory("control"));
  environment.merge(name_server().environment());
  for (const auto& [name, text] : control) files_.write("control/" + name, text);

  const std::string source = files_.write("rules", rules), cdb = files_.file("rules.cdb");
  const Finished compiled = run({"sh", "-c", "tcprules \"$1\" \"$1.tmp\" <\"$2\"", "sh", cdb, source});
  if (compiled.code != 0) throw std::runtime_error("tcprules: " + compiled.err);

  Arguments arguments{"tcpserver", "-1", "-R", "-H", "-l", "mx.local", "-x", cdb, "127.0.0.1", "0"};
  arguments.insert(arguments.end(), command.begin(), command.end());
  const Fd in = open_null(), out = open_append(files_.file("port")),
           err = open_append(files_.file("errors"));
  process_ = std::make_unique<Process>(arguments, environment,
                                       Streams{in.get(), out.get(), err.get()});
  wait_until([this] { return read_file(files_.file("port")).ends_with("\n"); });
  port_ = std::stoi("0" + read_file(files_.file("port")));
  if (!port_) throw std::runtime_error("tcpserver does not start: " + errors());
}

std::string Server::wait_for_line(const std::string& start, int n) const {
  std::string line;
  wait_until([&] {
    std::istringstream in(errors());
    int seen = 0;
    while (std::getline(in, line))
      if (line.starts_with(start) && ++seen == n) return true;
    line.clear();
    return false;
  });
  return line;
}

// Where it is not told whom to trust, it loads all whom the host does.
Finished swaks(const Server& server, const Arguments& arguments) {
  Arguments all{"swaks", "--server", "127.0.0.1", "--port", std::to_string(server.port()),
                "--helo", "mail.example.org", "--suppress-data", "--tls-ca-path", certificates().root};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run(all);
}

}  // namespace test
