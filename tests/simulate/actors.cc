#include "tests/simulate/actors.hh"

#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>

#include "spf/dialogue/policy.hh"
#include "spf/dialogue/annotation.hh"
#include "spf/tls/status.hh"

namespace simulate {
namespace {

using namespace std::chrono_literals;
using spf::Task;

constexpr int exit_status = 3 << 8;  // of who dies of itself

// What stands for encryption: anything in clear would show.
void cipher(std::string& text) {
  for (char& c : text) c = char(c ^ 0x2a);
}

std::size_t number_in(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Holds a file open for some time: what a server leaves behind.
class Orphan final : public Actor {
 public:
  Orphan(World& world, FileRef file) : Actor(world, "orphan"), file_(std::move(file)) {}

 private:
  Task<void> live() override { co_await pause(5000s); }
  void leave() override { file_.reset(); }
  FileRef file_;
};

}  // namespace

// Fated.

void Fated::leave() {
  input_.reset();
  output_.reset();
}

Task<void> Fated::step() {
  if (++steps_ != fate_.at || fate_.kind == Fate::none) co_return;
  if ((fate_.kind == Fate::lies || fate_.kind == Fate::hastens) && !can_lie()) {
    ++fate_.at;
    co_return;
  }
  const bool ends = fate_.kind == Fate::dies || fate_.kind == Fate::crashes || fate_.kind == Fate::orphans;
  world_.blame(name(), !ends);
  switch (fate_.kind) {
    case Fate::none: break;
    case Fate::orphans: world_.add(std::make_shared<Orphan>(world_, output_)); [[fallthrough]];
    case Fate::dies: throw Exit{exit_status};
    case Fate::crashes: throw Exit{SIGSEGV};
    case Fate::stalls: for (;;) co_await for_ever();
    case Fate::closes_output: output_.reset(); break;
    case Fate::closes_input: input_.reset(); break;
    case Fate::babbles:
      if (output_) output_->write("What?\r\n", 7);
      break;
    case Fate::lies: co_await lie(false); break;
    case Fate::hastens: co_await lie(true); break;
  }
}

Task<bool> Fated::more(std::string& received, Duration think) {
  // Who is slow finds much.
  constexpr std::size_t most = 20000, much = 100000;
  char octets[much];
  if (think != 0us)
    co_await pause(std::chrono::microseconds(world_.random().below(think / 1us)));
  co_await step();
  if (!input_) {
    co_await pause(20s);
    throw Exit{exit_status};
  }
  for (;;) {
    co_await until(input_.get());
    const ssize_t count =
        input_->read(octets, think != 0us ? much : world_.random().between(1, most));
    if (count == -EAGAIN) continue;
    if (count <= 0) co_return false;
    received.append(octets, count);
    co_return true;
  }
}

Task<void> Fated::say(std::string_view text) {
  co_await step();
  for (std::string_view rest = text; !rest.empty() && output_;) {
    co_await until(nullptr, nullptr, output_.get());
    const ssize_t count = output_->write(rest, rest.size());
    if (count == -EAGAIN) continue;
    if (count < 0) throw Exit{SIGPIPE};
    rest.remove_prefix(count);
  }
}

// The client.

Client::Client(World& world, Scene& scene, FileRef input, FileRef output)
    : Fated(world, "client", std::move(input), std::move(output), {}), scene_(scene) {}

Task<void> Client::step() {
  if (scene_.plan.leaving == Plan::quits || ++steps_ != scene_.plan.leaving_at) co_return;
  world_.blame("client", scene_.plan.leaving == Plan::goes_silent ||
                             scene_.plan.leaving == Plan::stops_reading);
  switch (scene_.plan.leaving) {
    case Plan::quits: break;
    case Plan::resets: output_->reset(); input_->reset(); throw Exit{};
    case Plan::closes: throw Exit{};
    case Plan::half_closes: output_->end_output(); output_.reset(); break;
    case Plan::goes_silent: for (;;) co_await for_ever();
    case Plan::stops_reading: reads_ = false; break;
  }
}

Task<void> Client::send(std::string_view clear) {
  co_await step();
  std::string text(clear);
  if (encrypted_) cipher(text);
  for (std::string_view rest = text; !rest.empty();) {
    if (!output_) for (;;) co_await for_ever();
    co_await until(nullptr, nullptr, output_.get());
    const ssize_t count = output_->write(rest, world_.random().between(1, 5000));
    if (count == -EAGAIN) continue;
    if (count < 0) throw Exit{};
    rest.remove_prefix(count);
  }
}

Task<unsigned> Client::reply() {
  co_await step();
  text_.clear();
  for (;;) {
    const std::size_t lf = received_.find('\n');
    if (lf == std::string::npos) {
      if (!reads_) for (;;) co_await for_ever();
      std::string octets;
      const bool any = co_await more(octets);
      if (!any) throw Exit{};
      if (encrypted_) cipher(octets);
      received_ += octets;
      continue;
    }
    const std::string line = received_.substr(0, lf + 1);
    received_.erase(0, lf + 1);
    if (line.size() < 6 || !line.ends_with("\r\n") || (line[3] != ' ' && line[3] != '-')) {
      scene_.outcome.problems.push_back("the client is told what is no reply: " + line);
      throw Exit{};
    }
    text_ += line.substr(4);
    if (line[3] == '-') continue;
    const unsigned code = number_in(line);
    world_.note("client has " + line);
    if (code == 421) throw Exit{};
    co_return code;
  }
}

Task<unsigned> Client::command(std::string_view text) {
  if (scene_.plan.think != 0us)
    co_await pause(std::chrono::microseconds(world_.random().below(scene_.plan.think.count())));
  const std::string line = std::string(text) + "\r\n";
  co_await send(line);
  const unsigned code = co_await reply();
  co_return code;
}

void Client::expect(unsigned code, unsigned got, const std::string& what) {
  if (got != code && !world_.blamed())
    scene_.outcome.problems.push_back(what + " is answered " + std::to_string(got) + " instead of " +
                                      std::to_string(code));
}

Task<void> Client::live() {
  if (scene_.plan.config.smtps) co_await shake_hands();
  co_await talk();
  scene_.outcome.client_finished = true;
  char octet;  // its descriptor is closed by the proxy first
  while (input_->read(&octet, 1) == -EAGAIN) co_await until(input_.get());
}

Task<void> Client::talk() {
  const unsigned greeting = co_await reply();
  expect(220, greeting, "the connection");
  co_await greet();
  if (offered_tls_ && scene_.plan.wants_tls) {
    if (scene_.plan.config.starttls == spf::Starttls::pass) {
      co_await pass_tls();
      if (over_) co_return;
    } else {
      co_await start_tls();
      if (encrypted_) co_await greet();
    }
  }
  for (std::size_t i = 0; i <= scene_.plan.messages.size(); ++i) {
    if (i == scene_.plan.auth_before && i < scene_.plan.messages.size()) co_await authenticate();
    if (i < scene_.plan.messages.size()) co_await send_mail(i);
    if (over_) co_return;
  }
  const unsigned farewell = co_await command("QUIT");
  expect(221, farewell, "QUIT");
}

Task<void> Client::greet() {
  const unsigned code = co_await command("EHLO client.example");
  expect(250, code, "EHLO");
  offered_tls_ = text_.find("STARTTLS") != std::string::npos;
  if (code == 250 && !text_.starts_with("server.example"))
    scene_.outcome.problems.push_back("EHLO is answered " + text_);
  const bool due = scene_.plan.config.starttls != spf::Starttls::hide && !encrypted_;
  if (offered_tls_ != due && !world_.blamed())
    scene_.outcome.problems.push_back("STARTTLS is offered where it can't be, or not where it can");
}

Task<void> Client::start_tls() {
  if (scene_.plan.injects) world_.blame("injection", true);
  const unsigned code = co_await command(scene_.plan.injects ? "STARTTLS\r\nRSET" : "STARTTLS");
  expect(220, code, "STARTTLS");
  if (code == 220) co_await shake_hands();
}

Task<void> Client::shake_hands() {
  co_await send("HELLO\n");
  while (received_.find('\n') == std::string::npos) {
    const bool any = co_await more(received_);
    if (!any) throw Exit{};
  }
  const std::size_t clear = received_.find('\n') + 1;
  if (received_.substr(0, clear) != "WELCOME\n") {
    scene_.outcome.problems.push_back("the handshake is answered " + received_);
    throw Exit{};
  }
  received_.erase(0, clear);
  cipher(received_);
  encrypted_ = true;
}

// The proxy sees nothing of what follows, and must change nothing.
Task<void> Client::pass_tls() {
  const unsigned code = co_await command("STARTTLS");
  expect(220, code, "STARTTLS");
  if (code != 220) co_return;
  std::string blob(scene_.plan.blob, '?'), echo = std::move(received_);
  for (char& c : blob) c = char(world_.random().next());
  for (std::string_view rest = blob; !rest.empty() && output_;) {
    co_await step();
    if (!output_) break;
    co_await until(reads_ ? input_.get() : nullptr, nullptr, output_.get());
    const ssize_t count = output_->write(rest, 60000);
    if (count > 0) rest.remove_prefix(count);
    if (count < 0 && count != -EAGAIN) throw Exit{};
    char octets[8000];
    const ssize_t back = reads_ ? input_->read(octets, sizeof octets) : -EAGAIN;
    if (back > 0) echo.append(octets, back);
    if (back <= 0 && back != -EAGAIN) throw Exit{};
  }
  if (output_) output_->end_output();
  for (bool any = true; any && reads_;) any = co_await more(echo);
  if (!world_.blamed() && echo != blob)
    scene_.outcome.problems.push_back("what is passed on unwatched does not arrive as it was sent");
  over_ = true;
}

Task<void> Client::ask_for_help(unsigned times) {
  std::string lines;
  for (unsigned i = 0; i < times; ++i) lines += "HELP\r\n";
  co_await send(lines);
  for (unsigned i = 0; i < times; ++i) {
    const unsigned code = co_await reply();
    expect(214, code, "HELP");
  }
}

Task<void> Client::authenticate() {
  unsigned code = co_await command("RSET");  // it is not for a transaction
  expect(250, code, "RSET");
  code = co_await command("AUTH LOGIN");
  expect(334, code, "AUTH");
  if (code != 334) co_return;
  code = co_await command("c2VjcmV0");
  expect(235, code, "the secret");
  trusted_ = code == 235;
}

Task<void> Client::send_mail(std::size_t number) {
  const Message& message = scene_.plan.messages[number];
  Plan unchecked = scene_.plan;
  unchecked.config.level = 0;
  unchecked.config.sender_levels = unchecked.config.recipient_levels = spf::Levels();
  const Answers answers(trusted_ ? unchecked : scene_.plan, message, message.result,
                        scene_.plan.helo);

  if (message.rset_before) {
    const unsigned code = co_await command("RSET");
    expect(250, code, "RSET");
  }
  if (message.helps_before > 0) co_await ask_for_help(message.helps_before);
  const std::string mail = "MAIL FROM:<" + sender(number, message) + ">";
  std::vector<std::string> rcpts;
  for (unsigned i = 0; i < message.recipients; ++i)
    rcpts.push_back("RCPT TO:<" + recipient(number, message, i) + ">");
  unsigned go_ahead;
  if (scene_.plan.pipelining) {
    std::string group = mail + "\r\n";
    for (const std::string& rcpt : rcpts) group += rcpt + "\r\n";
    group += "DATA\r\n";
    co_await send(group);
    const unsigned code = co_await reply();
    expect(answers.mail, code, mail);
    for (std::size_t i = 0; i < rcpts.size(); ++i) {
      const unsigned each = co_await reply();
      expect(answers.recipients[i], each, rcpts[i]);
    }
    go_ahead = co_await reply();
  } else {
    const unsigned code = co_await command(mail);
    expect(answers.mail, code, mail);
    for (std::size_t i = 0; i < rcpts.size(); ++i) {
      const unsigned each = co_await command(rcpts[i]);
      expect(answers.recipients[i], each, rcpts[i]);
    }
    go_ahead = co_await command("DATA");
  }
  expect(answers.data, go_ahead, "DATA of " + mail);
  if (go_ahead != 354) co_return;

  std::string stuffed;
  const std::string text = content(number, message.size);
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin) + 1;
    if (text[begin] == '.') stuffed += '.';
    stuffed.append(text, begin, end - begin);
    begin = end;
  }
  over_ = number == scene_.plan.bare_lf_in;
  if (over_) stuffed.insert(stuffed.find('\r', world_.random().below(stuffed.size() - 2)), "\n");
  stuffed += ".\r\n";
  co_await send(stuffed);
  const unsigned code = co_await reply();
  expect(over_ || message.refused == Message::at_end ? 451 : 250, code, "the message of " + mail);
  if (code != 250) co_return;
  scene_.outcome.acknowledged.push_back(number);
  if (text_ != "ok " + std::to_string(number) + "\r\n")
    scene_.outcome.problems.push_back("message " + std::to_string(number) + " is acknowledged with " + text_);
}

