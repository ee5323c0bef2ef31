// Macro-strings by the grammar and the rules of RFC 7208 section 7: pieces, and
// what a macro's transformers make of a value. Where values come from is
// libspf2.hh's business.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace spf {

// Where a macro-string stands says which letters it may use (section 7.2) and
// whether it may hold spaces.
enum class MacroUse {
  domain_spec,  // without c, r and t
  modifier,     // an unknown modifier's value: all letters
  explanation,  // all letters, and spaces (explain-string)
};

// What is wrong with a macro-string (section 7.1), nothing when it is good.
std::optional<std::string> macro_problem(std::string_view text, MacroUse use);

// One piece of a macro-string that macro_problem() accepts.
struct MacroPiece {
  enum class Kind { literal, macro } kind = Kind::literal;
  std::string_view literal;     // literal: its octets, %% %_ %- resolved
  char letter = 0;              // macro: lower case
  bool escape = false;          // macro: upper case letter, URL-escaped value
  unsigned parts = 0;           // macro: right-hand parts to keep, 0 is all
  bool reverse = false;         // macro
  std::string_view delimiters;  // macro: "." where none is given
};

// Takes the next piece off the front of `text`; `text` must not be empty. A
// piece that breaks the grammar gives nothing and leaves `text` as it is.
// Views point into `text` or to constants.
std::optional<MacroPiece> next_macro_piece(std::string_view& text);

// Splits a value at any of the macro's delimiters, reverses the parts, keeps
// the right-hand ones, joins them with dots and URL-escapes the result, as far
// as the macro says so (section 7.3).
std::string transform(std::string_view value, const MacroPiece& macro);

}  // namespace spf
