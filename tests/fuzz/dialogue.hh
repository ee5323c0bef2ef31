// A Session with models of everybody round it: what the proxy does, without
// descriptors. What may happen is called from outside, in any order; that the
// session keeps its word is watched all the time.
//
// The word: each MAIL that a server acts on, as that server reads it, is the
// one that was judged and let through, in an environment that has this very
// verdict, or came after 235. No recipient of a rejected MAIL reaches a server,
// none of a deferred one becomes part of a message. Each command has one reply,
// in order, each of them well-formed. Where recipients' levels differ, a MAIL comes
// to a server with the first that is let through, and no other reaches it; why a
// message is let through is searched for once, when a refusal is due. A message arrives as it was sent, with its
// header; it is answered 2xx only after the server, having all of it, said so.
// No server comes up for a client that has gone.
//
// Where it does TLS: STARTTLS is offered until a spftls could not serve, starts
// one, and is answered 220 if and only if that is ready. What was sent in clear
// before the handshake has no effect and no reply behind it: no command, no HELO
// name, no 235, no verdict. All that is said behind it goes to a server that was
// started with the variables of TLS, and nothing of what is said in clear does.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spf/settings/config.hh"
#include "spf/dialogue/command.hh"
#include "spf/dialogue/policy.hh"
#include "spf/dialogue/session.hh"
#include "spf/tls/status.hh"
#include "tests/fuzz/client_view.hh"
#include "tests/fuzz/input.hh"
#include "tests/fuzz/server_model.hh"

namespace fuzz {

class Dialogue : private Witness {
 public:
  // Moody servers answer as `input` says. All octets go in pieces of `piece`.
  Dialogue(const spf::Config& config, Reading reading, Input& input, bool moody, std::size_t piece);

  // Lets everything go on until nothing moves any more.
  void settle();

  // Single moves.
  void client_sends(std::string_view octets);
  void deliver(std::size_t most);    // to the server
  void server_says(std::size_t most);
  void client_reads(std::size_t most);
  void give_verdict();

  // Events.
  void client_closes();
  void client_lost();
  void client_stops_reading() { client_reads_ = false; }
  void server_exits();
  void server_goes_deaf();
  void server_refuses_message();
  void noise(std::string_view text);  // from a server that does not keep to SMTP
  void time_runs_out();
  void shut_down();
  void next_start_fails() { next_start_fails_ = true; }
  void hold_verdicts() { hold_verdicts_ = true; }
  void next_explanation(std::string text) { explanation_ = std::move(text); }
  // What spftls says the next time it is to say something; "" is nothing.
  void next_tls_words(std::string_view words) { next_tls_words_.emplace(words); }
  void tls_speaks(std::size_t most);
  void tls_exits();

  // Brings the session to its end and looks at what has come of it.
  void end();

 private:
  struct Server {
    ServerModel model;
    bool deaf = false;
    bool end_told = false;
  };
  enum class Tls { absent, waits, has_client };
  struct Judgement {
    std::string sender;
    enum class Kind { open, accepted, held, rejected, deferred, trusted } kind;
    unsigned resets;        // ClientView's at that time
    bool inside_tls;
    bool used = false;
    std::vector<std::string> variables = {};
    std::string header = {};      // lines put before the message, or ""
    std::string annotation = {};  // for the queue program, or ""
    spf::Query query = {};
    spf::Judgement verdicts = {};
    std::optional<spf::Exemption> exemption = {};
  };

  void line(const ServerModel& server, std::string_view octets) override;
  void mail(ServerModel& server, const std::string& address) override;
  void recipient(ServerModel& server, const std::string& address) override;
  void authentication(const ServerModel& server) override;

  std::size_t piece_of(std::size_t size) const;
  bool step();
  bool feed();
  bool move_to_server(std::size_t most);
  bool move_from_server(std::size_t most);
  bool move_to_client(std::size_t most);
  bool move_verdict();
  bool move_from_tls(std::size_t most);
  void perform(const spf::Actions& actions);
  void dismiss_previous();
  void restore_previous();
  void read_log(const std::string& text);
  void start_check(const spf::Query& query);
  void start_exemption(const spf::Query& query);
  bool move_exemption();
  void judge(Judgement& judgement) const;
  void write_down(Judgement& judgement) const;
  unsigned level_of_sender(const std::string& sender) const;
  unsigned level_of_recipient(const Judgement& judgement) const;
  unsigned level_of(const std::string& recipient, const Judgement& judgement) const;
  spf::Decision decision(const Judgement& judgement, unsigned level) const;
  std::vector<unsigned> possible_levels(const std::string& sender) const;
  std::string mailbox(spf::Verb verb) const;
  bool is_unchecked() const;  // the MAIL that the client has just said
  bool is_unchecked(const std::string& sender) const;
  void tell_tls();
  void prepare_tls();
  void dismiss_tls();
  void start_tls();
  void look_at_tls(const std::vector<std::string>& lines);
  void start(const std::vector<std::string>& variables);
  void hand_over();
  void hear_in_place_of_client(std::string_view octets);
  bool tls_can_be_used() const;
  bool tls_keeps_silent() const;
  bool is_inside_tls(const ServerModel& server) const;
  std::string protocol() const;
  void observe();
  void look_at_liveness();
  void look_at_starttls();
  void look_at_rest();
  void look_at_messages();

  const spf::Config& config_;
  const Reading reading_;
  Input& input_;
  const bool moody_;
  const std::size_t piece_;
  spf::Session session_;
  ClientView view_;

  std::vector<std::unique_ptr<Server>> servers_;  // all that there were
  Server* server_ = nullptr;
  Server* previous_ = nullptr;
  std::vector<Judgement> judgements_;
  std::string annotation_;  // that the queue program would find now
  bool annotated_ = false;   // it has just been told

  std::string unsent_;           // by the client or in its place, for want of room
  bool closes_ = false;          // after that
  bool closed_ = false;
  bool client_reads_ = true;
  std::size_t observed_ = 0;     // octets of to_client() that view_ has heard
  std::size_t accepted_ = 0;     // messages
  bool server_has_all_ = false;  // of what the session has said
  bool octets_lost_ = false;
  std::string delivered_;        // the last octets
  bool honest_ = true;           // all servers so far have kept to SMTP
  bool next_start_fails_ = false, hold_verdicts_ = false;
  bool time_is_over_ = false, shutting_down_ = false;
  std::optional<spf::Query> checking_;
  bool exempting_ = false;
  std::string explanation_ = "no";
  unsigned steps_ = 0;

  Tls tls_ = Tls::absent;
  std::optional<std::string> next_tls_words_;
  std::string tls_output_;                // what it has said and the session has not read
  std::string tls_line_;                  // what the session has read of its line
  std::optional<spf::TlsStatus> status_;  // which was this
  bool tls_spoke_ = false, tls_exited_ = false, tls_end_told_ = false;
  bool given_up_ = false;                 // the session won't start it again
  unsigned told_tls_ = 0;                 // what to do, in this step
  bool dismissed_tls_ = false;            // in this step
  bool handing_over_ = false;             // as soon as the client has its 220
  bool inside_tls_ = false;
  bool checked_ = false, told_unchecked_ = false;
  std::vector<std::string> tls_variables_;  // of all servers from here on
};

}  // namespace fuzz
