// How programs read the identity in a Received-SPF header: those that are used,
// and those that somebody might write. The value is given in one line, without
// the name of the field.
#pragma once

#include <string>
#include <string_view>

namespace fuzz {

enum class IdentityReader {
  first,         // the first "identity=", wherever it stands
  last,          // the last
  first_pair,    // the first between two semicolons that begins so
  last_pair,     // the last
  spamassassin,  // the last that no letter, digit or '_' precedes; without one, mailfrom
};
inline constexpr IdentityReader identity_readers[] = {
    IdentityReader::first, IdentityReader::last, IdentityReader::first_pair,
    IdentityReader::last_pair, IdentityReader::spamassassin};

// In lower case; "" where it finds none.
std::string identity_in(std::string_view value, IdentityReader reader);

// OpenDMARC goes through the value once, without regard to quotes: round brackets
// and backslashes count in them too, and '=' begins a value even in a value.
std::string opendmarc_identity(std::string_view value);

// How often `key` stands before '=', with or without blanks between, be it the
// end of another word.
unsigned count_of_key(std::string_view value, std::string_view key);

}  // namespace fuzz