// prog.

Server::Server(World& world, Scene& scene, FileRef input, FileRef output, pid_t pid, Fate fate,
               const std::vector<char*>& environment)
    : Fated(world, "server", std::move(input), std::move(output), fate), scene_(scene), pid_(pid) {
  for (const std::string_view entry : environment)
    if (entry.starts_with("SPFRESULT=")) result_ = entry.substr(entry.find('=') + 1);
}

Task<std::string> Server::line() {
  for (;;) {
    const std::size_t lf = received_.find('\n');
    if (lf == std::string::npos) {
      const bool any = co_await more(received_, scene_.plan.server_think);
      if (!any) throw Exit{};
      continue;
    }
    std::string text = received_.substr(0, lf + 1);
    received_.erase(0, lf + 1);
    if (!text.ends_with("\r\n")) scene_.outcome.problems.push_back("the server is told " + text);
    text.resize(text.size() - 2);
    co_return text;
  }
}

Task<void> Server::live() {
  co_await say("220 server.example ESMTP\r\n");
  std::size_t number = 0;
  unsigned recipients = 0;
  bool open = false;
  for (;;) {
    const std::string command = co_await line();
    world_.note("server " + std::to_string(pid_) + " is told " + command);
    if (!received_.empty())
      scene_.outcome.problems.push_back("the server is told more before it has answered " + command);
    const Message* message = nullptr;
    if (command.starts_with("MAIL")) {
      number = number_in(std::string_view(command).substr(11));
      recipients = 0;
    }
    if (number < scene_.plan.messages.size()) message = &scene_.plan.messages[number];
    const auto refused = [&](Message::Refusal where) { return message && message->refused == where; };

    if (command.starts_with("EHLO")) {
      open = false;
      co_await say("250-server.example\r\n250-STARTTLS\r\n250-AUTH LOGIN\r\n250 8BITMIME\r\n");
    } else if (command == "HELP") {
      std::string help;
      for (int i = 0; i < 50; ++i) help += "214-This is a long text that helps nobody, of several lines\r\n";
      help += "214 end\r\n";
      co_await say(help);
    } else if (command == "STARTTLS") {
      co_await say("220 go ahead\r\n");
      co_await echo();
      co_return;
    } else if (command.starts_with("MAIL")) {
      open = !refused(Message::at_mail);
      if (open)
        co_await say("250 ok\r\n");
      else
        co_await say("451 not now\r\n");
    } else if (command.starts_with("RCPT")) {
      if (!open) {
        co_await say("503 MAIL first\r\n");
      } else if (refused(Message::at_rcpt)) {
        co_await say("550 no such user\r\n");
      } else {
        ++recipients;
        co_await say("250 ok\r\n");
      }
    } else if (command == "DATA") {
      if (!open || recipients == 0) {
        co_await say("503 RCPT first\r\n");
      } else if (refused(Message::at_data)) {
        co_await say("451 not now\r\n");
      } else {
        co_await say("354 go ahead\r\n");
        co_await receive(number, recipients);
        open = false;
      }
    } else if (command == "RSET") {
      open = false;
      co_await say("250 ok\r\n");
    } else if (command == "AUTH LOGIN") {
      co_await say("334 VXNlcg==\r\n");
      const std::string secret = co_await line();
      trusted_ = secret == "c2VjcmV0";
      co_await say("235 ok\r\n");
    } else if (command == "QUIT") {
      co_await say("221 bye\r\n");
      co_return;
    } else {
      scene_.outcome.problems.push_back("the server is told " + command);
      co_await say("500 what?\r\n");
    }
  }
}

