#include "tests/latency/records.hh"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace latency {

namespace {

std::string rest_of(std::istream& words) {
  std::string rest;
  std::getline(words >> std::ws, rest);
  return rest;
}

}  // namespace

Records read_records(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("unable to read " + path);
  Records records;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string first, type;
    words >> first;
    if (first == "record" || first == "both") {
      Record record;
      record.both = first == "both";
      if (!(words >> record.name >> record.result >> record.trips))
        throw std::runtime_error(path + ": " + line);
      record.guess = rest_of(words);
      records.all.push_back(record);
    } else {
      words >> type;
      const std::string data = rest_of(words);
      if ((type != "TXT" && type != "A" && type != "MX") || data.empty())
        throw std::runtime_error(path + ": " + line);
      records.zone.push_back({first, type, data});
    }
  }
  return records;
}

void Records::publish(DnsServer& server) const {
  for (const auto& line : zone) {
    if (line[1] == "TXT") server.txt(line[0], line[2]);
    if (line[1] == "A") server.a(line[0], line[2]);
    if (line[1] == "MX") server.mx(line[0], 10, line[2]);
  }
}

const Record& Records::find(const std::string& name) const {
  for (const Record& record : all)
    if (record.name == name) return record;
  throw std::runtime_error("no such record: " + name);
}

}  // namespace latency
