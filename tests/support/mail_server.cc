#include "tests/support/mail_server.hh"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <sstream>
#include <stdexcept>

#include "tests/queue/queue.hh"
#include "tests/support/child_record.hh"

namespace test {

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const std::string& directory) {
  std::vector<fs::path> paths;
  std::error_code none;  // a server that queued nothing has not made it
  for (const auto& entry : fs::directory_iterator(directory, none)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The files of a directory that end so, their contents.
std::vector<std::string> texts_in(const std::string& directory, const char* extension) {
  std::vector<std::string> texts;
  for (const fs::path& path : files_in(directory))
    if (path.extension() == extension) texts.push_back(read_file(path));
  return texts;
}

MailServer child(const TempDir& files, bool lax) {
  MailServer server;
  server.prog = {test_program("child")};
  server.environment = {{"CHILD_RECORD", files.file("record")}};
  if (lax) server.environment["CHILD_LAX"] = "lf";
  // Its lines end in CRLF whatever they ended in.
  if (lax) server.drops = "\r";
  server.spool = files.file("record");
  server.queue = [record = server.spool] {
    std::vector<Queued> queued;
    for (const ChildRun& run : read_record(record)) {
      std::vector<std::string> senders;
      for (const std::string& command : run.commands)
        if (command.starts_with("MAIL FROM:<")) senders.push_back(command.substr(11, command.size() - 12));
      // All the transactions of these tests are carried through, or the last is not.
      for (std::size_t i = 0; i < run.messages.size(); ++i)
        queued.push_back({i < senders.size() ? senders[i] : "?", {}, run.messages[i]});
    }
    return queued;
  };
  return server;
}

// What qmail-queue reads on descriptor 1: Fsender, Trecipient ..., each with its NUL.
void read_envelope(const std::string& text, Queued& queued) {
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, '\0') && !part.empty();)
    if (part[0] == 'F')
      queued.sender = part.substr(1);
    else
      queued.recipients.push_back(part.substr(1));
}

MailServer mailfront(const TempDir& files) {
  MailServer server;
  if (access("/usr/sbin/mailfront", X_OK) != 0) server.missing = "mailfront is not installed";
  server.prog = {"/usr/sbin/mailfront", "smtp", "qmail", "accept"};
  server.greeting = "220 mx.local mailfront ESMTP";
  server.ehlo = server.ehlo_behind =
      "250-mx.local\n250-8BITMIME\n250-ENHANCEDSTATUSCODES\n250 PIPELINING";
  const auto queue = std::make_shared<Queue>();
  server.environment = {{"QMAILHOME", files.path()}, {"QUEUE", queue->files().path()}, {"QMAILQUEUE", Queue::prog()}};
  server.spool = queue->files().file("new");
  // qmail-queue gets LF; and CR and dot at the start of a line lose the dot.
  server.drops = "\r.";
  server.queue = [queue] {
    std::vector<Queued> queued;
    for (const QueuedMessage& message : queue->queued()) {
      queued.push_back({.sender = {}, .recipients = {}, .content = message.message});
      read_envelope(message.envelope, queued.back());
    }
    return queued;
  };
  server.environments = [queue] {
    std::vector<std::string> texts;
    for (const QueuedMessage& message : queue->queued()) texts.push_back(message.environment);
    return texts;
  };
  return server;
}

// A message in exim's spool: ID-H has envelope and header, ID-D the body.
Queued exim_message(const fs::path& header_file) {
  const std::string head = read_file(header_file);
  std::string body_file = header_file;
  body_file.back() = 'D';
  const std::string data = read_file(body_file);
  Queued queued;
  const auto sender = head.find("\n<") + 2;
  queued.sender = head.substr(sender, head.find(">\n", sender) - sender);
  for (auto at = head.find("\n\n") + 2; at + 5 < head.size();) {
    const auto length = std::stoul(head.substr(at, 3));  // "195P Received: ..."
    queued.content += head.substr(at + 5, length);
    at += 5 + length;
  }
  queued.content += "\n" + data.substr(data.find('\n') + 1);
  return queued;
}

MailServer exim(const TempDir& files) {
  MailServer server;
  if (access("/usr/sbin/exim4", X_OK) != 0) server.missing = "exim4 is not installed";
  // It gives its spool to a user of its own.
  else if (geteuid() != 0) server.missing = "only root can give exim4 another spool";
  const std::string spool = files.file("spool");
  const std::string settings = files.write(
      "exim.conf", "primary_hostname = mx.local\nspool_directory = " + spool + "\nlog_file_path = " + spool +
                       "/log/%slog\nqueue_only = true\nhost_lookup =\nkeep_environment =\n"
                       "acl_smtp_rcpt = accept\nacl_smtp_data = accept\nsmtp_enforce_sync = false\n"
                       "smtp_max_synprot_errors = 1000\nsmtp_max_unknown_commands = 1000\n"
                       "smtp_accept_max_nonmail = 1000\n");
  server.prog = {"/usr/sbin/exim4", "-C", settings, "-bs", "-odq", "-oMa", "192.0.2.1"};
  server.drops = "\r\n ";  // a bare CR or LF becomes something else
  server.spool = spool + "/input";
  server.queue = [input = server.spool] {
    std::vector<Queued> queued;
    for (const fs::path& path : files_in(input))
      if (path.native().ends_with("-H")) queued.push_back(exim_message(path));
    return queued;
  };
  return server;
}

