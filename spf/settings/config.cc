#include "spf/settings/config.hh"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "spf/base/lines.hh"
#include "spf/base/number.hh"
#include "spf/base/read_write.hh"
#include "spf/base/sanitise.hh"

namespace spf {
namespace {

// What is acted on where a level can't be understood: annotate, reject nothing.
constexpr unsigned cautious_level = 1;

std::string_view without_trailing_blanks(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t\r") + 1);
}

// What control files of several lines may have: 20,000 rules are far from it.
constexpr std::size_t longest_list = 4u << 20;

// Lines of a list that are named in the log when they can't be used.
constexpr std::size_t most_named_lines = 3;

// The rules of a list in one text.
std::string joined(std::string_view list, char separator) {
  std::string text;
  for (const ListLine& line : list_lines(list)) {
    if (!text.empty()) text += separator;
    text += line.text;
  }
  return text;
}

// The variable's value, or "" where it is not set.
std::string_view value_of(const Getenv& getenv, const char* name) {
  const char* value = getenv(name);
  return value ? without_trailing_blanks(value) : std::string_view();
}

// Environment and control files; notes what it found in `found` if that is
// not null.
class Reader {
 public:
  explicit Reader(const Getenv& getenv, std::vector<Setting>* found = nullptr)
      : getenv_(getenv), found_(found) {
    directory_ = setting("CONTROLDIR", CONF_QMAIL "/control");
  }

  bool is_set(const char* name) const { return getenv_(name) != nullptr; }

  std::string_view variable(const char* name) const { return value_of(getenv_, name); }
  std::string variable_or(const char* name, std::string_view otherwise) const {
    const std::string_view value = variable(name);
    return std::string(value.empty() ? otherwise : value);
  }

  // The same, noted.
  std::string setting(const char* name, std::string_view otherwise) const {
    const std::string_view value = variable(name);
    return note(name, value.empty() ? otherwise : value, value.empty() ? by_default : environment);
  }

  // What counts first of: a variable, set at all; a control file; the default.
  std::string setting(const char* name, const char* control_name, std::string_view otherwise) const {
    if (is_set(name)) return note(name, variable(name), environment);
    return setting_in_file(name, control_name, otherwise);
  }
  // The same of a variable that holds a text, and all of it, or a file with a list,
  // whose lines are joined.
  std::string text(const char* name, const char* control_name, char separator) const {
    if (const char* value = getenv_(name)) return note(name, value, environment);
    return in_file(name, control_name, longest_list, "", [&](std::string_view file) {
      return note(name, joined(file, separator), path(control_name));
    });
  }
  std::string setting_in_file(const char* name, const char* control_name,
                              std::string_view otherwise) const {
    return in_file(name, control_name, longest_file, otherwise, [&](std::string_view file) {
      return note(name, without_trailing_blanks(file.substr(0, file.find('\n'))), path(control_name));
    });
  }
  // The whole file with a list, "" where there is none.
  std::string list(const char* control_name) const {
    return in_file(control_name, control_name, longest_list, "", [&](std::string& file) {
      if (found_) note_lines(control_name, list_lines(file).size());
      return std::move(file);
    });
  }

  // The rules of a list, none where there is no file.
  Levels levels(const char* control_name) const {
    auto [list, error] = ListFile::open(path(control_name).c_str(), longest_list);
    if (error == 0) try {
        Levels levels(std::move(list));
        note_lines(control_name, levels.lines());
        return levels;
      } catch (const std::system_error& trouble) {
        error = trouble.code().value();
      }
    without_file(control_name, control_name, "", error);
    return {};
  }

  // How many lines that can't be used are to be named.
  std::size_t most_named() const { return found_ ? std::size_t(-1) : most_named_lines; }

  static constexpr std::string_view environment = "environment", by_default = "default";

  std::string path(const char* control_name) const { return directory_ + '/' + control_name; }

  std::string note(const char* name, std::string_view value, std::string_view source,
                   std::string_view problem = {}) const {
    if (found_)
      found_->push_back({name, std::string(value), std::string(source), std::string(problem)});
    return std::string(value);
  }

