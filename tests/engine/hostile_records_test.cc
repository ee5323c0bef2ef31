// What the worst records cost: each is evaluated as spfwrap does it, in a
// process of its own behind the wall. HOSTILE_TABLE=1 prints what each took.
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "spf/proxy/evaluator.hh"
#include "tests/catch.hh"
#include "tests/support/process.hh"
#include "tests/support/fake_resolver.hh"

using namespace spf;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += text;
  return result;
}

std::string number(int value) { return std::to_string(value); }

const std::string dots = repeated(".", 1990), labels = repeated("a.", 995) + "z",
                  reserved = repeated("&", 1990);

struct Row {
  const char* what;
  std::function<void(FakeResolver&)> publish;
  std::string local_part;
  Result result;
  unsigned least_questions;  // it really leads to so much
};

void ten_names(FakeResolver& zone, const std::string& domain) {
  for (int i = 1; i <= 10; ++i) {
    zone.mx(domain, "h" + number(i) + "." + domain);
    zone.a("h" + number(i) + "." + domain, "198.51.100.1");
  }
}

// example.org's record, with more that it leads to.
auto record(const std::string& text) {
  return [text](FakeResolver& zone) { zone.txt("example.org", text); };
}
auto explanation(const std::string& text) {
  return [text](FakeResolver& zone) {
    zone.txt("example.org", "v=spf1 -all exp=exp.example");
    zone.txt("exp.example", text);
    zone.ptr("1.2.0.192.in-addr.arpa", "mail.example.org");
    zone.a("mail.example.org", "192.0.2.1");
  };
}
auto ten_includes(const std::string& text) {
  return [text](FakeResolver& zone) {
    zone.txt("example.org", "v=spf1" + repeated(" include:i.example", 10) + " -all");
    zone.txt("i.example", "v=spf1 " + text + " ?all");
  };
}

// The reverse tree names ten hosts with many addresses, none of them the client's.
void publish_ptr(FakeResolver& zone, const std::string& text, int addresses = 3000) {
  zone.txt("example.org", text);
  for (int i = 1; i <= 10; ++i) {
    const std::string name = "p" + number(i) + ".example.org";
    zone.ptr("1.2.0.192.in-addr.arpa", name);
    for (int j = 0; j < addresses; ++j) zone.a(name, "10.1." + number(j / 250) + "." + number(j % 250));
  }
}

// Ten of the first kind, then ten of the second; `plain`, or with a macro.
enum class Mx { plain, macro };
void publish_mx(FakeResolver& zone, Mx first, Mx second) {
  std::string text = "v=spf1";
  for (int i = 0; i < 20; ++i) {
    const std::string name = "m" + number(i);
    ten_names(zone, name + ".example.org");
    text += " mx:" + name + ((i < 10 ? first : second) == Mx::plain ? ".example.org" : ".%{d}");
  }
  zone.txt("example.org", text + " -all");
}

void publish_aliases(FakeResolver& zone) {
  std::string text = "v=spf1";
  for (int i = 1; i <= 10; ++i) {
    const std::string domain = "m" + number(i) + ".example.org";
    text += " mx:" + domain;
    for (int j = 1; j <= 10; ++j) {
      std::string name = "h" + number(j) + "." + domain;
      zone.mx(domain, name);
      for (int link = 0; link < 8; ++link) {
        const std::string next = "l." + name;
        zone.cname(name, next);
        name = next;
      }
      zone.a(name, "198.51.100.1");
    }
  }
  zone.txt("example.org", text + " -all");
}

std::string networks(const char* format, int count) {
  std::string text;
  char term[64];
  for (int i = 0; i < count; ++i) {
    std::snprintf(term, sizeof term, format, i / 250 + 1, i % 250);
    text += term;
  }
  return text;
}

