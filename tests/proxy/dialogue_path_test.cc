// Senders before real servers: what they would read in another way than it is
// checked does not come to them, and fair ones come to their queues as they were.
// For notqmail its rule for literals of this machine stands behind the strict child.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <memory>
#include <vector>

#include "tests/catch.hh"
#include "tests/fuzz/path_model.hh"
#include "tests/support/mail_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

// This machine's own: the kernel's, and those that mean it everywhere.
std::vector<std::string> own_literals() {
  std::vector<std::string> literals = {"[127.0.0.1]", "[0.0.0.0]", "[IPv6:::1]", "[IPv6:::]"};
  ifaddrs* list = nullptr;
  REQUIRE(getifaddrs(&list) == 0);
  for (const ifaddrs* i = list; i; i = i->ifa_next) {
    if (!i->ifa_addr) continue;
    const bool ip4 = i->ifa_addr->sa_family == AF_INET;
    if (!ip4 && i->ifa_addr->sa_family != AF_INET6) continue;
    char text[INET6_ADDRSTRLEN];
    if (ip4)
      inet_ntop(AF_INET, &reinterpret_cast<sockaddr_in*>(i->ifa_addr)->sin_addr, text, sizeof text);
    else
      inet_ntop(AF_INET6, &reinterpret_cast<sockaddr_in6*>(i->ifa_addr)->sin6_addr, text, sizeof text);
    literals.push_back((ip4 ? "[" : "[IPv6:") + std::string(text) + "]");
  }
  freeifaddrs(list);
  return literals;
}

std::string written(const fuzz::ReadMailbox& mailbox) {
  return mailbox.domain.empty() ? mailbox.local : mailbox.local + '@' + mailbox.domain;
}

// A sender as notqmail has it, with control/me = mx.local.
std::string notqmail(const std::string& sender) {
  for (const std::string& own : own_literals()) {
    const auto read = fuzz::read_path("FROM:<" + sender + ">", fuzz::Server::qmail,
                                      own.substr(1, own.size() - 2), "mx.local");
    if (read->domain == "mx.local") return written(*read);
  }
  return sender;
}

constexpr std::string_view refused = "501 syntax: MAIL FROM:<address> (#5.5.4)";

// A session before a server. At level 0 spfwrap is not between.
class Host {
 public:
  explicit Host(const std::string& name, const std::string& level = "3") : server_(mail_server(name, files_)) {
    if (!server_.missing.empty()) return;
    Setup setup = test::level(level, server_.environment);
    setup.prog = server_.prog;
    spfwrap_ = std::make_unique<Wrapped>(setup);
    spfwrap_->hello("pass.example.org");
  }

  bool runs() const { return spfwrap_ != nullptr; }

  // What became of a message: "501", "queued SENDER", or the server's own reply to MAIL.
  std::string outcome(const std::string& sender) {
    spfwrap_->ask("RSET");
    const std::string replies = deliver(*spfwrap_, "MAIL FROM:<" + sender + ">");
    const std::string reply = replies.substr(0, replies.find('\n'));
    if (reply.starts_with("5")) {
      const std::string more = spfwrap_->talk({"RCPT TO:<b@example.org>", "DATA"});
      if (more.find("354") != more.npos) return "DATA after 501";
    }
    const auto queue = take_queue(server_);
    if (queue.size() > 1) return "queued more than once";
    if (!queue.empty())
      return "queued " + (server_.name == "strict" ? notqmail(queue[0].sender) : queue[0].sender);
    return reply == refused ? "501" : reply;
  }

  // Whether it ends, and nothing was queued since.
  bool ends() {
    spfwrap_->client().send("QUIT\r\n");
    return spfwrap_->finish() != -1 && server_.queue().empty();
  }

 private:
  const TempDir files_;
  const MailServer server_;
  std::unique_ptr<Wrapped> spfwrap_;
};