 private:
  // What `use` makes of the file's text; `otherwise` where there is no file.
  template <class Use>
  std::string in_file(const char* name, const char* control_name, std::size_t most,
                      std::string_view otherwise, Use use) const {
    auto [text, error] = read_file(path(control_name).c_str(), most);
    return error == 0 ? use(text) : without_file(name, control_name, otherwise, error);
  }
  // `otherwise`, where there is no file; throws where it is there (errno).
  std::string without_file(const char* name, const char* control_name, std::string_view otherwise,
                           int error) const {
    std::string problem;
    if (error != ENOENT && error != ENOTDIR) {
      problem = "unable to read " + path(control_name) + ": " + std::strerror(error);
      if (!found_) throw ControlError(problem);
    }
    return note(name, otherwise, by_default, problem);
  }

  void note_lines(const char* control_name, std::size_t lines) const {
    note(control_name, "lines: " + std::to_string(lines), path(control_name));
  }

  const Getenv& getenv_;
  std::vector<Setting>* const found_;
  std::string directory_;
};

void warn(Config& config, std::string_view what, std::string_view value, std::string_view acting) {
  config.warnings.push_back("bad " + std::string(what) + ": " + printable(value, 80) + ": using " +
                            std::string(acting));
}

// TCPREMOTEIP, or what relatives of tcpserver set beside or instead of it.
std::array<const char*, 3> address_variables(const Reader& reader) {
  if (reader.variable("PROTO") == "TCP6") return {"TCP6REMOTEIP", "TCPREMOTEIP", "SSLREMOTEIP"};
  return {"TCPREMOTEIP", "TCP6REMOTEIP", "SSLREMOTEIP"};
}

std::optional<Address> named_client(const Reader& reader) {
  for (const char* name : address_variables(reader))
    if (const auto address = Address::parse(reader.variable(name))) return address;
  return {};
}

// For a client that is to be checked, and that no variable names.
std::optional<Address> unnamed_client(const Reader& reader, Config& config, const Peer& peer) {
  const std::optional<Address> address = peer();
  for (const char* name : address_variables(reader))
    if (const auto value = reader.variable(name); !value.empty())
      warn(config, name, value, address ? address->text() : "none");
  if (!address)
    config.warnings.push_back("no client address, and no IP socket: nothing is checked");
  return address;
}

unsigned read_level(const Reader& reader, Config& config) {
  const std::string value = reader.setting("SPFBEHAVIOR", "spfbehavior", "");
  if (value.empty()) return 0;
  if (const auto level = parse_number(value, 0, max_level)) return *level;
  warn(config, reader.is_set("SPFBEHAVIOR") ? "SPFBEHAVIOR" : "control/spfbehavior", value,
       std::to_string(cautious_level));
  return cautious_level;
}

std::string receiver_name(const Reader& reader) {
  const std::string local_host = reader.variable_or("TCPLOCALHOST", "0");
  if (local_host != "0") return reader.note("TCPLOCALHOST", local_host, Reader::environment);
  const std::string me = reader.setting_in_file("me", "me", "");
  if (!me.empty()) return me;
  return reader.variable_or("TCPLOCALIP", reader.variable_or("TCP6LOCALIP", "unknown"));
}

constexpr const char* certificate_file = "servercert.pem";

// Why there is no such file, or 0. One that is there and can't be read is a
// certificate all the same: spftls will say why it can't be used.
int absence(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) return 0;
  return errno == ENOENT || errno == ENOTDIR ? errno : 0;
}

bool has_certificate(const Reader& reader) {
  return !reader.variable_or("SPFCERT", "").empty() || absence(reader.path(certificate_file)) == 0;
}

// Which of `words` it is; anything else warns, and is that of `usual`.
template <std::size_t count>
std::size_t one_of(const Reader& reader, Config& config, const char* name,
                   const std::string_view (&words)[count], std::size_t usual) {
  const std::string value = reader.setting(name, words[usual]);
  const auto word = std::find(std::begin(words), std::end(words), value);
  if (word != std::end(words)) return word - words;
  warn(config, name, value, words[usual]);
  return usual;
}

// What the header's fields are, and which of others are not to look like them.
void read_header(const Reader& reader, Config& config) {
  static constexpr std::string_view places[] = {"data", "env", "header", "queue"};
  static constexpr std::string_view types[] = {"spf", "ar", "both"};
  static constexpr std::string_view strips[] = {"no", "own", "all"};
  config.annotate = Annotate(one_of(reader, config, "SPFANNOTATE", places, 0));
  config.header_type = HeaderType(one_of(reader, config, "SPFHEADERTYPE", types, 0));
  const bool results = config.header_type != HeaderType::spf;
  config.strip =
      Strip(one_of(reader, config, "SPFSTRIP", strips, std::size_t(results ? Strip::own : Strip::no)));
  if (!results && config.strip == Strip::no) return;
  config.authserv_id = reader.setting_in_file("authservid", "authservid", config.receiver);
  const std::string usual = printable(config.receiver, max_item);
  std::string& id = config.authserv_id;
  if (id.empty() || id == config.receiver) id = usual;
  if (id == printable(id, max_item)) return;
  warn(config, "control/authservid", id, usual);
  id = usual;
}

// Whether AUTH waits for TLS. What is no word of ours is taken for one that protects
// passwords.
bool read_auth(const Reader& reader, Config& config) {
  const std::string value = reader.setting("SPFAUTH", "");
  if (!value.empty() && value != "tls") warn(config, "SPFAUTH", value, "tls");
  return !value.empty();
}

// With a certificate TLS is done here, unless SPFSTARTTLS says otherwise or it
// has been done before us.
void read_tls(const Reader& reader, Config& config) {
  static constexpr std::string_view words[] = {"hide", "pass", "terminate"};
  config.outer_tls = printable_word(reader.variable_or("SSL_PROTOCOL", ""), 60);
  const Starttls usual =
      has_certificate(reader) && config.outer_tls.empty() ? Starttls::terminate : Starttls::hide;
  config.starttls = Starttls(one_of(reader, config, "SPFSTARTTLS", words, std::size_t(usual)));
  if (!config.outer_tls.empty()) config.starttls = Starttls::hide;  // there is no TLS in TLS
  if (config.starttls != Starttls::terminate && !config.smtps) return;
  config.certificate = reader.setting("SPFCERT", reader.path(certificate_file));
  config.key = reader.setting("SPFKEY", config.certificate);
  const int why = config.starttls == Starttls::terminate ? absence(config.certificate) : 0;
  if (why != 0) config.starttls = Starttls::unavailable;
  if (why != 0 && !config.smtps)  // where it ends the session, and spftls says why
    config.warnings.push_back("TLS is not offered: " + config.certificate + ": " + std::strerror(why));
  config.ciphers = reader.setting_in_file("tlsserverciphers", "tlsserverciphers", "");
}

void warn_of_more(Config& config, const char* control_name, std::size_t lines) {
  if (lines == 0) return;
  config.warnings.push_back(std::string(control_name) + ": left out: " + std::to_string(lines) +
                            " more; spfcheck -C names them all");
}

Levels read_levels(const Reader& reader, Config& config, const char* control_name) {
  Levels levels = reader.levels(control_name);
  const Levels::Problems problems = levels.problems(reader.most_named());
  for (const std::string& problem : problems.named)
    config.warnings.push_back(std::string(control_name) + ": left out: " + problem);
  warn_of_more(config, control_name, problems.more);
  return levels;
}

std::string read_forwarders(const Reader& reader, Config& config) {
  static constexpr const char* control_name = "spfforwarders";
  std::string text = reader.list(control_name);
  if (text.empty()) return text;
  const std::vector<std::string> problems = forwarder_problems(text);
  const std::size_t named = std::min(problems.size(), reader.most_named());
  config.warnings.insert(config.warnings.end(), problems.begin(), problems.begin() + named);
  warn_of_more(config, control_name, problems.size() - named);
  if (list_lines(text).empty()) text.clear();
  return text;
}

// What is checked, and what is let through all the same.
void read_policy(const Reader& reader, Config& config) {
  static constexpr std::string_view helo_checks[] = {"0", "1", "2"};
  static constexpr std::string_view switches[] = {"0", "1"};
  config.sender_levels = read_levels(reader, config, "spffrom");
  config.recipient_levels = read_levels(reader, config, "spfto");
  config.forwarders = read_forwarders(reader, config);
  config.helo_check = HeloCheck(one_of(reader, config, "SPFHELO", helo_checks, 0));
  config.dmarc = one_of(reader, config, "SPFDMARC", switches, 0) != 0;
  const std::string shadow = reader.setting("SPFSHADOW", "");
  if (shadow.empty()) return;
  config.shadow_level = parse_number(shadow, 0, max_level);
  if (!config.shadow_level) warn(config, "SPFSHADOW", shadow, "none");
}

// Everything but level and client.
void read_rest(const Reader& reader, Config& config) {
  config.remote_host = reader.variable_or("TCPREMOTEHOST", "unknown");
  config.receiver = receiver_name(reader);
  read_policy(reader, config);
  config.rules = reader.text("SPFRULES", "spfrules", ' ');
  config.guess = reader.text("SPFGUESS", "spfguess", ' ');
  config.explanation = reader.text("SPFEXP", "spfexp", '\n');
  read_header(reader, config);
  config.auth_needs_tls = read_auth(reader, config);
  read_tls(reader, config);

  const std::string timeout = reader.setting("SPFTIMEOUT", "20");
  if (const auto seconds = parse_number(timeout, 1, 300))
    config.check_timeout = std::chrono::seconds(*seconds);
  else
    warn(config, "SPFTIMEOUT", timeout, "20");

  const std::string smtp_timeout = reader.setting_in_file("timeoutsmtpd", "timeoutsmtpd", "1200");
  if (const auto seconds = parse_number(smtp_timeout, 0, 999999999))
    config.smtp_timeout = std::chrono::seconds(std::max(1u, *seconds));  // as qmail-smtpd
  else if (!smtp_timeout.empty())
    warn(config, "control/timeoutsmtpd", smtp_timeout, "1200");
}

}  // namespace

