// One session of the storm, played before a real spfwrap, and what came of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/storm/plan.hh"
#include "tests/support/wrapped.hh"

namespace storm {

// What a client knows of a message at the end.
enum class Fate {
  not_offered,  // the session ended before its MAIL
  refused,      // or broken off before all of its final dot was sent
  accepted,     // 250
  client_gone,  // all was sent, and the answer not waited for
  no_answer,    // all was sent, and spfwrap closed without 250
};

struct Outcome {
  std::vector<Fate> fates;          // of the plan's messages
  std::vector<std::string> problems;  // of the session: nothing may stay, or be silent
  struct Queued {
    std::string text;                 // the header and the message, with CRLF
    std::string result;               // SPFRESULT that its queue program had
  };
  std::vector<Queued> queued;
};

// `environment` tells where DNS is.
Outcome play(const Plan& plan, const test::Environment& environment);

}  // namespace storm
