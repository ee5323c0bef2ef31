// Real SMTP servers on descriptors 0 and 1, each with a queue of its own in a
// directory of the test's, from which nothing is ever delivered.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.hh"
#include "tests/support/temp_dir.hh"

namespace test {

struct Queued {
  std::string sender;
  Arguments recipients;
  std::string content;  // with the server's own header lines at its top
};

struct MailServer {
  std::string name;
  std::string missing;  // why it can't be run here; "" if it can
  Arguments prog;
  Environment environment;
  // Its replies, and what is left of that to EHLO behind spfwrap; mailfront and
  // postfix only.
  std::string greeting, ehlo, ehlo_behind;
  std::function<std::vector<Queued>()> queue;
  std::string spool;  // the directory or the file where that finds them
  // Of what its queue program was given, SPF* at least, a text for each run, in
  // lines; mailfront and mailfront_or_postfix() only.
  std::function<std::vector<std::string>()> environments;
  std::string drops;  // octets that it may change in a message
};

// In the order of a table's columns: our own child, strict and lax; mailfront
// and exim, if they are installed; postfix, if it is unpacked below POSTFIX_ROOT.
inline constexpr const char* mail_servers[] = {"strict", "lax", "mailfront", "exim", "postfix"};

// `files` holds the queue, and must outlive what is returned.
MailServer mail_server(const std::string& name, const TempDir& files);

// What is queued, which is gone then; for a server that is in no transaction.
std::vector<Queued> take_queue(const MailServer& server);

// What is queued without the server's own Received field at its top.
std::string without_received(std::string_view content);

// The server of a mail host: postfix where there is no mailfront.
MailServer mailfront_or_postfix(const TempDir& files);

}  // namespace test
