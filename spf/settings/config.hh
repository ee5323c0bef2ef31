// The environment and the control files, made into one decision and one Config.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "spf/base/address.hh"
#include "spf/engine/check.hh"
#include "spf/engine/exemption.hh"
#include "spf/settings/levels.hh"

namespace spf {

// SPFSTARTTLS: not offered, left to prog and then unseen, or done by spftls,
// which is not offered where there is no file for the certificate.
enum class Starttls { hide, pass, terminate, unavailable };

// SPFANNOTATE: where header and variables go.
enum class Annotate { data, env, header, queue };

// SPFHELO: whether the HELO name is checked beside MAIL's domain.
enum class HeloCheck { no, annotate, refuse };

// SPFHEADERTYPE: which fields the header has.
enum class HeaderType { spf, ar, both };

// SPFSTRIP: which fields of the message's own are taken out (dialogue/field_filter.hh).
enum class Strip { no, own, all };

struct Config {
  unsigned level = 0;                          // SPFBEHAVIOR
  Levels sender_levels, recipient_levels;      // spffrom, spfto: stronger than level
  std::string rules, guess, explanation;       // spfrules, spfguess, spfexp; "" is off
  HeloCheck helo_check = HeloCheck::no;        // SPFHELO
  std::optional<unsigned> shadow_level;        // SPFSHADOW
  std::string forwarders;                      // spfforwarders: all of it; "": no rule
  bool dmarc = false;                          // SPFDMARC
  std::chrono::seconds check_timeout{20};      // SPFTIMEOUT: one whole SPF check
  std::chrono::seconds smtp_timeout{1200};     // timeoutsmtpd: one command, one reply
  Annotate annotate = Annotate::data;          // SPFANNOTATE
  HeaderType header_type = HeaderType::spf;    // SPFHEADERTYPE
  Strip strip = Strip::no;                     // SPFSTRIP
  std::string authserv_id;                     // ID in Authentication-Results; "": of no use
  Starttls starttls = Starttls::hide;          // SPFSTARTTLS
  bool auth_needs_tls = false;                 // SPFAUTH
  bool aside = false;                          // nothing is to be done: the rest is not read
  bool smtps = false;                          // SMTPS: TLS comes before the greeting
  bool only_tls = false;                       // and is all there is to do for this client
  std::string certificate, key;                // SPFCERT, SPFKEY: PEM files, mostly the same
  std::string ciphers;                         // tlsserverciphers; "" is OpenSSL's own
  std::string outer_tls;                       // SSL_PROTOCOL, where TLS was done before us
  Address client;                              // as a variable has it, or else its socket
  std::string remote_host;                     // TCPREMOTEHOST, or "unknown"
  std::string receiver;                        // R: how this host calls itself
  std::vector<std::string> warnings;           // one for each bad value, for the log
};

// A control file that is there but can't be read; what() says which, and why.
struct ControlError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Reads a variable of the environment; null where it is not set.
using Getenv = std::function<const char*(const char*)>;

// The client's address as its connection has it; nothing where there is none.
using Peer = std::function<std::optional<Address>()>;

// Whether the environment asks for TLS before the greeting: then nothing may be
// said in clear, whatever fails. Allocates nothing.
bool wants_smtps(const Getenv& getenv);

// Everything spfwrap is told. It is to step aside for a relay client, at level
// 0, and where neither a variable nor `peer` knows the client's address; with
// SMTPS it can't, and does `only_tls`. Opens no file it can do without: none if
// the environment alone says to step aside. Only where a client is to be
// checked that no variable names is `peer` asked. Throws ControlError.
Config read_config(const Getenv& getenv, const Peer& peer);

// One setting, as spfcheck -C shows it.
struct Setting {
  std::string name;     // the variable's, or the control file's if it has none
  std::string value;    // as it stands there; a default, where it stands nowhere
  std::string source;   // "environment", the file's path, or "default"
  std::string problem;  // why it can't be read: spfwrap then takes no mail
};

// What read_config() reads for a client that is to be checked, at any level,
// and whatever the environment says of clients. With `found`, all settings are
// noted there, and what can't be read is noted instead of thrown.
Config read_settings(const Getenv& getenv, const Address& client,
                     std::vector<Setting>* found = nullptr);

// What spftls is called with, where there is a certificate.
std::vector<std::string> spftls_arguments(const Config& config);

// What of the configuration a check has to know.
CheckOptions check_options(const Config& config);

// The same of the search for a reason to let through what a level refuses; and
// whether there is anything to search for.
ExemptionOptions exemption_options(const Config& config);
bool has_exemptions(const Config& config);

}  // namespace spf
