#include "spf/dialogue/annotation.hh"

#include <algorithm>

#include "spf/base/header_field.hh"
#include "spf/base/environment.hh"
#include "spf/dialogue/variables.hh"

namespace spf {
namespace {

constexpr std::string_view magic = "spfqueue 1 ";
constexpr std::size_t max_line = 998;  // RFC 5322 section 2.1.1

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// The text before the next LF, which is taken too; nothing where there is none.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == rest.npos) return {};
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

bool is_variable(std::string_view line) {
  const std::size_t equals = line.find('=');
  return equals != line.npos && line.size() - equals - 1 <= max_variable && is_printable(line) &&
         sets_one_of(line, variable_names);
}

// Whole fields: none is continued from above, and no line ends the header.
bool is_header(std::string_view text) {
  for (bool first = true; !text.empty(); first = false) {
    const auto line = take_line(text);
    if (!line || line->empty() || line->size() > max_line || !is_printable(*line)) return false;
    if (line->front() == ' ' ? first : line->find(':') == line->npos) return false;
  }
  return true;
}

}  // namespace

std::string encode_annotation(const Annotation& annotation) {
  std::string body;
  for (const std::string& variable : annotation.variables) body += variable + '\n';
  body += '\n';
  body += without_cr(annotation.header);
  return std::string(magic) + std::to_string(body.size()) + '\n' + body;
}

std::optional<Annotation> decode_annotation(std::string_view octets) {
  Annotation result;
  if (octets.empty()) return result;
  if (octets.size() > max_annotation || !octets.starts_with(magic)) return {};
  octets.remove_prefix(magic.size());
  const auto length = take_line(octets);
  if (!length || *length != std::to_string(octets.size())) return {};
  for (;;) {
    const auto line = take_line(octets);
    if (!line) return {};
    if (line->empty()) break;
    if (!is_variable(*line)) return {};
    result.variables.emplace_back(*line);
  }
  if (!is_header(octets)) return {};
  result.header = octets;
  return result;
}

}  // namespace spf
