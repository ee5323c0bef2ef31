#include "spf/bounded_questions.hh"

namespace spf {

std::string canonical_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string result(name);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  return result;
}

bool BoundedQuestions::may_ask(const std::string& name, RrType type) {
  const std::pair question(canonical_name(name), type);
  if (asked_.size() >= most_) return asked_.contains(question);
  asked_.insert(question);
  return true;
}

void BoundedQuestions::prefetch(const std::string& name, RrType type) {
  if (is_dns_name(name) && may_ask(name, type)) resolver_.prefetch(name, type);
}

const Answer* BoundedQuestions::ask(const std::string& name, RrType type) {
  return may_ask(name, type) ? &resolver_.lookup(name, type) : nullptr;
}

}  // namespace spf
