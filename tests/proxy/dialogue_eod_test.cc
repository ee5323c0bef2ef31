// The end of a message before real servers: what each of them makes of a row
// behind spfwrap, and that a MAIL behind a false end is never a command. With
// EOD_TABLE in the environment it prints what happened, also without spfwrap.
#include <stdlib.h>

#include <algorithm>
#include <map>
#include <memory>

#include "tests/catch.hh"
#include "tests/support/mail_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;
using namespace std::string_literals;

namespace {

enum class End { real, data, refused };

struct Row {
  const char* name;
  std::string_view sent;     // after "x"
  End end;                   // what it is
  std::string_view arrives;  // what the message holds in its place
};

constexpr Row rows[] = {
    {"CRLF.CRLF", "\r\n.\r\n", End::real, "\r\n"},
    {"CRCRLF.CRLF", "\r\r\n.\r\n", End::real, "\r\r\n"},
    {"LF.LF", "\n.\n", End::refused, ""},
    {"LF.CRLF", "\n.\r\n", End::refused, ""},
    {"CRLF.LF", "\r\n.\n", End::refused, ""},
    {"CRLF CR.LF", "\r\n\r.\n", End::refused, ""},
    {"LFCR.CRLF", "\n\r.\r\n", End::refused, ""},
    {"bare LF in a line", "\n", End::refused, ""},
    {"CR.CR", "\r.\r", End::data, "\r.\r"},
    {"CR.CRLF", "\r.\r\n", End::data, "\r.\r\n"},
    {"CRLF.CR", "\r\n.\r", End::data, "\r\n\r"},
    {"CRLF.CRCRLF", "\r\n.\r\r\n", End::data, "\r\n\r\r\n"},
    {"CRLF.CR.CRLF", "\r\n.\r.\r\n", End::data, "\r\n\r.\r\n"},
    {"CRLF.NUL CRLF", std::string_view("\r\n.\0\r\n", 6), End::data, std::string_view("\r\n\0\r\n", 5)},
    {"CRLF..CRLF", "\r\n..\r\n", End::data, "\r\n.\r\n"},
    {"CRLF. CRLF", "\r\n. \r\n", End::data, "\r\n \r\n"},
};

constexpr std::string_view start_of_message = "Subject: row\r\n\r\nx";
constexpr std::string_view second = "MAIL FROM:<evil@pass.example.org>\r\n"
                                    "RCPT TO:<b@example.org>\r\nDATA\r\n";
constexpr std::string_view rest = "Subject: second\r\n\r\ny\r\n";

std::string without(std::string text, const std::string& octets) {
  std::erase_if(text, [&](char c) { return octets.find(c) != octets.npos; });
  return text;
}

// Whether `text` is header lines, as servers and we put them before a message.
bool is_trace(std::string_view text) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n') + 1);
    if (!line.starts_with("Received") && !line.starts_with(' ') && !line.starts_with('\t')) return false;
    text.remove_prefix(line.size());
  }
  return true;
}

// Whether what is queued is `sent`, but for trace lines at its top.
bool is(const Queued& queued, const std::string& sent, const std::string& drops) {
  const auto body = queued.content.find("Subject: ");
  return body != std::string::npos && is_trace(std::string_view(queued.content).substr(0, body)) &&
         without(queued.content.substr(body), drops) == without(sent, drops);
}

// What happened, in a few words; these are the good ones.
constexpr const char* both = "two messages";
constexpr const char* one = "one message";
constexpr const char* none = "451, nothing";