Task<void> Server::echo() {
  for (std::string text;;) {
    const bool any = co_await more(text, scene_.plan.server_think);
    if (!any) co_return;
    co_await say(text);
    text.clear();
  }
}

// Where it has all of it without having looked, nobody can tell.
bool Server::can_lie() const {
  return receiving_ && !has_replied_ && output_ && input_ &&
         !std::string_view(received_).ends_with("\r\n.\r\n") && !input_->unread().ends_with(".\r\n");
}

Task<void> Server::lie(bool haste) {
  const std::string reply = "250 ok " + std::to_string(*receiving_) + "\r\n";
  if (!haste) {
    input_.reset();
    co_await pause(1ms);
  }
  output_->write(reply, reply.size());
  has_replied_ = true;
}

// As spfqueue does it, or without it.
void Server::queue(std::size_t number, std::string text, unsigned recipients) {
  std::string result = result_;
  if (scene_.plan.config.annotate == spf::Annotate::queue) {
    const auto annotation = spf::decode_annotation(world_.annotation());
    if (!annotation) throw Failure("an annotation that spfqueue does not take");
    text.insert(0, annotation->header);
    result.clear();
    for (const std::string_view variable : annotation->variables)
      if (variable.starts_with("SPFRESULT=")) result = variable.substr(variable.find('=') + 1);
  }
  scene_.outcome.queued.push_back({number, std::move(text), result, result_, recipients, trusted_});
}

