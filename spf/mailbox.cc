#include "spf/mailbox.hh"

namespace spf {

std::size_t domain_separator(std::string_view mailbox) {
  std::size_t separator = mailbox.npos;
  bool quoted = false;
  for (std::size_t i = 0; i < mailbox.size(); ++i) {
    if (mailbox[i] == '\\')
      ++i;
    else if (mailbox[i] == '"')
      quoted = !quoted;
    else if (mailbox[i] == '@' && !quoted)
      separator = i;
  }
  return separator;
}

}  // namespace spf