std::string outcome(const MailServer& server, const Row& row, const std::string& heard) {
  const auto queue = take_queue(server);
  const std::string first = std::string(start_of_message) + std::string(row.arrives);
  if (std::any_of(queue.begin(), queue.end(), [](auto& q) { return q.sender.starts_with("evil"); })) {
    if (row.end != End::real) return "SMUGGLED";
    const bool whole = queue.size() == 2 && std::any_of(queue.begin(), queue.end(), [&](auto& q) {
      return q.sender.starts_with("evil") ? false : is(q, first, server.drops);
    });
    return whole ? both : "two, changed";
  }
  if (queue.empty()) return heard.starts_with("451 See https://cr.yp.to/docs/smtplf.html.\n") ? none
                            : heard.substr(0, 3) + ", nothing";
  if (queue.size() > 1 || !heard.starts_with("250")) return "queued, but answered " + heard.substr(0, 3);
  // Lines that the message holds, not commands: they were dot-stuffed by nobody.
  const std::string all = first + std::string(second) + std::string(rest);
  return is(queue[0], all, server.drops) ? one : "one, changed";
}

// A server and its session: one for all the rows that do not end it.
class Host {
 public:
  Host(const std::string& name, const std::string& level) : server_(mail_server(name, files_)), level_(level) {}

  const std::string& missing() const { return server_.missing; }

  std::string play(const Row& row, std::size_t piece) {
    if (!spfwrap_) start();
    SmtpClient& client = spfwrap_->client();
    client.talk({"MAIL FROM:<a@pass.example.org>", "RCPT TO:<b@example.org>", "DATA"});
    client.send(std::string(start_of_message) + std::string(row.sent) + std::string(second), piece);
    std::string heard;
    if (row.end == End::real)  // the message is still to be asked for
      for (int replies = 0; replies < 4; ++replies) heard += client.reply() + "\n";
    // Its reply is the last, however many came before it.
    client.send(std::string(rest) + ".\r\nNO SUCH COMMAND\r\n", piece);
    std::string reply;
    do heard += (reply = client.reply()) + "\n";
    while (!reply.starts_with("50") && reply.find('<') == reply.npos);
    if (!reply.starts_with("50") && !ends()) return "something stays";
    return outcome(server_, row, heard);
  }

  // Whether nothing stays of its session.
  bool ends() {
    const std::unique_ptr<Wrapped> ending = std::move(spfwrap_);
    return !ending || ending->finish() != -1;
  }

 private:
  void start() {
    Setup setup = test::level(level_, server_.environment);
    setup.prog = server_.prog;
    spfwrap_ = std::make_unique<Wrapped>(setup);
    spfwrap_->hello();
  }

  const TempDir files_;
  const MailServer server_;
  const std::string level_;
  std::unique_ptr<Wrapped> spfwrap_;
};

using Table = std::map<std::string, std::map<std::string, std::string>>;  // row, server

void print(const char* title, Table& table) {
  printf("%s\n\n%-18s", title, "after the body");
  for (const char* name : mail_servers) printf(" %-14s", name);
  for (const Row& row : rows) {
    printf("\n%-18s", row.name);
    for (const char* name : mail_servers) {
      const std::string& cell = table[row.name][name];
      printf(" %-14s", cell.empty() ? "-" : cell.c_str());
    }
  }
  printf("\n\n");
}

}  // namespace

TEST_CASE("no server executes a MAIL behind a false end, and all messages arrive as they were sent") {
  Table behind, alone;
  for (const char* name : mail_servers) {
    Host host(name, "3"), unwrapped(name, "0");
    if (!host.missing().empty()) {
      printf("# %s: %s\n", name, host.missing().c_str());
      continue;
    }
    for (const Row& row : rows) {
      const std::string expected = row.end == End::real ? both : row.end == End::data ? one : none;
      for (const std::size_t piece : {4096u, 1u}) {
        INFO(row.name << " before " << name << ", in pieces of " << piece);
        const std::string seen = host.play(row, piece);
        CHECK(seen == expected);
        auto& cell = behind[row.name][name];
        if (cell.empty() || cell == expected) cell = seen;
      }
      if (getenv("EOD_TABLE")) alone[row.name][name] = unwrapped.play(row, 4096);
    }
    CHECK(host.ends());
  }
  if (!getenv("EOD_TABLE")) return;
  print("Behind spfwrap, whole and byte by byte:", behind);
  print("Without it, for comparison:", alone);
}