// A postfix queue file: records of a type, a length in base 128, and the text.
Queued postfix_message(const std::string& file) {
  Queued queued;
  for (std::size_t at = 0; at < file.size();) {
    const char type = file[at++];
    std::size_t length = 0;
    for (int shift = 0; at < file.size(); shift += 7) {
      const unsigned char octet = file[at++];
      length |= static_cast<std::size_t>(octet & 127) << shift;
      if (octet < 128) break;
    }
    const std::string text = file.substr(at, length);
    at += length;
    if (type == 'S') queued.sender = text;
    if (type == 'R') queued.recipients.push_back(text);
    if (type == 'N' || type == 'L') queued.content += text;
    if (type == 'N') queued.content += '\n';  // L: the line goes on
  }
  return queued;
}

MailServer postfix(const TempDir& files, bool tells_environments) {
  MailServer server;
  // Never one that is installed: its postdrop has a group's rights, and so does
  // not listen to MAIL_CONFIG.
  const char* unpacked = getenv("POSTFIX_ROOT");
  const std::string root = unpacked ? unpacked : "";
  if (root.empty() || access((root + "/usr/sbin/postdrop").c_str(), X_OK) != 0)
    server.missing = "postfix is not there: make eod-table unpacks it";
  const std::string home = files.make_directory("postfix"), queue = home + "/queue";
  for (const char* name : {"postfix/queue", "postfix/queue/maildrop", "postfix/queue/pid",
                           "postfix/queue/public", "postfix/data"})
    files.make_directory(name);
  files.write("postfix/master.cf", "");
  std::string commands = root + "/usr/sbin", daemons = root + "/usr/lib/postfix/sbin";
  if (tells_environments) {
    const std::string environments = files.make_directory("postfix/environments");
    files.make_directory("postfix/commands");
    files.script("postfix/commands/postdrop", "#!/bin/sh\nenv >" + environments + "/$$.environment\nexec " + commands +
                                                  "/postdrop \"$@\"\n");
    commands = home + "/commands";
    server.environments = [environments] { return texts_in(environments, ".environment"); };
  }
  const std::string passed = "LD_LIBRARY_PATH MAIL_CONFIG PATH SPFRESULT SPFDOMAIN SPFMECHANISM SSL_TLS_SNI\n";
  const std::string settings = files.write(
      "postfix/main.cf",
      "compatibility_level = 3.6\nmyhostname = mx.local\nmail_owner = daemon\n"
      "setgid_group = bin\nqueue_directory = " + queue + "\ndata_directory = " + home +
          "/data\ncommand_directory = " + commands + "\ndaemon_directory = " + daemons +
          "\nalias_maps =\nalias_database =\nlocal_recipient_maps =\nproxy_read_maps =\n"
          "smtpd_error_sleep_time = 0\nsmtpd_hard_error_limit = 1000\nmessage_size_limit = 0\n"
          "import_environment = " + passed + "export_environment = " + passed);
  // It waits where somebody may still be writing.
  fs::last_write_time(settings, fs::file_time_type::clock::now() - std::chrono::hours(1));
  server.environment = {{"MAIL_CONFIG", home}, {"LD_LIBRARY_PATH", root + "/libraries"}};
  server.greeting = "220 mx.local ESMTP Postfix";
  server.ehlo_behind =
      "250-mx.local\n250-PIPELINING\n250-SIZE\n250-ENHANCEDSTATUSCODES\n250-8BITMIME\n250-DSN\n250 SMTPUTF8";
  server.ehlo =
      "250-mx.local\n250-PIPELINING\n250-SIZE\n250-VRFY\n250-ETRN\n250-ENHANCEDSTATUSCODES\n250-8BITMIME\n"
      "250-DSN\n250-SMTPUTF8\n250 CHUNKING";
  server.prog = {daemons + "/smtpd", "-S"};  // which is what sendmail -bs becomes
  server.drops = "\r";
  server.spool = queue + "/maildrop";
  server.queue = [maildrop = server.spool] {
    std::vector<Queued> queued;
    for (const fs::path& path : files_in(maildrop)) {
      // Else it is being written, or given up and gone since: of what is not there
      // the permissions are unknown, which has all bits set.
      const fs::file_status status = fs::status(path);
      if (fs::is_regular_file(status) && (status.permissions() & fs::perms::owner_exec) != fs::perms::none)
        queued.push_back(postfix_message(read_file(path)));
    }
    return queued;
  };
  return server;
}

}  // namespace

MailServer mail_server(const std::string& name, const TempDir& files) {
  MailServer server = name == "mailfront" ? mailfront(files)
                      : name == "exim"    ? exim(files)
                      : name == "postfix" ? postfix(files, false)
                                          : child(files, name == "lax");
  server.name = name;
  return server;
}

std::vector<Queued> take_queue(const MailServer& server) {
  const std::vector<Queued> queued = server.queue();
  if (fs::is_regular_file(server.spool)) fs::resize_file(server.spool, 0);
  for (const fs::path& path : files_in(server.spool)) fs::remove(path);
  return queued;
}

std::string without_received(std::string_view content) {
  if (!content.starts_with("Received: ")) return std::string(content);
  do content.remove_prefix(content.find('\n') + 1);
  while (content.starts_with(' ') || content.starts_with('\t'));
  return std::string(content);
}

MailServer mailfront_or_postfix(const TempDir& files) {
  MailServer server = mail_server("mailfront", files);
  if (!server.missing.empty()) server = postfix(files, true);
  if (!server.missing.empty()) throw std::runtime_error("neither mailfront nor postfix");
  return server;
}

}  // namespace test
