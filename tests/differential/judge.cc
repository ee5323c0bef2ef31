// judge: one SPF verdict a line, for compare.py. Reads, fields separated by
// tabs, octets that are not printable ASCII as %XX, % as %25:
//   clear                              an empty zone
//   record NAME TYPE DATA              MX without preference: in the order given
//   fault NAME TYPE                    SERVFAIL
//   judge CLIENT HELO SENDER           answers RESULT EXPLANATION LOOKUPS VOIDS
// Zones are served to check() by a real DNS server on loopback.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "spf/engine/check.hh"
#include "tests/support/local_resolver.hh"
#include "tests/support/dns_server.hh"

namespace {

std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '%') {
      result += char(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      result += text[i];
    }
  return result;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (const unsigned char c : text) {
    char octet[4];
    if (c <= ' ' || c >= 127 || c == '%')
      result.append(octet, std::size_t(std::snprintf(octet, sizeof octet, "%%%02X", c)));
    else
      result += char(c);
  }
  return result;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  for (std::size_t begin = 0, end; begin <= line.size(); begin = end + 1) {
    end = std::min(line.find('\t', begin), line.size());
    fields.push_back(unescaped(line.substr(begin, end - begin)));
  }
  return fields;
}

std::uint16_t type_of(const std::string& name) {
  return name == "A"      ? DnsServer::A
         : name == "AAAA" ? DnsServer::AAAA
         : name == "MX"   ? DnsServer::MX
         : name == "PTR"  ? DnsServer::PTR
                          : DnsServer::TXT;
}

void add(DnsServer& server, const std::string& name, const std::string& type,
         const std::string& data, unsigned preference) {
  if (type == "A") server.a(name, data);
  else if (type == "AAAA") server.aaaa(name, data);
  else if (type == "MX") server.mx(name, preference, data);
  else if (type == "PTR") server.ptr(name, data);
  else if (type == "CNAME") server.cname(name, data);
  else server.txt(name, data);
}

void judge(const std::string& client, const std::string& helo, const std::string& sender) {
  LocalResolver resolver(std::chrono::steady_clock::now() + std::chrono::seconds(20));
  spf::CheckOptions options;
  options.receiver = "mx.local";
  options.explanation = "DEFAULT";  // where the domain says nothing
  const spf::Verdict verdict =
      spf::check({spf::Address::parse(client).value(), helo, sender}, options, resolver).verdict;
  std::cout << name(verdict.result) << '\t' << escaped(verdict.explanation) << '\t'
            << verdict.lookups << '\t' << verdict.voids << '\n';
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  DnsServer server;
  server.use();
  unsigned preference = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const std::vector<std::string> f = fields_of(line);
    if (f[0] == "clear") server.clear(), preference = 0;
    if (f[0] == "record") add(server, f.at(1), f.at(2), f.at(3), ++preference);
    if (f[0] == "fault") server.fault(f.at(1), DnsServer::Fault::servfail, type_of(f.at(2)));
    if (f[0] == "judge") judge(f.at(1), f.at(2), f.at(3));
  }
}
