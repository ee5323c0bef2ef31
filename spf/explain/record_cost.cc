#include "spf/explain/record_cost.hh"

namespace spf {

Cost& Cost::operator+=(const Cost& other) {
  terms += other.terms;
  voids4 += other.voids4;
  voids6 += other.voids6;
  possible_voids += other.possible_voids;
  more = more || other.more;
  return *this;
}

std::string Cost::counted_terms() const { return (more ? "at least " : "") + counted(terms, "term"); }

std::string Cost::label() const {
  if (terms == 0) return {};
  const bool is_void = terms == 1 && voids4 == 1 && voids6 == 1;
  return counted_terms() + (is_void ? ", void" : "");
}

std::string counted(unsigned count, std::string_view what) {
  return std::to_string(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace spf
