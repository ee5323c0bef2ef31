#include "tests/support/zones.hh"

namespace test {

namespace {

// One TXT record of several strings, more than a UDP answer of 512 octets holds.
std::string long_record(const std::string& last_term) {
  std::string record = "\"v=spf1\"";
  for (int i = 0; i < 80; ++i) record += " \" ip4:198.51.100." + std::to_string(i) + "\"";
  return record + " \" " + last_term + "\"";
}

const char example_org[] = R"(
@             TXT "v=spf1 mx -all"
@             MX  10 mail
mail          A   192.0.2.1
mail          TXT "v=spf1 a -all"

pass          TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all"
fail          TXT "v=spf1 -all"
softfail      TXT "v=spf1 ~all"
neutral       TXT "v=spf1 ?all"
none          TXT "there is no such policy here"
permerror     TXT "v=spf1 ip5:192.0.2.1 -all"
default       TXT "v=spf1 ip4:198.51.100.1"
include       TXT "v=spf1 include:pass.example.org -all"
redirect      TXT "v=spf1 redirect=pass.example.org"
redirectfail  TXT "v=spf1 redirect=fail.example.org"
a             TXT "v=spf1 a:mail.example.org -all"
exists        TXT "v=spf1 exists:%{ir}.list.example.org -all"
1.2.0.192.list A 127.0.0.2

explained     TXT "v=spf1 -all exp=explain.example.org"
explain       TXT "%{i} may not send for %{d}, says %{o}"
hostile       TXT "v=spf1 -all exp=hostiletext.example.org"
hostiletext   TXT "a\013\010250 ok\027[2J\255"
longexp       TXT "v=spf1 -all exp=longtext.example.org"

; For local rules: 192.0.2.1 is not in here by itself.
rules         TXT "v=spf1 ip4:198.51.100.1 -all"
)";

}  // namespace

std::vector<Zone> standard_zones() {
  std::string longtext = "longtext TXT";
  for (int i = 0; i < 6; ++i) longtext += " \"" + std::string(150, 'a' + i) + "\"";
  return {{"example.org", example_org + longtext + "\nlong TXT " +
                              long_record("ip4:192.0.2.1 -all") + "\n"}};
}

}  // namespace test
