// How a trace shows what was asked when a refusal was due.
#include "spf/explain/check_trace.hh"

#include <string>

#include "spf/engine/check_host.hh"
#include "spf/engine/exemption.hh"
#include "tests/catch.hh"
#include "tests/support/fake_resolver.hh"

using namespace spf;

namespace {

std::string told(const CheckTrace& trace) {
  std::string text;
  for (const TreeLine& line : trace.lines())
    text += line.label + std::string(1 + 2 * line.depth, ' ') + line.text + "\n";
  return text;
}

}  // namespace

TEST_CASE("forwarders and DMARC stand behind the check, each with its own records and questions") {
  FakeResolver resolver;
  resolver.txt("example.org", "v=spf1 a:h.example -all");
  resolver.a("h.example", "198.51.100.1");
  resolver.txt("f.example", "v=spf1 include:i.example -all");
  resolver.txt("i.example", "v=spf1 redirect=j.example");
  resolver.txt("j.example", "v=spf1 a:h.example ?all");
  resolver.trouble("g.example", RrType::txt);
  resolver.txt("_dmarc.example.org", "v=DMARC1; p=none");
  const Query query{*Address::parse("192.0.2.1"), "helo.example", "joe@example.org"};
  CheckTrace trace;
  CheckHost(resolver, {query.client, query.sender, query.helo, "", 0}, trace).check("example.org", {});
  const Limits used = trace.record_limits();
  CHECK(used.lookups == 1);
  const std::string checked = told(trace);
  exemption(query, {"f.example\ng.example", true}, resolver, trace);
  CHECK(trace.record_limits().lookups == used.lookups);
  CHECK(told(trace).substr(0, checked.size()) == checked);
  CHECK(told(trace).substr(checked.size()) == R"(fail forwarder f.example
   f.example TXT: 1 record (0 ms)
   v=spf1 include:i.example -all
no match   include:i.example
     i.example TXT: 1 record (0 ms)
     v=spf1 redirect=j.example
followed     redirect=j.example
       j.example TXT: 1 record (0 ms)
       v=spf1 a:h.example ?all
no match       a:h.example
         h.example A: 198.51.100.1 (known)
match       ?all
match   -all
temperror forwarder g.example
   g.example TXT: no usable answer (0 ms)
 DMARC policy of example.org: none at example.org
   _dmarc.example.org TXT: "v=DMARC1; p=none" (0 ms)
)");
}
