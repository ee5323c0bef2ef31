#include "spf/dns/name_servers.hh"

#include <net/if.h>

#include <map>
#include <string>

#include "tests/catch.hh"
#include "tests/support/temp_dir.hh"

using namespace spf;

namespace {

struct Case {
  const char* about;
  std::map<std::string, std::string> environment;
  const char* file;  // resolv.conf
  std::string servers;
  std::string problems;
};

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

}  // namespace

TEST_CASE("name servers come from the environment, else from resolv.conf, and what can't be used is said") {
  const std::string lo = std::to_string(if_nametoindex("lo"));
  const Case cases[] = {
      {"nothing anywhere", {}, "", "127.0.0.1 port 53", ""},
      {"a usual file", {}, "# x\nsearch a.example\nnameserver 192.0.2.1\nnameserver\t2001:db8::1\noptions edns0\n",
       "192.0.2.1 port 53; 2001:db8::1 port 53", ""},
      {"no line end", {}, "nameserver 192.0.2.1", "192.0.2.1 port 53", ""},
      {"a port", {}, "options ndots:2 port:5353\nnameserver 192.0.2.1\n", "192.0.2.1 port 5353", ""},
      {"RES_OPTIONS count last", {{"RES_OPTIONS", "timeout:3 port:54"}}, "nameserver 192.0.2.1\noptions port:53\n",
       "192.0.2.1 port 54", ""},
      {"NAMESERVERS before the file", {{"NAMESERVERS", "192.0.2.2 192.0.2.3"}}, "nameserver 192.0.2.1\n",
       "192.0.2.2 port 53; 192.0.2.3 port 53", ""},
      {"NSCACHEIP before NAMESERVERS", {{"NAMESERVERS", "192.0.2.2"}, {"NSCACHEIP", "192.0.2.3"}}, "",
       "192.0.2.3 port 53", ""},
      {"a link-local server, its interface by name", {}, "nameserver fe80::1%lo\n", "fe80::1%" + lo + " port 53", ""},
      {"and by number", {{"NAMESERVERS", "fe80::1%" + lo}}, "", "fe80::1%" + lo + " port 53", ""},
      {"no such interface", {}, "nameserver fe80::1%nosuch0\n", "127.0.0.1 port 53",
       "bad resolv.conf: no address of a name server: fe80::1%nosuch0"},
      {"no interface at all", {}, "nameserver fe80::1%\n", "127.0.0.1 port 53",
       "bad resolv.conf: no address of a name server: fe80::1%"},
      {"an IPv4 address has none", {}, "nameserver 192.0.2.1%lo\n", "127.0.0.1 port 53",
       "bad resolv.conf: no address of a name server: 192.0.2.1%lo"},
      {"a name is no address", {{"NAMESERVERS", "dns.example 192.0.2.2"}}, "", "192.0.2.2 port 53",
       "bad NAMESERVERS: no address of a name server: dns.example"},
      {"nothing usable: as if it were not set", {{"NSCACHEIP", "192.0.2.300"}}, "nameserver 192.0.2.1\n",
       "192.0.2.1 port 53", "bad NSCACHEIP: no address of a name server: 192.0.2.300"},
      {"a line without an address", {}, "nameserver\nnameserver 192.0.2.1\n", "192.0.2.1 port 53",
       "bad resolv.conf: no address of a name server: "},
      {"a port that is none", {{"RES_OPTIONS", "port:0 port:65536 port:5x port:"}}, "", "127.0.0.1 port 53",
       "bad RES_OPTIONS: no option: port:0; bad RES_OPTIONS: no option: port:65536; "
       "bad RES_OPTIONS: no option: port:5x; bad RES_OPTIONS: no option: port:"},
      {"an option that nobody knows", {{"RES_OPTIONS", "prot:54"}}, "options what-comes-next\n", "127.0.0.1 port 53",
       "bad RES_OPTIONS: no option: prot:54"},
      {"options of resolv.conf(5), and one whose number is none",
       {{"RES_OPTIONS", "ndots:2 timeout:3 edns0 rotate timeout:x attempts: udpbuf=4096 rotate:1"}}, "",
       "127.0.0.1 port 53",
       "bad RES_OPTIONS: no option: timeout:x; bad RES_OPTIONS: no option: attempts:; "
       "bad RES_OPTIONS: no option: rotate:1"},
      {"more than six", {{"NAMESERVERS", "192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6 192.0.2.7"}}, "",
       "192.0.2.1 port 53; 192.0.2.2 port 53; 192.0.2.3 port 53; 192.0.2.4 port 53; 192.0.2.5 port 53; "
       "192.0.2.6 port 53",
       "bad NAMESERVERS: one name server too many: 192.0.2.7"},
      {"not printable", {{"NAMESERVERS", "\x1b[2J"}}, "", "127.0.0.1 port 53",
       "bad NAMESERVERS: no address of a name server: _[2J"},
  };
  const test::TempDir directory;
  for (const Case& c : cases) {
    INFO(c.about);
    directory.write("resolv.conf", c.file);
    const auto getenv = [&](const char* name) {
      const auto entry = c.environment.find(name);
      return entry == c.environment.end() ? nullptr : entry->second.c_str();
    };
    const NameServers found = name_servers(getenv, (directory.path() + "/resolv.conf").c_str());
    std::vector<std::string> servers;
    for (const SocketAddress& server : found.servers) servers.push_back(server.text());
    CHECK(joined(servers) == c.servers);
    CHECK(joined(found.problems) == c.problems);
  }
}
