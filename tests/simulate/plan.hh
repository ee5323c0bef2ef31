// What one simulated session is to be: drawn from a seed before it begins.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "spf/engine/exemption.hh"
#include "spf/engine/verdict.hh"
#include "spf/settings/config.hh"
#include "tests/simulate/world.hh"

namespace simulate {

// What befalls somebody at a step of his own (each wait is one).
struct Fate {
  enum Kind {
    none,
    dies,          // with an exit code
    crashes,       // of a signal
    orphans,       // dies, and leaves somebody who holds its output open
    stalls,        // and is silent for ever
    closes_output, // and reads on
    closes_input,  // and speaks on
    babbles,       // says what is no SMTP
    lies,          // says that it has the message before it has, and closes its input
    hastens,       // says so too early, and reads on
  };
  Kind kind = none;
  unsigned at = 0;
};

struct Message {
  spf::Result result;      // what the check of its sender finds
  unsigned recipients;
  std::size_t size;
  enum Refusal { nowhere, at_mail, at_rcpt, at_data, at_end };
  Refusal refused;         // by prog
  bool rset_before;
  unsigned helps_before;   // commands with long replies, all sent at once
  std::vector<int> levels = {};     // of the recipients, by control/spfto; -1, or too few: none
  spf::Exemption exemption = {};    // what is found where it is searched for
};

struct Plan {
  Plan(std::uint64_t seed, unsigned long number);

  std::uint64_t seed;
  spf::Config config;
  spf::Result helo;        // what is published for the client's HELO name
  Manners manners;
  bool socket;             // the client is one, as under tcpserver, and no pair of pipes
  std::vector<Message> messages;
  bool pipelining, wants_tls;
  bool injects;            // a command, in clear, behind STARTTLS
  std::size_t bare_lf_in;  // the message that has one, the last then; beyond the last: none
  std::size_t blob;        // behind STARTTLS that is passed on: octets to and fro
  std::chrono::microseconds server_think;  // that prog takes at most before it reads
  std::size_t auth_before; // the message before which AUTH comes; beyond the last: never
  std::chrono::microseconds think;  // that the client takes at most between commands

  enum Leaving { quits, resets, closes, half_closes, goes_silent, stops_reading };
  Leaving leaving;
  unsigned leaving_at;     // step

  std::vector<Fate> progs, checks;  // of the first, the second, ...
  Fate tls;
};

// What the message is, by its number: without dots doubled, with CRLF.
std::string content(std::size_t number, std::size_t size);
std::string sender(std::size_t number, const Message& message);
std::string recipient(std::size_t number, const Message& message, unsigned index);

// How a message is to be answered, with this result, by a client that is not trusted.
struct Answers {
  Answers(const Plan& plan, const Message& message, spf::Result result, spf::Result helo);

  bool checked;
  unsigned mail;
  std::vector<unsigned> recipients;
  unsigned taken = 0;  // of them, by prog
  unsigned data;       // 354, or who refuses it
};

}  // namespace simulate