Task<void> Server::receive(std::size_t number, unsigned recipients) {
  receiving_ = number;
  has_replied_ = false;
  std::string text;
  std::size_t looked_at = 0;
  for (std::size_t begin = 0;;) {
    const std::size_t lf = received_.find('\n', std::max(begin, looked_at));
    if (lf == std::string::npos) {
      received_.erase(0, begin);
      begin = 0;
      looked_at = received_.size();
      const bool any = co_await more(received_, scene_.plan.server_think);
      if (!any) throw Exit{};  // cut off: not a message
      continue;
    }
    const std::string_view line = std::string_view(received_).substr(begin, lf + 1 - begin);
    begin = lf + 1;
    if (line == ".\r\n") {
      received_.erase(0, begin);
      break;
    }
    text += line.substr(line[0] == '.');
  }
  receiving_.reset();
  const Message& message = scene_.plan.messages.at(number);
  if (message.refused == Message::at_end) {
    co_await say("451 not now\r\n");
    co_return;
  }
  queue(number, std::move(text), recipients);
  const std::string done = "250 ok " + std::to_string(number) + "\r\n";
  if (!has_replied_) co_await say(done);
}

// spftls.

TlsServer::TlsServer(World& world, FileRef client_in, FileRef client_out, FileRef plain, pid_t pid, Fate fate)
    : Fated(world, "spftls", plain, plain, fate),
      client_in_(std::move(client_in)), client_out_(std::move(client_out)), pid_(pid) {}

