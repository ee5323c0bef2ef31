// A whole check, and what is asked when a refusal is due; client, sender and DNS
// answers are hostile.
// The answers are messages as a name server sends them, read by the code that
// reads those of UDP and TCP; of libspf2 only the code it calls is watched by
// the sanitizers, and every octet it is given lies in checked memory.
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "spf/dns/dns_message.hh"
#include "spf/engine/check.hh"
#include "spf/engine/dmarc.hh"
#include "spf/engine/exemption.hh"
#include "spf/engine/forwarders.hh"
#include "spf/engine/limits.hh"
#include "tests/fuzz/fuzz.hh"
#include "tests/fuzz/input.hh"

namespace fuzz {
namespace {

std::string number16(std::size_t value) { return {char(value >> 8), char(value & 0xff)}; }

class HostileResolver : public spf::Resolver {
 public:
  // May be asked for `most_names`, those included that are none or too many.
  HostileResolver(Input& input, unsigned most_names) : input_(input), most_names_(most_names) {}

  void prefetch(std::string_view name, spf::RrType type, Follow follow) override {
    const spf::Answer& answer = lookup(name, type);
    if (follow) follow(answer);
  }

  const spf::Answer& lookup(std::string_view name, spf::RrType type) override {
    const auto [place, is_new] = answers_.try_emplace({std::string(name), type});
    if (!is_new) return place->second;
    require(++names_ <= most_names_, "the limits do not hold");
    place->second.status = spf::Answer::Status::no_name;
    if (!spf::is_dns_name(name)) return place->second;
    std::string wire = spf::to_wire(name);
    for (int links = 0; links < 8; ++links) {
      if (asked_ == spf::Limits::most_questions) {
        place->second = {};
        place->second.over_bound = true;
        break;
      }
      ++asked_;
      const std::string message = make_message(wire, type);
      if (!spf::answers(message, 0x1234, wire, type)) break;
      spf::Reading reading = spf::read_response(message, type);
      place->second = std::move(reading.answer);
      if (reading.alias.empty()) break;
      wire = reading.alias;
    }
    return place->second;
  }

 private:
  // Anything at all, or, so that the depths are reached too, an answer whose
  // frame is right and whose values are anything.
  std::string make_message(const std::string& wire, spf::RrType type) {
    const unsigned how = input_.octet();
    if (how == 0) return input_.long_text();
    const unsigned records = how & 15;
    std::string message = number16(0x1234) + char(0x81) + char((how & 0x30) == 0x30 ? input_.octet() : 0) +
                          number16(1) + number16(how & 0x40 ? input_.octet() : records) +
                          number16(how & 0x80 ? input_.octet() : 0) + number16(0) + wire +
                          number16(unsigned(type)) + number16(1);
    for (unsigned i = 0; i < records; ++i) {
      std::string data;
      switch (type) {
        case spf::RrType::a: data = input_.take(4); break;
        case spf::RrType::aaaa: data = input_.take(16); break;
        case spf::RrType::txt: {
          std::string text = input_.long_text();
          if (i == 0) text.insert(0, wire.starts_with("\6_dmarc") ? "v=DMARC1;" : "v=spf1 ");
          for (std::size_t at = 0; at < text.size(); at += 255) {
            const std::string part = text.substr(at, 255);
            data += char(part.size()) + part;
          }
          break;
        }
        case spf::RrType::mx: data = number16(i); [[fallthrough]];
        case spf::RrType::ptr: data += input_.text(); break;
      }
      message += number16(0xc00c) + number16(how & 0x20 ? input_.octet() : unsigned(type)) + number16(1) +
                 std::string(4, '\0') + number16(data.size()) + data;
    }
    return message;
  }

  Input& input_;
  const unsigned most_names_;
  std::map<std::pair<std::string, spf::RrType>, spf::Answer> answers_;
  unsigned names_ = 0, asked_ = 0;
};

}  // namespace

void engine(std::string_view data) {
  Input input(data);
  const bool ip4 = input.octet() & 1;
  const auto client = spf::Address::parse(ip4 ? "192.0.2.1" : "2001:db8::1");
  spf::CheckOptions options;
  input.octet();  // the corpus has one here
  options.receiver = input.text();
  options.rules = input.text();
  options.guess = input.text();
  options.explanation = input.text();
  const std::string helo = input.text();
  const std::string local = input.text();
  const std::string sender = local + "@" + (input.octet() & 1 ? input.text() : "example.org");
  HostileResolver resolver(input, 400);
  const spf::Verdict verdict = spf::check({*client, helo, sender}, options, resolver).verdict;
  require(verdict.lookups <= 20 && verdict.voids <= 4, "a limit is passed");
  for (const std::string& text : {verdict.domain, verdict.problem, verdict.explanation,
                                  verdict.mechanism.value_or("")})
    require(text.size() <= spf::longest_verdict_text, "a text without bound");
}

void exemption(std::string_view data) {
  Input input(data);
  const unsigned how = input.octet();
  const auto client = spf::Address::parse(how & 1 ? "192.0.2.1" : "2001:db8::1");
  const spf::ExemptionOptions options{input.text(), (how & 2) != 0};
  const std::string helo = input.text();
  const std::string sender = how & 4 ? input.text() : "joe@" + input.text();
  for (const std::string& problem : spf::forwarder_problems(options.forwarders))
    require(problem.size() < 200, "a problem without bound");
  const spf::Forwarders forwarders = spf::parse_forwarders(options.forwarders);
  for (const auto& network : forwarders.networks)
    require(network.prefix <= network.address.bits(), "a prefix over its bounds");
  for (const std::string& domain : forwarders.domains)
    require(spf::is_dns_name(domain), "a forwarder that is no name");
  HostileResolver resolver(input, 400 + 30 * unsigned(forwarders.domains.size()));
  spf::Trace nobody;
  const spf::Query query{*client, helo, sender};
  const spf::Exemption found = spf::exemption(query, options, resolver, nobody);
  require(found.reason.size() <= 263 && found.problem.size() <= 263, "a text without bound");
  require(!found.trouble || found.reason.empty(), "trouble with a reason");
  require(found.trouble || found.problem.empty(), "a problem without trouble");
  if (const auto known = spf::exemption_without_dns(query, options))
    require(*known == found, "DNS where none is needed");

  // A record's tags count one by one.
  const std::string text = "v=DMARC1;" + input.long_text();
  const auto record = spf::parse_dmarc_record(text);
  require(record.has_value(), "a record that is none");
  const auto same = spf::parse_dmarc_record(text + "; x=reject; =");
  require(same && same->p == record->p && same->sp == record->sp && same->np == record->np &&
              same->psd == record->psd && same->testing == record->testing,
          "an unknown tag that counts");
  require(spf::parse_dmarc_record(text + ";p=reject;p=reject")->policy() == spf::DmarcPolicy::none,
          "a policy that is there twice");
  require(record->policy() <= record->p, "a test that asks for more");
}

}  // namespace fuzz
