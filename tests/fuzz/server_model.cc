#include "tests/fuzz/server_model.hh"

#include <algorithm>
#include <utility>

#include "tests/fuzz/fuzz.hh"

namespace fuzz {
namespace {

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'a' && c <= 'z') c -= 'a' - 'A';
  return result;
}

// qmail takes backslashes and quotes away, and knows the terminator only outside them.
std::string qmail_copy(std::string_view text, char terminator) {
  std::string address;
  bool escaped = false, quoted = false;
  for (const char c : text) {
    if (escaped) {
      address += c;
      escaped = false;
    } else if (!quoted && c == terminator) {
      break;
    } else if (c == '\\') {
      escaped = true;
    } else if (c == '"') {
      quoted = !quoted;
    } else {
      address += c;
    }
  }
  return address;
}

std::string without_quotes(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (c != '"' && c != '\\') result += c;
  return result;
}

std::string_view without_route(std::string_view text) {
  if (!text.starts_with('@')) return text;
  const std::size_t colon = text.find(':');
  return colon == text.npos ? "" : text.substr(colon + 1);
}

std::string between_brackets(std::string_view text) {
  const std::size_t close = text.find('>');
  if (close == text.npos) return "no closing bracket";
  const std::size_t open = text.rfind('<', close);
  if (open == text.npos) return "no opening bracket";
  return std::string(without_route(text.substr(open + 1, close - open - 1)));
}

}  // namespace

std::string address_in(std::string_view argument, Reading::Path path) {
  if (path == Reading::Path::brackets) return between_brackets(argument);
  if (path == Reading::Path::unquoted) return without_quotes(between_brackets(argument));
  char terminator = '>';
  if (const std::size_t open = argument.find('<'); open != argument.npos) {
    argument.remove_prefix(open + 1);
  } else {
    terminator = ' ';
    argument.remove_prefix(std::min(argument.find(':'), argument.size()));
    if (!argument.empty()) argument.remove_prefix(1);
    argument.remove_prefix(std::min(argument.find_first_not_of(' '), argument.size()));
  }
  return qmail_copy(without_route(argument), terminator);
}

std::string stored(std::string_view mailbox, Reading::Path path) {
  switch (path) {
    case Reading::Path::qmail: return qmail_copy(mailbox, '\0');
    case Reading::Path::unquoted: return without_quotes(mailbox);
    case Reading::Path::brackets: break;
  }
  return std::string(mailbox);
}

ServerModel::ServerModel(Reading how, std::vector<std::string> environment, Witness& witness,
                         std::function<unsigned()> mood)
    : reading(how), variables(std::move(environment)), witness_(witness), mood_(std::move(mood)) {
  reply("220 server ESMTP\r\n");
}

void ServerModel::take(std::string_view octets) {
  for (const char octet : octets) {
    if (exited) return;
    // LF after the CR that was a line end already is nothing more.
    if (std::exchange(after_cr_, false) && octet == '\n') continue;
    if (at_ == At::data) {
      if (reading.strict_data())
        data_strict(octet);
      else
        data_loose(octet);
      continue;
    }
    line_ += octet;
    const bool ends = octet == '\n' || (reading.cr_ends_command && octet == '\r');
    if (!ends) continue;
    after_cr_ = octet == '\r';
    const std::string whole = std::exchange(line_, {});
    if (at_ == At::command) witness_.line(*this, whole);
    std::string_view line = whole;
    line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    command(line.substr(0, line.find('\0')));
  }
}

