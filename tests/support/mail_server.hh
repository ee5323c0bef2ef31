// Real SMTP servers on descriptors 0 and 1, each with a queue of its own in a
// directory of the test's, from which nothing is ever delivered.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/support/process.hh"
#include "tests/support/temp_dir.hh"

namespace test {

struct Queued {
  std::string sender;
  std::string content;  // with the server's own header lines at its top
};

struct MailServer {
  std::string name;
  std::string missing;  // why it can't be run here; "" if it can
  Arguments prog;
  Environment environment;
  std::function<std::vector<Queued>()> queue;
  std::string drops;  // octets that it may change in a message
};

// In the order of a table's columns: our own child, strict and lax; mailfront;
// exim, if it is installed; postfix, unpacked or installed.
inline constexpr const char* mail_servers[] = {"strict", "lax", "mailfront", "exim", "postfix"};

// `files` holds the queue, and must outlive what is returned.
MailServer mail_server(const std::string& name, const TempDir& files);

}  // namespace test