std::vector<std::string> hostile_senders() {
  std::vector<std::string> senders = {
      "x@[0000127.0.0.1]", "x@[127.0.0.001]", "x@[383.0.0.1]", "\"x\"@[127.0.0.1]",
      "x@[IPv6:::ffff:127.0.0.1]", "x@[IPv6:::ffff:0.0.0.0]",
      "x@fail.example.org(@pass.example.org",
      "x%fail.example.org", "fail.example.org!x", "\"x%fail.example.org\"",
      "x@fail.example.org(a)", "x@(c)fail.example.org", "x@fail(c).example.org", "(c)x@fail.example.org",
      "x@fail.example.org(", "x@fail.example.org,", "x@fail.example.org;", "g:x@fail.example.org;",
      "x@fail.example.org@pass.example.org", "x@pass.example.org@fail.example.org",
      "\"@a:x\"@pass.example.org", "x@fail.example.org.\\@pass.example.org",
  };
  for (const std::string& own : own_literals()) senders.push_back("x@" + own);
  return senders;
}

}  // namespace

TEST_CASE("no server has a sender that was not checked") {
  for (const char* name : mail_servers) {
    Host host(name);
    if (!host.runs()) continue;
    for (const std::string& sender : hostile_senders()) {
      INFO(sender << " before " << name);
      CHECK(host.outcome(sender) == "501");
    }
    CHECK(host.ends());
  }
}

TEST_CASE("fair senders come to their queues as they were") {
  // But what a server itself does not take.
  const struct { const char* why; std::string sender; std::string refused_by; } cases[] = {
      {"BATV", "prvs=1234567890=a@pass.example.org", ""},
      {"SRS", "SRS0=Xy+z=TT=c.example=a@pass.example.org", ""},
      {"VERP", "list-return-1-a=c.example@pass.example.org", ""},
      {"all of atext", "!#$%&'*+-/=?^_`{|}~@pass.example.org", ""},
      {"doubled dots", "a..b@pass.example.org", ""},
      {"dots at the ends", ".a.@pass.example.org", ""},
      {"a percent sign with a domain", "a%b@pass.example.org", ""},
      {"quotes", "\"a b\"@pass.example.org", ""},
      {"an @ in quotes", "\"a@fail.example.org\"@pass.example.org", ""},
      {"brackets and more in quotes", "\"a(b),c;:d\"@pass.example.org", ""},
      {"an escaped quote", "\"a\\\"b\"@pass.example.org", ""},
      {"an underscore in the domain", "a@b_c.example.org", "exim"},
      {"UTF-8", "\xc3\xa9@pass.example.org", ""},
      {"Latin-1", "M\xfcller@pass.example.org", "postfix"},
      {"UTF-8 in the domain", "a@b\xc3\xbc" "cher.example.org", "exim"},
      {"a literal of somebody else", "a@[192.0.2.1]", "exim"},
      {"a literal of IPv6", "a@[IPv6:2001:db8::1]", "exim"},
      {"a trailing dot", "a@pass.example.org.", "exim"},
  };
  for (const char* name : mail_servers) {
    Host host(name);
    if (!host.runs()) continue;
    for (const auto& c : cases) {
      const std::string seen = host.outcome(c.sender);
      INFO(c.why << " before " << name << ": " << seen);
      if (name == c.refused_by) {
        CHECK((seen.starts_with("50") && seen != "501"));
        continue;
      }
      REQUIRE(seen.starts_with("queued "));
      const std::string sender = seen.substr(7);
      CHECK((sender == c.sender || sender == written(fuzz::by_the_book(c.sender))));
    }
    CHECK(host.ends());
  }
}

TEST_CASE("servers read senders as their models do") {
  const struct { const char* name; fuzz::Server server; } models[] = {
      {"mailfront", fuzz::Server::mailfront},
      {"postfix", fuzz::Server::postfix},
      {"exim", fuzz::Server::exim},
  };
  for (const auto& model : models) {
    Host host(model.name, "0");
    if (!host.runs()) continue;
    for (const std::string& sender : hostile_senders()) {
      INFO(sender << " before " << model.name);
      const std::string seen = host.outcome(sender);
      const auto read = fuzz::read_path("FROM:<" + sender + ">", model.server);
      if (!seen.starts_with("queued ")) {
        CHECK(seen.starts_with("5"));  // the models are more lenient
        continue;
      }
      REQUIRE(read);
      // Postfix makes an @ of % and ! when the message has left this queue.
      std::string queued = seen.substr(7);
      if (model.server == fuzz::Server::postfix && queued.find('@') == queued.npos)
        queued = written(*fuzz::read_path("FROM:<" + queued + ">", model.server));
      CHECK((written(*read) == queued || written(*read) == written(fuzz::by_the_book(queued))));
    }
    CHECK(host.ends());
  }
}