bool wants_smtps(const Getenv& getenv) {
  // With its blanks: where it is in doubt, nothing is said in clear.
  const char* value = getenv("SMTPS");
  return value && *value && value != std::string_view("0") &&
         value_of(getenv, "SSL_PROTOCOL").empty();
}

Config read_config(const Getenv& getenv, const Peer& peer) {
  const Reader reader(getenv);
  Config config;
  config.smtps = wants_smtps(getenv);
  std::optional<Address> client = named_client(reader);
  if (!reader.is_set("RELAYCLIENT")) config.level = read_level(reader, config);
  if (config.level != 0 && !client) client = unnamed_client(reader, config, peer);
  if (client)
    config.client = *client;
  else
    config.level = 0;
  config.only_tls = config.level == 0 && config.smtps;
  config.aside = config.level == 0 && !config.smtps;
  if (!config.aside) read_rest(reader, config);
  return config;
}

Config read_settings(const Getenv& getenv, const Address& client, std::vector<Setting>* found) {
  const Reader reader(getenv, found);
  Config config;
  config.client = client;
  config.smtps = wants_smtps(getenv);
  config.level = read_level(reader, config);
  read_rest(reader, config);
  return config;
}

std::vector<std::string> spftls_arguments(const Config& config) {
  std::vector<std::string> arguments = {"-c", config.certificate, "-k", config.key};
  if (!config.ciphers.empty()) arguments.insert(arguments.end(), {"-l", config.ciphers});
  return arguments;
}

CheckOptions check_options(const Config& config) {
  CheckOptions options;
  options.receiver = config.receiver;
  options.rules = config.rules;
  options.guess = config.guess;
  options.explanation = config.explanation;
  options.helo = config.helo_check != HeloCheck::no;
  return options;
}

ExemptionOptions exemption_options(const Config& config) {
  return {.forwarders = config.forwarders, .dmarc = config.dmarc};
}

bool has_exemptions(const Config& config) { return config.dmarc || !config.forwarders.empty(); }

}  // namespace spf