const std::vector<Row> rows = {
    {"one plain mx", [](FakeResolver& zone) {
       zone.txt("example.org", "v=spf1 mx -all");
       ten_names(zone, "example.org");
     }, "joe", Result::fail, 12},
    {"284 %{l}, a local part of 1,990 dots", record("v=spf1 exists:" + repeated("%{l}", 284) + "x.org -all"),
     dots, Result::fail, 1},
    {"the same reversed, 64 KB of it", record("v=spf1 exists:" + repeated("%{lr}", 12500) + ".x.org -all"),
     dots, Result::fail, 1},
    {"the same URL-escaped, of reserved octets", record("v=spf1 exists:" + repeated("%{L}", 15500) + ".x.org -all"),
     reserved, Result::fail, 1},
    {"reversed and URL-escaped, one part of it",
     record("v=spf1 exists:" + repeated("%{L1R}", 10000) + ".x.org -all"), "-" + labels, Result::fail, 1},
    {"parts that are empty", record("v=spf1 exists:" + repeated("%{l1-}", 10000) + ".x.org -all"),
     labels + "-", Result::fail, 1},
    {"60,000 delimiters", record("v=spf1 exists:%{l" + repeated("-", 60000) + "}.x.org -all"), labels,
     Result::fail, 2},
    {"ten includes, 64 KB of %{l}", ten_includes("exists:" + repeated("%{l}", 15500) + ".x.org"), dots,
     Result::permerror, 2},
    {"ten includes, 64 KB of empty parts", ten_includes("exists:" + repeated("%{l1-}", 10000) + ".x.org"),
     labels + "-", Result::permerror, 2},
    {"it includes itself, 32,000 terms", [](FakeResolver& zone) {
       zone.txt("example.org", "v=spf1 include:example.org" + repeated(" a", 32000) + " -all");
     }, "joe", Result::permerror, 1},
    {"exp= of 12,000 %{p}", explanation(repeated("%{p}", 12000)), "joe", Result::fail, 4},
    {"the same, ten names of 300 addresses", [](FakeResolver& zone) {
       publish_ptr(zone, "v=spf1 -all exp=exp.example", 300);
       zone.txt("exp.example", repeated("%{p}", 12000));
     }, "joe", Result::fail, 13},
    {"exp= of 16,000 %{l}", explanation(repeated("%{l}", 16000)), dots, Result::fail, 2},
    {"exp= of 10,000 empty parts", explanation(repeated("%{l1-}", 10000)), labels + "-", Result::fail, 2},
    {"exp= of 65,000 octets", explanation(std::string(65000, 'x')), "joe", Result::fail, 2},
    {"ptr, ten names of 3,000 addresses", [](FakeResolver& zone) {
       publish_ptr(zone, "v=spf1" + repeated(" ptr", 10) + " -all");
     }, "joe", Result::fail, 12},
    {"%{p}, ten names of 3,000 addresses", [](FakeResolver& zone) {
       publish_ptr(zone, "v=spf1" + repeated(" a:%{p}.%{d}", 10) + " -all exp=%{p}.%{d}");
       zone.a("unknown.example.org", "198.51.100.1");
     }, "joe", Result::fail, 14},
    {"4,900 ip4", record("v=spf1" + networks(" ip4:10.%d.%d.1", 4900) + " -all"), "joe", Result::fail, 1},
    {"3,500 ip6 and a client of IPv4", record("v=spf1" + networks(" ip6:2001:db8::%d:%d", 3500) + " -all"), "joe",
     Result::fail, 1},
    {"20 mx of ten names", [](FakeResolver& zone) { publish_mx(zone, Mx::plain, Mx::plain); }, "joe",
     Result::permerror, 111},
    {"ten macro mx, then ten plain ones", [](FakeResolver& zone) { publish_mx(zone, Mx::macro, Mx::plain); },
     "joe", Result::permerror, 111},
    {"ten plain mx, then ten macro ones", [](FakeResolver& zone) { publish_mx(zone, Mx::plain, Mx::macro); },
     "joe", Result::permerror, 111},
    {"CNAMEs one link at a time", publish_aliases, "joe", Result::temperror, 130},
};

// Of the row that is evaluated: its process has a copy, and tells how much it
// was asked in memory that both see.
FakeResolver* zone = nullptr;
unsigned* questions = nullptr;

Judgement evaluate(const Query& query, const CheckOptions& options, Resolver&) {
  struct Count {
    ~Count() { *questions = zone->questions(); }
  } count;
  return check(query, options, *zone);
}

long cpu_time_of_children() {
  rusage used;
  getrusage(RUSAGE_CHILDREN, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
         (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

}  // namespace

TEST_CASE("no record costs more than a moment, or 130 questions, or ends in another result") {
  const bool table = std::getenv("HOSTILE_TABLE") != nullptr;
  questions = static_cast<unsigned*>(mmap(nullptr, sizeof *questions, PROT_READ | PROT_WRITE,
                                          MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  REQUIRE(questions != MAP_FAILED);
  for (const Row& row : rows) {
    FakeResolver published;
    row.publish(published);
    zone = &published;
    *questions = 0;
    const Query query = {*Address::parse("192.0.2.1"), "helo.example", row.local_part + "@example.org"};
    const long before = cpu_time_of_children();
    std::optional<CheckAnswer> answer;
    std::string complaint;
    {
      const SealedAddresses name_server({*SocketAddress::parse("127.0.0.1", 9)});
      Evaluator evaluator(query, {}, name_server, seconds(20), evaluate);
      pollfd p = {evaluator.descriptor(), POLLIN, 0};
      while (!answer && poll(&p, 1, 25000) == 1) answer = evaluator.read(no_verdict(query, false));
      complaint = evaluator.complaint();
    }
    const long cpu_time = cpu_time_of_children() - before;
    REQUIRE(answer);
    const Judgement judgement = std::get<Judgement>(*answer);
    if (table)
      std::printf("%-42s %-10s %6ld ms %5u questions  %s\n", row.what, std::string(name(judgement.verdict.result)).c_str(),
                  cpu_time, *questions, complaint.c_str());
    INFO(row.what);
    CHECK(complaint == "");
    CHECK(judgement.verdict.result == row.result);
    CHECK(*questions >= row.least_questions);
    CHECK(*questions <= 130);
    // In milliseconds; most take some five, on a machine with other work.
    CHECK(cpu_time <= (test::sanitized() ? 1000 : 400));
  }
}