void TlsServer::leave() {
  Fated::leave();
  client_in_.reset();
  client_out_.reset();
}

Task<void> TlsServer::live() {
  co_await pause(8ms);
  const std::string ready = spf::tls_status_line({spf::TlsStatus::Kind::ready});
  co_await say(ready);
  std::string go;
  while (go.find('\n') == std::string::npos) {
    const bool any = co_await more(go);
    if (!any) throw Exit{};
  }
  if (go != spf::tls_go) throw Failure("spftls is told " + go);
  std::string hello;
  while (hello.find('\n') == std::string::npos) {
    co_await step();
    co_await until(client_in_.get());
    char octet;
    ssize_t count;
    while ((count = client_in_->read(&octet, 1)) == 1 && octet != '\n') hello += octet;
    if (count == 1) hello += octet;
    if (count == 0 || (count < 0 && count != -EAGAIN)) throw Exit{};
  }
  const std::string welcome = "WELCOME\n";
  if (hello != "HELLO\n") throw Exit{exit_status};
  if (client_out_->write(welcome, welcome.size()) != ssize_t(welcome.size())) throw Exit{exit_status};
  const std::string established =
      spf::tls_status_line({spf::TlsStatus::Kind::established, "", "TLSv1.3", "SIMULATED", ""});
  co_await say(established);

  // As the real one: an end on either side is passed on once all before it is,
  // and the client is listened to until spfwrap goes.
  std::string inward, outward;
  bool client_open = true, plain_open = true, told_client = false;
  for (;;) {
    co_await step();
    if (!output_ || !input_) throw Exit{exit_status};
    if (!plain_open && outward.empty()) {
      if (!std::exchange(told_client, true)) client_out_->end_output();
      if (!client_open || output_->write("", 0) < 0) co_return;
      co_await pause(50ms);
    } else co_await until(client_open && inward.empty() ? client_in_.get() : nullptr,
                   plain_open && outward.empty() ? input_.get() : nullptr,
                   inward.empty() ? nullptr : output_.get(),
                   outward.empty() ? nullptr : client_out_.get());
    char octets[4096];
    if (client_open && inward.empty()) {
      const ssize_t count = client_in_->read(octets, sizeof octets);
      if (count > 0) {
        inward.assign(octets, count);
        cipher(inward);
      } else if (count != -EAGAIN) {
        client_open = false;
        output_->end_output();
      }
    }
    if (plain_open && outward.empty()) {
      const ssize_t count = input_->read(octets, sizeof octets);
      if (count > 0) {
        outward.assign(octets, count);
        cipher(outward);
      } else if (count != -EAGAIN) {
        plain_open = false;
      }
    }
    if (!inward.empty()) {
      const ssize_t count = output_->write(inward, inward.size());
      if (count > 0) inward.erase(0, count);
      if (count < 0 && count != -EAGAIN) inward.clear();
    }
    if (!outward.empty()) {
      const ssize_t count = client_out_->write(outward, outward.size());
      if (count > 0) outward.erase(0, count);
      if (count < 0 && count != -EAGAIN) throw Exit{};
    }
  }
}

// The check.

Checker::Checker(World& world, FileRef output, pid_t pid, Fate fate, Duration time)
    : Fated(world, "check", nullptr, std::move(output), fate), pid_(pid), time_(time) {}

Task<void> Checker::live() {
  co_await pause(time_);
  co_await say("w");
  co_await say("v");
  co_await pause(1ms);
}

}  // namespace simulate
