// What one SPF check found (RFC 7208 section 2.6), with its reason beside it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace spf {

enum class Result { pass, fail, softfail, neutral, none, permerror, temperror };

// The result's name as RFC 7208 section 2.6 spells it.
std::string_view name(Result result);

// Which of the client's two names was checked (RFC 7208 sections 2.3 and 2.4).
enum class Identity { mailfrom, helo };

std::string_view name(Identity identity);

// No text of a verdict that check() gives is longer.
inline constexpr std::size_t longest_verdict_text = 2000;

// All text here may come from the network and is not sanitised: whoever
// shows it does that (sanitise.hh).
struct Verdict {
  Result result = Result::none;
  Identity identity = Identity::mailfrom;
  std::string domain;                    // the domain checked
  std::optional<std::string> mechanism;  // the matching term as published,
                                         // "default" where no term matched,
                                         // absent where no record was evaluated
  std::string problem;                   // permerror, temperror: what is wrong
  bool local_policy = false;             // a local rule decided, not the record
  std::string explanation;               // text for the client, macros expanded
  bool domains_own_words = false;        // that text is the domain's exp=, not ours
  unsigned lookups = 0;                  // terms that asked DNS (section 4.6.4)
  unsigned voids = 0;                    // void lookups (section 4.6.4)
  unsigned milliseconds = 0;             // time the whole check took
};

// What one check gives. Where the HELO name is the only thing to check, `verdict`
// is about that, and `helo` is not there.
struct Judgement {
  Judgement() = default;
  Judgement(Verdict verdict) : verdict(std::move(verdict)) {}

  Verdict verdict;
  std::optional<Verdict> helo;  // of the HELO name beside MAIL's domain, where asked for
};

}  // namespace spf
