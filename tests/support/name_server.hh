// Real DNS on loopback: nsd with zones from a test's text, and a server that
// never answers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/process.hh"
#include "tests/support/temp_dir.hh"

namespace test {

struct Zone {
  std::string name;  // example.org
  std::string text;  // its records; SOA and NS are added
};

// nsd. Answers over UDP are cut at 512 octets, so that what is longer needs
// TCP. A zone it does not have is REFUSED: a temperror.
class NameServer {
 public:
  explicit NameServer(const std::vector<Zone>& zones);

  int port() const { return port_; }
  // What points spfwrap's resolver here.
  Environment environment() const;

 private:
  bool start(const std::vector<Zone>& zones);

  TempDir files_;
  int port_ = 0;
  std::unique_ptr<Process> nsd_;
};

// The one that serves standard_zones() (zones.hh), started at its first use.
NameServer& name_server();

// Takes questions and says nothing.
class SilentNameServer {
 public:
  SilentNameServer();
  int port() const { return port_; }
  Environment environment() const;

 private:
  int port_ = 0;  // before the socket, whose construction sets it
  Fd socket_;
};

}  // namespace test
