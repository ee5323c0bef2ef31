// The openspf suites: YAML documents, each a zone and the cases judged in it.
// Header only, so that nothing but its users needs yaml-cpp.
#pragma once

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/dns_server.hh"

namespace conformance {

struct Case {
  std::string name, helo, host, mailfrom;
  std::vector<std::string> results;        // any of these is right
  std::optional<std::string> explanation;  // "DEFAULT": the checker's own
};

struct Scenario {
  std::string description;
  YAML::Node zone;
  std::vector<Case> cases;
};

inline std::vector<Scenario> load(const std::string& path) {
  std::vector<Scenario> scenarios;
  for (const YAML::Node& document : YAML::LoadAllFromFile(path)) {
    if (!document.IsMap()) continue;
    Scenario scenario{document["description"].as<std::string>(), document["zonedata"], {}};
    for (const auto& test : document["tests"]) {
      const YAML::Node& node = test.second;
      Case item{test.first.as<std::string>(), node["helo"].as<std::string>(),
                node["host"].as<std::string>(), node["mailfrom"].as<std::string>(""), {}, {}};
      if (node["result"].IsSequence())
        item.results = node["result"].as<std::vector<std::string>>();
      else
        item.results = {node["result"].as<std::string>()};
      if (node["explanation"]) item.explanation = node["explanation"].as<std::string>();
      scenario.cases.push_back(std::move(item));
    }
    scenarios.push_back(std::move(scenario));
  }
  return scenarios;
}

// Fills the server with the scenario's zone. A name with TIMEOUT gives `fault`
// for every type it has no records of. As the suites say, SPF records are
// served as TXT too, where a name has no TXT of its own.
inline void serve(const Scenario& scenario, DnsServer& server, DnsServer::Fault fault) {
  server.clear();
  for (const auto& entry : scenario.zone) {
    const auto name = entry.first.as<std::string>();
    const auto strings = [](const YAML::Node& value) {
      return value.IsSequence() ? value.as<std::vector<std::string>>()
                                : std::vector<std::string>{value.as<std::string>()};
    };
    std::vector<std::vector<std::string>> spf;
    bool has_txt = false;
    for (const YAML::Node& record : entry.second) {
      if (record.IsScalar()) {
        if (record.as<std::string>() == "TIMEOUT") server.fault(name, fault);
        continue;
      }
      const auto type = record.begin()->first.as<std::string>();
      const YAML::Node value = record.begin()->second;
      if (type == "A") server.a(name, value.as<std::string>());
      if (type == "AAAA") server.aaaa(name, value.as<std::string>());
      if (type == "MX") server.mx(name, value[0].as<unsigned>(), value[1].as<std::string>());
      if (type == "PTR") server.ptr(name, value.as<std::string>());
      if (type == "CNAME") server.cname(name, value.as<std::string>());
      if (type == "SPF") {
        spf.push_back(strings(value));
        server.add(name, DnsServer::SPF, std::string(1, '\0'));  // asked by nobody
      }
      if (type == "TXT") {
        has_txt = true;
        if (!(value.IsScalar() && value.as<std::string>() == "NONE")) server.txt_strings(name, strings(value));
      }
    }
    if (!has_txt)
      for (const auto& text : spf) server.txt_strings(name, text);
  }
}

inline bool has_timeout(const Scenario& scenario) {
  for (const auto& entry : scenario.zone)
    for (const YAML::Node& record : entry.second)
      if (record.IsScalar() && record.as<std::string>() == "TIMEOUT") return true;
  return false;
}

}  // namespace conformance
