// A dialogue out of arbitrary octets: who says what and what happens when.
#include <algorithm>
#include <array>

#include "tests/fuzz/dialogue.hh"
#include "tests/fuzz/fuzz.hh"

namespace fuzz {
namespace {

using std::string_view_literals::operator""sv;

// What clients say, and what attackers do.
constexpr std::string_view phrases[] = {
    "EHLO client.example\r\n", "HELO client.example\r\n", "MAIL FROM:<a@good.example>\r\n",
    "MAIL FROM:<b@evil.example>\r\n", "mail from : <>  SIZE=100\r\n",
    "MAIL FROM:b@evil.example AUTH=<a@good.example>\r\n",
    "MAIL FROM:<\"a@evil.example\"@good.example>\r\n", "MAIL FROM:<\"a\\\"b c\"@good.example>\r\n",
    "MAIL FROM:<@x.example,@y.example:a@good.example>\r\n", "MAIL FROM:<postmaster>\r\n",
    "MAIL FROM:\"<x@good.example>\"@evil.example\r\n", "MAIL FROM:<a@b.example@good.example>\r\n",
    "RCPT TO:<r@here.example>\r\n", "RCPT TO:s@here.example\r\n", "DATA\r\n", "Subject: x\r\n\r\n",
    "some text\r\n", " white space\r\n", ". white space\r\n", "..\r\n", ".x\r\n", ".\r\n",
    "\r\n.\r\n", "\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r.\r\n", "\r\n.\r", "\r\n.\r\r\n",
    "\r\n\r.\n", "\r\n.\0\r\n"sv, "\r\r\n.\r\n", "\n", "\r", ".", "\r\n", "RSET\r\n", "NOOP\r\n",
    "QUIT\r\n", "AUTH PLAIN AGEAYg==\r\n", "AUTH LOGIN\r\n", "dXNlcg==\r\n", "*\r\n",
    "STARTTLS\r\n", "BDAT 10 LAST\r\n", "VRFY someone\r\n", "HELP\r\n", "DATAX\r\n",
    "XCLIENT ADDR=192.0.2.2\r\n", "NOOP\rMAIL FROM:<b@evil.example>\r\n",
    "NOOP\0\r\n"sv, "noop\n", " NOOP\r\n", "MAIL FROM:<b@evil", "RSET x\r\n", "quit \t\n",
    "MAIL FROM:<a@good.example>\nRCPT TO:<r@here.example>\nDATA\n", "EHLO tls.example\r\n",
    "STARTTLS\r\nMAIL FROM:<b@evil.example>\r\n", "STARTTLS\r\nMAIL FROM:<b@evil",
    "STARTTLS\nEHLO evil.example\nMAIL FROM:<b@evil.example>\nRCPT TO:<r@here.example>\nDATA\n",
    "STARTTLS\r\nestablished TLSv1.3 C evil.example\n", "STARTTLS now\r\n",
    "MAIL FROM:<b@evil.example>\r\nSTARTTLS\r\nAUTH PLAIN AGEAYg==\r\n",
};

// What spftls says, and what it never should.
constexpr std::string_view tls_words[] = {
    "ready\n", "unusable control/servercert.pem: No such file or directory\n", "unusable\n",
    "established TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256\n", "established TLSv1.3 C mx.example\n",
    "failed no shared cipher\n", "failed\n", "", "rea", "established TLSv1.3 C",
    "established TLSv1.3\n", "established TLSv1.3 C a b\n", "nonsense\n", "\n", "ready\nestablished TLSv1.3 C\n",
    "established TLSv1.3 C\nEHLO tls.example\r\nMAIL FROM:<b@evil.example>\r\n",
};

// Lengths about which something changes.
constexpr std::size_t lengths[] = {1, 255, 512, 1000, 2040, 2048, 2049, 4096, 12288, 12290, 40000, 70000};

template <class T, std::size_t N>
const T& choose(const T (&from)[N], unsigned number) {
  return from[number % N];
}

Reading reading(unsigned flags) {
  Reading how;
  how.cr_ends_command = flags & 1;
  how.loose_verbs = flags & 2;
  how.loose_end_of_data = flags & 4;
  how.keeps_on_hello = flags & 8;
  how.path = static_cast<Reading::Path>((flags >> 4) % 3);
  return how;
}

// Who has which level, and whether exemptions are searched for.
void set_policy(spf::Config& config, unsigned which) {
  static constexpr struct { const char *from, *to; bool exemptions; spf::HeloCheck helo; } policies[] = {
      {"", "", false, spf::HeloCheck::no},
      {"a@good.example:0", "", false, spf::HeloCheck::annotate},
      {"", "r@:1\ns@:6", false, spf::HeloCheck::refuse},
      {"@evil.example:0\n@good.example:6", "s@here.example:4\nr@:0", true, spf::HeloCheck::no},
      {"", "", true, spf::HeloCheck::no},
      {"@good.example:5", "r@:1\n@here.example:3", true, spf::HeloCheck::refuse},
  };
  const auto& policy = choose(policies, which);
  config.sender_levels = spf::Levels(policy.from);
  config.recipient_levels = spf::Levels(policy.to);
  config.dmarc = policy.exemptions;
  config.helo_check = policy.helo;
}

void happen(Dialogue& dialogue, Input& input, unsigned what) {
  switch (what) {
    case 0: dialogue.client_sends(input.take(input.octet() % 32)); break;
    case 1: dialogue.client_sends(std::string(input.take(input.octet())) + "\r\n"); break;
    case 2: {
      const char c = char(input.octet());
      const std::size_t length = choose(lengths, input.octet());
      // So many commands would take long and tell nothing.
      dialogue.client_sends(std::string(c == '\n' ? std::min<std::size_t>(length, 255) : length, c));
      break;
    }
    case 3: dialogue.settle(); break;
    case 4: dialogue.deliver(1 + input.octet()); break;
    case 5: dialogue.server_says(1 + input.octet()); break;
    case 6: dialogue.client_reads(1 + input.octet()); break;
    case 7: dialogue.give_verdict(); break;
    case 8: dialogue.hold_verdicts(); break;
    case 9: dialogue.client_closes(); break;
    case 10: dialogue.client_lost(); break;
    case 11: dialogue.client_stops_reading(); break;
    case 12: dialogue.server_exits(); break;
    case 13: dialogue.server_goes_deaf(); break;
    case 14: dialogue.server_refuses_message(); break;
    case 15: dialogue.noise(input.take(input.octet() % 64)); break;
    case 16: dialogue.noise("250 yes\r\n"); break;
    case 17: dialogue.noise("354 go ahead\r\n"); break;
    case 18: dialogue.time_runs_out(); break;
    case 19: dialogue.shut_down(); break;
    case 20: dialogue.next_start_fails(); break;
    case 21: dialogue.next_explanation(input.text()); break;
    case 22: {
      const char c = char(input.octet());
      dialogue.next_explanation(std::string(choose(lengths, input.octet()), c));
      break;
    }
    case 120: dialogue.next_tls_words(choose(tls_words, input.octet())); break;
    case 121: dialogue.next_tls_words(input.text()); break;
    case 122: dialogue.next_tls_words("established TLSv1.3 C " + input.text() + '\n'); break;
    case 123: {
      const char c = char(input.octet());
      dialogue.next_tls_words("established " + std::string(choose(lengths, input.octet()), c));
      break;
    }
    case 124: dialogue.tls_speaks(1 + input.octet()); break;
    case 125: dialogue.tls_exits(); break;
    default: dialogue.client_sends(choose(phrases, what - 23));
  }
}

}  // namespace

void session(std::string_view data) {
  Input input(data.substr(0, 4096));
  const unsigned level = input.octet(), flags = input.octet();
  spf::Config config;
  config.level = 1 + level % 6;
  config.client = *spf::Address::parse("192.0.2.1");
  config.receiver = "mx.local";
  config.remote_host = "unknown";
  config.annotate = spf::Annotate((flags & 1) + (level & 64) / 32);
  config.starttls = flags & 2    ? spf::Starttls::pass
                    : flags & 16 ? (level & 64 ? spf::Starttls::unavailable : spf::Starttls::terminate)
                                 : spf::Starttls::hide;
  config.smtps = flags & 32;
  config.only_tls = config.smtps && level & 128;
  config.auth_needs_tls = level & 32;
  const unsigned how = input.octet();
  set_policy(config, (how >> 4) / 3);
  const bool moody = flags & 4;
  const std::size_t piece = flags & 8 ? 1 + (flags >> 6) : std::string::npos;
  Dialogue dialogue(config, reading(how), input, moody, piece);
  while (!input.empty()) {
    const unsigned what = input.octet();
    happen(dialogue, input, what & 127);
    // Mostly everybody does his part before the next thing happens.
    if (!(what & 128)) dialogue.settle();
  }
  dialogue.end();
}

}  // namespace fuzz
