// Macro-strings by the grammar and the rules of RFC 7208 section 7: pieces,
// what a macro's transformers make of a value, and whole expansions. No I/O.
//
// A stranger chooses the macro-string and another the values, so expansion
// stops where more of it can't matter, and what it costs grows with the length
// of the one and of what is kept of the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "spf/base/address.hh"

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

// What is the same during a whole check (section 7.2).
struct Identities {
  Address client;
  std::string sender;     // local-part@domain
  std::string helo;
  std::string receiver;   // "" is "unknown"
  std::int64_t time = 0;  // of the check, in seconds since 1970
};

// What a letter stands for where `domain` is the current domain; but not p, for
// which DNS is asked (section 7.2).
std::string macro_value(char letter, const Identities& identities, const std::string& domain);

// Gives the value of a letter.
using MacroValue = std::function<std::string(char letter)>;

// Expands a domain-spec that macro_problem() accepts, to a name without its
// trailing dot. Of what doesn't fit into a name, labels are left out on the
// left (section 7.3). A last label that is too long for a name is cut too, but
// stays too long. Values are asked for from the right, and only those that count.
std::string expand_name(std::string_view domain_spec, const MacroValue& value);

// Expands an explain-string that macro_problem() accepts, as far as its first
// `most` octets.
std::string expand_text(std::string_view explain_string, std::size_t most, const MacroValue& value);

}  // namespace spf
