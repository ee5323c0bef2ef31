// What may happen in a Dialogue, what the servers in it tell, and what must
// have come of it at the end.
#include <algorithm>
#include <utility>

#include "tests/fuzz/dialogue.hh"
#include "tests/fuzz/fuzz.hh"

namespace fuzz {
namespace {

constexpr std::size_t all = std::string::npos;

// The forms in which a command may reach a server: any other is read in one way
// here and in another there.
bool is_canonical(std::string_view command) {
  for (const std::string_view whole : {"DATA", "RSET", "NOOP", "QUIT", "STARTTLS"})
    if (command == whole) return true;
  for (const std::string_view verb : {"HELO", "EHLO", "VRFY", "EXPN", "HELP"})
    if (command == verb) return true;
  for (const std::string_view start : {"HELO ", "EHLO ", "VRFY ", "EXPN ", "HELP ", "AUTH ",
                                       "MAIL FROM:<", "RCPT TO:<"})
    if (command.starts_with(start)) return command.size() > start.size();
  return false;
}

// What a server is told on the way to the client's command.
bool is_ours(std::string_view verb, std::string_view of_client) {
  const bool passed_on = of_client == "STARTTLS";  // where it is not done here
  if ((of_client == "MAIL" || passed_on) && verb == "RSET") return true;
  if (of_client == "RCPT" && verb == "MAIL") return true;  // that was held back
  return (of_client == "MAIL" || of_client == "RCPT" || of_client == "AUTH" || passed_on) &&
         (verb == "HELO" || verb == "EHLO");
}

// A CR that no LF follows is white space.
bool begins_with_white_space(const std::string& message) {
  const char first = message.empty() ? '.' : message[0];
  return first == ' ' || first == '\t' || (first == '\r' && !message.starts_with("\r\n"));
}

std::string domain_of(const std::string& address) {
  const std::size_t at = address.rfind('@');
  return at == all ? std::string() : address.substr(at + 1);
}

}  // namespace

void Dialogue::client_sends(std::string_view octets) {
  if (closes_) return;
  if (view_.handshaking() && tls_ == Tls::has_client && unsent_.empty()) return;  // it has no keys
  unsent_ += octets;
  while (!unsent_.empty() && feed()) {
  }
}

void Dialogue::deliver(std::size_t most) { move_to_server(most); }
void Dialogue::server_says(std::size_t most) { move_from_server(most); }
void Dialogue::client_reads(std::size_t most) {
  client_reads_ = true;
  move_to_client(most);
}
void Dialogue::give_verdict() { move_verdict(); }

void Dialogue::client_closes() {
  closes_ = true;
  feed();
}

void Dialogue::client_lost() {
  closes_ = closed_ = true;
  session_.client_lost();
  step();
}

void Dialogue::server_exits() {
  if (server_) server_->model.end_of_input();
}

void Dialogue::server_goes_deaf() {
  if (server_) server_->deaf = true;
}

void Dialogue::server_refuses_message() {
  if (!server_ || !server_->model.in_data()) return;
  server_->model.interrupt("552 too much\r\n");
  server_->model.end_of_input();
}

void Dialogue::noise(std::string_view text) {
  if (!server_ || text.empty()) return;
  honest_ = false;
  server_->model.interrupt(text);
}

void Dialogue::time_runs_out() {
  if (session_.limit().time.count() == 0) return;
  session_.timed_out();
  time_is_over_ = true;
  step();
  time_is_over_ = false;
}

void Dialogue::shut_down() {
  shutting_down_ = true;
  session_.shut_down();
  step();
}

// A server that has said what it was not asked may take a message for
// commands: what it acts on is its own then.

void Dialogue::line(const ServerModel& server, std::string_view octets) {
  if (previous_ && &server == &previous_->model) return;  // it is dismissed
  require(is_inside_tls(server) == inside_tls_, "a command of TLS to a server of before");
  if (!honest_ || session_.finished() || view_.blind()) return;
  require(octets.ends_with("\r\n") || (server.reading.cr_ends_command && octets.ends_with("\r")),
          "a command that does not end in CRLF");
  octets = octets.substr(0, octets.find_last_not_of("\r\n") + 1);
  require(is_canonical(octets), "a command in no canonical form");
  for (const char c : octets)
    require(c < 0 || (c >= ' ' && c != 0x7f), "a control character in a command");
  const std::string_view verb = octets.substr(0, octets.find(' '));
  require(verb == view_.verb() || is_ours(verb, view_.verb()), "a command that nobody has given");
  require(verb == view_.verb() || verb != "RSET" || server.in_transaction(), "RSET of nothing");
  require(verb != "AUTH" || inside_tls_ || !config_.auth_needs_tls, "AUTH in clear is passed on");
  require(verb != "STARTTLS" || config_.starttls == spf::Starttls::pass, "STARTTLS is passed on");
}

void Dialogue::mail(ServerModel& server, const std::string& address) {
  server.tag = static_cast<int>(judgements_.size()) - 1;
  if (!honest_) return;
  // Behind the end the client may have said more than the session has read.
  const bool unchecked = session_.finished() ? is_unchecked(address) : is_unchecked();
  if (server.authenticated || config_.only_tls || unchecked) {
    require(server.variables == tls_variables_ && annotation_.empty(),
            "a trusted MAIL with variables of another");
    judgements_.push_back({address, Judgement::Kind::trusted, view_.resets(), inside_tls_, true});
    server.tag = static_cast<int>(judgements_.size()) - 1;
    return;
  }
  require(!judgements_.empty(), "a MAIL that was not judged");
  Judgement& judgement = judgements_.back();
  if (judgement.kind == Judgement::Kind::held) {
    if (!session_.finished())
      require(view_.verb() == "RCPT" && judgement.resets == view_.resets() &&
                  decision(judgement, level_of_recipient(judgement)) == spf::Decision::accept,
              "a MAIL that was held back, for nobody");
    require(!server.in_transaction() || reading_.keeps_on_hello, "a MAIL inside another");
    judgement.used = false;
  } else {
    require(judgement.kind == Judgement::Kind::accepted, "a MAIL that was not let through");
  }
  require(judgement.inside_tls == inside_tls_, "a MAIL that was judged in clear");
  require(!std::exchange(judgement.used, true), "a MAIL twice");
  require(server.variables == judgement.variables, "a MAIL in another environment");
  require(annotation_ == judgement.annotation, "a MAIL with what belongs to another");
  require(address == stored(judgement.sender, reading_.path), "another MAIL than was judged");
  require(domain_of(address) == domain_of(judgement.sender), "another domain than was judged");
}

void Dialogue::recipient(ServerModel& server, const std::string& address) {
  server.tag = -2;  // of no MAIL
  if (!honest_ || judgements_.empty()) return;
  const Judgement& judgement = judgements_.back();
  if (judgement.resets != view_.resets()) return;
  require(judgement.kind != Judgement::Kind::rejected, "a recipient of a rejected MAIL");
  // A session that is over has answered what the server still hears; behind the
  // message a recipient has no MAIL.
  const bool over = judgement.used && !server.in_transaction();
  if (judgement.kind == Judgement::Kind::held && !over && !session_.finished())
    require(decision(judgement, level_of_recipient(judgement)) == spf::Decision::accept,
            "a recipient whose level refuses the MAIL");
  if (judgement.used) server.tag = static_cast<int>(judgements_.size()) - 1;
  if (!session_.finished() && reading_.path == Reading::Path::brackets)
    require(view_.line().find(address) != all, "a recipient that was not named");
}

void Dialogue::authentication(const ServerModel& server) {
  require(!honest_ || server.variables == tls_variables_,
          "AUTH with the variables of an older MAIL");
}

void Dialogue::end() {
  settle();
  hold_verdicts_ = false;
  client_closes();
  settle();
  for (int i = 0; i < 10 && !session_.finished(); ++i) {
    if (session_.limit().time.count() == 0)
      server_exits();
    else
      time_runs_out();
    settle();
  }
  require(session_.finished(), "the session does not end");
  require(told_unchecked_ == (inside_tls_ && !checked_), "TLS of which the log has nothing");
  while (move_to_server(all) && !session_.to_child().empty()) {
  }
  look_at_messages();
}

void Dialogue::look_at_messages() {
  if (!honest_ || view_.blind()) return;
  view_.owed();  // reads a message to its end that was not answered any more
  const auto& sent = view_.messages();
  std::size_t index = 0;
  for (const auto& server : servers_)
    for (const ServerModel::Message& got : server->model.messages) {
      // The last go-ahead may not have reached the client any more.
      if (index == sent.size()) {
        require(got.content.empty() && !got.complete, "a message that nobody has sent");
        continue;
      }
      const ClientView::Message& message = sent[index++];
      const Judgement& judgement = judgements_.at(got.mail);
      std::string expected = judgement.header;
      if (!expected.empty() && begins_with_white_space(message.content))
        expected += "X-Received-SPF-Note: the message began with white space\r\n";
      expected += message.content;
      if (!got.complete) {
        const std::size_t known = std::min(got.content.size(), expected.size());
        if (reading_.strict_data() && !message.content.empty())
          require(got.content.substr(0, known) == expected.substr(0, known), "a message is changed");
        continue;
      }
      require(message.complete, "a message that the client has not ended");
      if (reading_.strict_data()) require(got.content == expected, "a message is changed");
      for (const int recipient : got.recipients)
        require(recipient == got.mail, "a recipient of another MAIL");
    }
}

}  // namespace fuzz
