// A name server that is silent, refuses or lies: 451 from level 2, a mark in
// the message at level 1, in the time that SPFTIMEOUT gives, and nothing more.
#include "tests/catch.hh"
#include "tests/support/dns_server.hh"
#include "tests/support/wrapped.hh"

using namespace test;

namespace {

struct Trouble {
  const char* why;
  const char* label;  // of the domain that has it
};

constexpr Trouble troubles[] = {
    {"says nothing", "silent"},
    {"has a failure", "servfail"},
    {"refuses", "refused"},
    {"cuts its answers, and takes no TCP", "cut"},
    {"answers under another id", "wrongid"},
    {"answers another question", "otherquestion"},
    {"answers with a question", "notananswer"},
    {"answers with less than a header", "short"},
    {"answers with noise", "noise"},
    {"promises records that are not there", "counts"},
    {"points a name at itself", "loop"},
};

// The zone's answer to `query`, spoilt as the name in it says.
std::optional<std::vector<std::string>> spoilt(DnsServer& dns, const std::string& query, bool tcp) {
  const auto about = [&](const char* label) { return query.find(label) != std::string::npos; };
  std::string answer = dns.answer(query, tcp);
  if (about("wrongid")) answer[0] = static_cast<char>(answer[0] ^ 1);
  else if (about("otherquestion")) answer[13] = 'x';
  else if (about("notananswer")) answer[2] = static_cast<char>(answer[2] & 0x7f);
  else if (about("short")) answer.resize(7);
  else if (about("noise")) answer = answer.substr(0, 12) + std::string(200, '\xfe');
  else if (about("counts")) answer[7] = 9;
  else if (about("loop")) answer = answer.substr(0, 12) + "\xc0\x0c" + answer.substr(14);
  else return {};
  return std::vector<std::string>{answer};
}

struct Server {
  DnsServer dns;
  Server() {
    for (const Trouble& t : troubles)
      dns.txt(std::string(t.label) + ".example", "v=spf1 ip4:192.0.2.1 -all");
    dns.fault("silent.example", DnsServer::Fault::silence, DnsServer::TXT);
    dns.fault("servfail.example", DnsServer::Fault::servfail, DnsServer::TXT);
    dns.fault("refused.example", DnsServer::Fault::refused, DnsServer::TXT);
    dns.fault("cut.example", DnsServer::Fault::truncated, DnsServer::TXT);
    dns.tcp(false);
    dns.script([this](const std::string& query, bool tcp) { return spoilt(dns, query, tcp); });
  }
  Environment environment() const {
    return {{"NAMESERVERS", dns.address()},
            {"RES_OPTIONS", "port:" + std::to_string(dns.port())},
            {"SPFTIMEOUT", "2"}};
  }
};

// One session for each trouble, all of them waiting side by side.
std::vector<std::unique_ptr<Wrapped>> sessions(const Server& server, const char* behaviour) {
  std::vector<std::unique_ptr<Wrapped>> all;
  for (const Trouble& t : troubles) {
    all.push_back(std::make_unique<Wrapped>(level(behaviour, server.environment())));
    all.back()->hello().client().send("MAIL FROM:<a@" + std::string(t.label) + ".example>\r\n");
  }
  return all;
}

}  // namespace

TEST_CASE("from level 2 a MAIL that DNS does not decide is 451, and the session goes on", "[waits]") {
  Server server;
  const auto start = Clock::now();
  const auto all = sessions(server, "2");
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO("a name server that " << troubles[i].why);
    CHECK(all[i]->client().reply() == "451 SPF lookup failure (#4.3.0)");
    CHECK(all[i]->talk({"NOOP", "QUIT"}) == "250 ok\n221 child.example\n");
    CHECK(all[i]->finish() == 0);
    CHECK(all[i]->log().size() == 1);
    CHECK(all[i]->runs().size() == 1);
  }
  CHECK(since(start) < 8s);
}

TEST_CASE("at level 1 its message arrives, marked", "[waits]") {
  Server server;
  const auto all = sessions(server, "1");
  for (std::size_t i = 0; i < all.size(); ++i) {
    INFO("a name server that " << troubles[i].why);
    CHECK(all[i]->client().reply() == "250 ok");
    CHECK(all[i]->talk({"RCPT TO:<b@example.org>", "DATA"}) == "250 ok\n354 go ahead\n");
    CHECK(all[i]->ask("x\r\n.") == "250 ok 1095 qp 4711");
    CHECK(all[i]->finish() == 0);
    REQUIRE(all[i]->last_run().messages.size() == 1);
    CHECK(all[i]->last_run().messages[0].starts_with("Received-SPF: temperror (mx.local: "));
    CHECK(all[i]->last_run().messages[0].ends_with("\r\nx\r\n"));
  }
}

TEST_CASE("where no name server listens, it is known without waiting for the whole time", "[waits]") {
  unsigned closed;
  { const DnsServer gone; closed = gone.port(); }
  Wrapped spfwrap(level("2", {{"NAMESERVERS", "127.0.0.1"}, {"RES_OPTIONS", "port:" + std::to_string(closed)}}));
  const auto start = Clock::now();
  CHECK(spfwrap.hello().ask("MAIL FROM:<a@pass.example.org>") == "451 SPF lookup failure (#4.3.0)");
  CHECK(since(start) < 10s);  // of 20
  CHECK(spfwrap.finish() == 0);
}

TEST_CASE("what of the name servers can't be used is said once a session, and the others are asked") {
  DnsServer dns;
  dns.txt("a.example", "v=spf1 ip4:192.0.2.1 -all");
  Wrapped spfwrap(level("3", {{"NAMESERVERS", "dns.example " + dns.address()},
                              {"RES_OPTIONS", "port:" + std::to_string(dns.port())}}));
  spfwrap.hello();
  for (int i = 0; i < 2; ++i) {
    CHECK(spfwrap.ask("MAIL FROM:<a@a.example>") == "250 ok");
    CHECK(spfwrap.ask("RSET") == "250 flushed");
  }
  CHECK(spfwrap.finish() == 0);
  const std::string errors = spfwrap.errors();
  const std::string warning = spfwrap.warned("bad NAMESERVERS: no address of a name server: dns.example\n");
  CHECK(errors.find(warning) != errors.npos);
  CHECK(errors.find(warning) == errors.rfind(warning));
  CHECK(spfwrap.log().size() == 2);
}
