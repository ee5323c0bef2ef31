// spftls in a Dialogue: what it says, what the session makes of it, and what it
// may make of it.
#include <algorithm>
#include <utility>

#include "spf/base/sanitise.hh"
#include "tests/fuzz/dialogue.hh"
#include "tests/fuzz/fuzz.hh"
#include "tests/support/own_buffer.hh"

namespace fuzz {
namespace {

using Kind = spf::TlsStatus::Kind;

// Takes the status off the front of `line`, once it is all there.
std::optional<spf::TlsStatus> take_status(std::string& line, Kind good, Kind bad) {
  test::OwnBuffer buffer(line.size());
  buffer.append(line);
  const auto status = spf::take_tls_status(buffer, good, bad);
  line = buffer.data();
  return status;
}

}  // namespace

void Dialogue::tell_tls() { require(++told_tls_ == 1, "spftls is told two things at once"); }

void Dialogue::prepare_tls() {
  tell_tls();
  require(tls_ == Tls::absent, "a second spftls");
  require(view_.verb() == "STARTTLS" || config_.smtps, "a spftls that nobody asked for");
  require(config_.starttls == spf::Starttls::terminate || config_.smtps, "an unwanted spftls");
  require(!inside_tls_, "TLS inside TLS");
  require(!given_up_, "spftls again, though its certificate can't be used");
  tls_ = Tls::waits;
  tls_exited_ = false;
}

void Dialogue::dismiss_tls() {
  tell_tls();
  require(tls_ == Tls::waits, "no spftls to dismiss");
  dismissed_tls_ = true;
}

void Dialogue::start_tls() {
  tell_tls();
  require(tls_ == Tls::waits && tls_can_be_used(), "TLS without a spftls that is ready");
  require(view_.handshaking(), "TLS that the client does not know of");
  handing_over_ = true;
}

// After all actions of one step.
void Dialogue::look_at_tls(const std::vector<std::string>& lines) {
  const auto warnings = [&lines](std::string_view start) {
    return std::count_if(lines.begin(), lines.end(),
                         [start](const auto& text) { return text.starts_with(start); });
  };
  const auto unusable = warnings("TLS is not offered: ");
  if (unusable != 0) {
    require(unusable == 1 && dismissed_tls_, "more warnings than spftls");
    require(!tls_can_be_used() && (status_ || tls_end_told_ || time_is_over_),
            "spftls is given up without need");
    given_up_ = true;
  }
  if (std::exchange(dismissed_tls_, false)) {
    require(given_up_, "spftls is dismissed without a word");
    tls_ = Tls::absent;
  }
  told_tls_ = 0;
  const bool begun = handing_over_ || tls_ == Tls::has_client;
  if (!config_.smtps) require(begun == (view_.handshaking() || inside_tls_), "TLS by halves");
  const bool failed = begun && !inside_tls_ && session_.finished();
  const auto failures = warnings("TLS handshake with 192.0.2.1: ");
  require(failures == failed || (failures == 0 && shutting_down_),
          "not one warning for a handshake that fails");
}

// Descriptors 0 and 1 are spftls's. What the client has sent in clear and nobody
// has read would spoil its handshake, and is left out to see what comes behind.
// With SMTPS it was plaintext that waited for its keys.
void Dialogue::hand_over() {
  handing_over_ = false;
  tls_ = Tls::has_client;
  const std::string of_client = std::exchange(unsent_, std::exchange(tls_output_, {}));
  tls_line_.clear();
  status_.reset();
  if (tls_exited_) {
    closes_ = true;
    return;
  }
  const std::string_view usual = closes_ ? "failed unexpected eof while reading\n"
                                         : "established TLSv1.3 TLS_AES_256_GCM_SHA384 mx.local\n";
  unsent_ += std::exchange(next_tls_words_, {}).value_or(std::string(usual));
  if (config_.smtps) unsent_ += of_client;
}

// What descriptor 0 brings from then on: a line of spftls, then plaintext.
void Dialogue::hear_in_place_of_client(std::string_view octets) {
  if (inside_tls_) {
    view_.sent(octets);
    return;
  }
  if (status_) return;  // the session will end
  tls_line_ += octets;
  status_ = take_status(tls_line_, Kind::established, Kind::failed);
  if (!status_ || status_->kind != Kind::established) return;
  inside_tls_ = true;
  tls_variables_ = {"FORCETLS=0", "SSL_PROTOCOL=" + status_->protocol,
                    "SSL_CIPHER=" + status_->cipher};
  if (!status_->server_name.empty())
    tls_variables_.push_back("SSL_TLS_SNI=" + status_->server_name);
  view_.established();
  view_.sent(tls_line_);
}

bool Dialogue::move_from_tls(std::size_t most) {
  if (tls_ != Tls::waits || session_.finished() || tls_end_told_) return false;
  if (!tls_exited_ && !std::exchange(tls_spoke_, true))
    tls_output_ = std::exchange(next_tls_words_, {}).value_or("ready\n");
  const std::size_t count =
      std::min({most, piece_of(tls_output_.size()), session_.from_tls().room()});
  if (count > 0) {
    const std::string octets = tls_output_.substr(0, count);
    tls_output_.erase(0, count);
    session_.from_tls().append(octets);
    if (!status_) {
      tls_line_ += octets;
      status_ = take_status(tls_line_, Kind::ready, Kind::unusable);
    }
    return step();
  }
  if (!tls_exited_ || !tls_output_.empty()) return false;
  tls_end_told_ = true;
  session_.tls_closed();
  return step();
}

void Dialogue::tls_speaks(std::size_t most) { move_from_tls(most); }

void Dialogue::tls_exits() {
  tls_exited_ = true;
  if (tls_ != Tls::has_client) return;
  closes_ = true;
  feed();
}

// As far as the session can know.
bool Dialogue::tls_can_be_used() const {
  if (given_up_ || (tls_ == Tls::waits && tls_end_told_)) return false;
  return status_ && status_->kind == Kind::ready;
}

// Then the session may wait for it, whatever it owes to others.
bool Dialogue::tls_keeps_silent() const {
  if (status_ || tls_ == Tls::absent) return false;
  return tls_ == Tls::waits ? !tls_end_told_ : !closed_;
}

// As a log line has it.
std::string Dialogue::protocol() const {
  return inside_tls_ ? spf::printable_word(status_->protocol, 255) : "none";
}

bool Dialogue::is_inside_tls(const ServerModel& server) const {
  return inside_tls_ && server.variables.size() >= tls_variables_.size() &&
         std::equal(tls_variables_.rbegin(), tls_variables_.rend(), server.variables.rbegin());
}

// STARTTLS is what it is said to be: offered until a spftls could not serve, and
// had if the one that it starts can.
void Dialogue::look_at_starttls() {
  const bool wanted = config_.starttls == spf::Starttls::terminate && !inside_tls_ && !given_up_;
  if (const auto offers = view_.take_offers()) {
    if (config_.starttls == spf::Starttls::pass && !inside_tls_)
      require(*offers <= 1, "STARTTLS is offered twice");
    else
      require(*offers == wanted, "STARTTLS is offered where it can't be had, or not where it may");
  }
  const auto code = view_.take_starttls_code();
  if (!code || *code == 421 || *code == 451) return;  // these end the session
  if (inside_tls_)
    require(*code == 503, "STARTTLS inside TLS");
  else if (config_.starttls == spf::Starttls::hide)
    require(*code == 502, "STARTTLS is there, though hidden");
  else if (config_.starttls == spf::Starttls::unavailable)
    require(*code == 454, "STARTTLS without a certificate");
  else if (config_.starttls == spf::Starttls::terminate) {
    const bool waits = tls_ == Tls::waits;
    require(waits || given_up_, "STARTTLS is answered before a spftls was tried");
    require(*code == (waits && tls_can_be_used() ? 220 : 454), "STARTTLS does not get what it can have");
  }
}

}  // namespace fuzz
