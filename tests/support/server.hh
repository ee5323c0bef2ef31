// The chain of a real mail host on loopback: tcpserver, compiled tcprules, the
// programs named, and their log.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/smtp_client.hh"
#include "tests/support/temp_dir.hh"

namespace test {

class Server {
 public:
  // `command` is what tcpserver runs; `rules` are tcprules' input; `control`
  // are control files. The shared name server answers.
  Server(const Arguments& command, const std::string& rules, Environment environment = {},
         const Environment& control = {});

  int port() const { return port_; }
  SmtpClient connect() const { return SmtpClient::connect(port_); }
  const TempDir& files() const { return files_; }

  // Everything that was written on descriptor 2 so far.
  std::string errors() const { return read_file(files_.file("errors")); }
  // The n-th line (from 1) that begins with `start`, once it is there; "" if
  // it does not come.
  std::string wait_for_line(const std::string& start, int n = 1) const;

 private:
  TempDir files_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

// The client `swaks` against a server, with further arguments; its transcript.
Finished swaks(const Server& server, const Arguments& arguments);

}  // namespace test
