// How much DNS one check may cause (RFC 7208 section 4.6.4).
#pragma once

#include "spf/dns/resolver.hh"

namespace spf {

struct Limits {
  static constexpr unsigned most_lookups = 10;  // terms that ask DNS
  static constexpr unsigned most_voids = 2;     // terms whose answer was void
  static constexpr unsigned most_names = 10;    // of one MX or PTR set

  // Whether an mx is permerror, whoever is in its set: the order of an answer is
  // chance. Else it needs the addresses (address_type) of all the names.
  static bool too_many_mx(const Answer& answer) { return answer.texts.size() > most_names; }

  // Questions of one check, asked early, by a term, or along CNAMEs: what ten
  // terms of ten names need, and some. Not in the RFC: more is temperror.
  static constexpr unsigned most_questions = 130;

  // What may be asked in vain: so much that the ten terms that are evaluated can
  // still ask all they need. Where the HELO name is judged too, it has its share.
  static constexpr unsigned most_ahead = most_questions - (1 + most_lookups * (1 + most_names));
  static constexpr unsigned most_ahead_for_helo = 6;

  unsigned lookups = 0;
  unsigned voids = 0;
};

}  // namespace spf
