// A DNS question and its answer in a line for people.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "spf/dns/resolver.hh"

namespace spf {

// One check's questions. Not sanitised.
class AnswerText {
 public:
  enum class Texts {
    count,  // of a TXT set only the number, and whether an SPF record is in it
    show,   // the texts themselves
  };

  // "name A: 192.0.2.1 (3 ms)"; "known" for the time of a question that
  // was there before.
  std::string line(std::string_view name, RrType type, const Answer& answer, Texts texts);

 private:
  std::set<std::pair<std::string, RrType>> asked_;
};

}  // namespace spf