void ServerModel::command(std::string_view line) {
  if (at_ == At::opaque) {
    if (--responses_ > 0) {
      if (!reply("334 \r\n")) at_ = At::command;
      return;
    }
    at_ = At::command;
    if (line == "*")
      reply("501 cancelled\r\n");
    else if (reply("235 go ahead\r\n"))
      authenticated = true;
    return;
  }

  std::string word;
  std::string_view argument = line;
  if (reading.loose_verbs) {
    argument.remove_prefix(std::min(argument.find_first_not_of(" \t"), argument.size()));
    word = upper(argument.substr(0, 4));
    argument.remove_prefix(word.size());
  } else {
    word = upper(line.substr(0, line.find(' ')));
    argument.remove_prefix(word.size());
  }
  argument.remove_prefix(std::min(argument.find_first_not_of(' '), argument.size()));

  if (word == "HELO" || word == "EHLO") {
    const bool done = reply(word == "HELO" ? "250 server\r\n"
                                           : "250-server\r\n250-PIPELINING\r\n250-AUTH LOGIN\r\n"
                                             "250-STARTTLS\r\n250 CHUNKING\r\n");
    if (done && !reading.keeps_on_hello) reset();
  } else if (word == "MAIL") {
    const std::string address = address_in(argument, reading.path);
    if (address.size() > 900) {
      output += "555 syntax error\r\n";
      return;
    }
    witness_.mail(*this, address);
    if (!reply("250 sender ok\r\n")) return;
    reset();
    seen_mail_ = true;
    mail_tag_ = tag;
  } else if (word == "RCPT") {
    const std::string address = address_in(argument, reading.path);
    witness_.recipient(*this, address);
    if (!seen_mail_)
      output += "503 MAIL first\r\n";
    else if (reply("250 recipient ok\r\n"))
      recipients_.push_back(tag);
  } else if (word == "DATA") {
    if (recipients_.empty()) {
      output += "503 RCPT first\r\n";
    } else if (reply("354 go ahead\r\n")) {
      at_ = At::data;
      blast_ = Blast::start;
      messages.push_back({mail_tag_, recipients_, {}, false, false});
    }
  } else if (word == "RSET") {
    if (reply("250 flushed\r\n")) reset();
  } else if (word == "AUTH") {
    witness_.authentication(*this);
    responses_ = 1 + (argument.find(' ') == argument.npos);
    if (reply("334 VXNlcm5hbWU6\r\n")) at_ = At::opaque;
  } else if (word == "QUIT") {
    reply("221 bye\r\n");
    exited = true;
  } else if (word == "STARTTLS" || word == "STAR") {
    // From here on it would be TLS.
    if (reply("220 ready\r\n")) exited = true;
  } else if (word == "NOOP" || word == "HELP" || word == "VRFY" || word == "EXPN") {
    reply("250 ok\r\n");
  } else {
    output += "502 unimplemented\r\n";
  }
}

// Whether it is the usual reply.
bool ServerModel::reply(std::string_view usual) {
  switch (const unsigned mood = mood_(); mood) {
    case 1: output += "451 not now\r\n"; return false;
    case 2: output += "550-never\r\n550 never\r\n"; return false;
    case 3: output += "421 out of memory\r\n"; exited = true; return false;
    case 4: exited = true; return false;  // without a word
    case 5: output += "250_nonsense\r\n"; exited = true; return false;
    case 6: output += "554\r\n"; return false;
    case 7: output += "452-\x1b[2J\xc3\xa9\n452 \t\x7f\n"; return false;
    case 8: {  // in two lines, without CR
      output += usual.substr(0, 3);
      output += "-more\n";
      output += usual.substr(0, usual.size() - 2);
      output += '\n';
      return true;
    }
    default: output += usual; return true;
  }
}

// qmail's states: a line ends in CRLF, a bare LF ends the session.
void ServerModel::data_strict(char octet) {
  std::string& content = messages.back().content;
  switch (blast_) {
    case Blast::start:
      if (octet == '.') {
        blast_ = Blast::dot;
        return;
      }
      break;
    case Blast::dot:
      if (octet == '\r') {
        blast_ = Blast::dot_cr;
        return;
      }
      break;
    case Blast::dot_cr:
      if (octet == '\n') {
        end_message();
        return;
      }
      content += ".\r";
      break;
    case Blast::cr:
      if (octet == '\n') {
        content += "\r\n";
        blast_ = Blast::start;
        return;
      }
      content += '\r';
      break;
    case Blast::inside: break;
  }
  require(octet != '\n', "a bare LF in a message");
  if (octet == '\r') {
    blast_ = Blast::cr;
    return;
  }
  content += octet;
  blast_ = Blast::inside;
}

// Lines end in LF, whatever was before; CRs and NULs at the end of one are nothing.
void ServerModel::data_loose(char octet) {
  messages.back().content += octet;
  if (octet != '\n') {
    line_ += octet;
    return;
  }
  std::string line = std::exchange(line_, {});
  while (!line.empty() && (line.back() == '\r' || line.back() == '\0')) line.pop_back();
  if (line == ".") end_message();
}

void ServerModel::end_message() {
  line_.clear();
  at_ = At::command;
  messages.back().complete = true;
  reset();
  messages.back().accepted = reply("250 queued\r\n");
}

void ServerModel::reset() {
  seen_mail_ = false;
  mail_tag_ = -1;
  recipients_.clear();
}

}  // namespace fuzz
