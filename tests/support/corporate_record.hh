// The record by which checks are measured: of a company with several providers.
#pragma once

#include <string>

// In a FakeResolver or a DnsServer: four includes, one of them with two more, a, and
// mx with two names; nothing of it matches 192.0.2.1.
template <class Zone>
void publish_corporate_record(Zone& zone) {
  const std::string networks = "v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 -all";
  zone.txt("corp.example",
           "v=spf1 a mx include:i1.example include:i2.example include:i3.example include:i4.example -all");
  for (const char* name : {"i1.example", "i3.example", "i4.example", "n1.example", "n2.example"})
    zone.txt(name, networks);
  zone.txt("i2.example", "v=spf1 include:n1.example include:n2.example ~all");
  zone.a("corp.example", "198.51.100.1");
  for (const char* name : {"m1.corp.example", "m2.corp.example"}) {
    if constexpr (requires { zone.mx("corp.example", 10, name); })
      zone.mx("corp.example", 10, name);
    else
      zone.mx("corp.example", name);
    zone.a(name, "198.51.100.2");
  }
}

// What a check of it asks.
inline constexpr unsigned corporate_questions = 11;
