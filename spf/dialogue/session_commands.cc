// What the session does of each command.
#include <algorithm>

#include "spf/dialogue/policy.hh"
#include "spf/dialogue/header_fields.hh"
#include "spf/dialogue/session.hh"
#include "spf/dialogue/annotation.hh"

namespace spf {
namespace {

using std::chrono::seconds;

// A session may not make us work without end. MAIL counts once it has an
// address, also for a client that is not checked. With it prog's starts are
// bounded too: each is for a MAIL, for AUTH after one, or for STARTTLS.
constexpr unsigned max_mails = 1000;
constexpr seconds max_cpu_time{10};  // of all checks

}  // namespace

// Commands. False after QUIT.

Task<bool> Session::execute(Command command) {
  const auto [verb, argument] = command;
  switch (verb) {
    case Verb::helo:
    case Verb::ehlo:
      co_await greet(command);
      break;

    case Verb::mail:
    case Verb::rcpt:
      if (const auto path = parse_path(verb, argument, is_own_); !path)
        say(verb == Verb::mail ? reply::bad_mail : reply::bad_rcpt);
      else if (verb == Verb::mail)
        co_await mail(*path);
      else
        co_await recipient(*path);
      break;

    case Verb::data:
    case Verb::rset:
    case Verb::quit:
      if (!argument.empty()) {
        say(reply::bad_syntax);
      } else if (verb == Verb::data) {
        co_await data();
      } else if (verb == Verb::rset) {
        transaction_ = NoTransaction{};
        co_await relay("RSET");
      } else {
        co_await relay("QUIT");
        co_return false;
      }
      break;

    case Verb::noop:
      co_await relay("NOOP");
      break;

    case Verb::vrfy:
    case Verb::expn:
    case Verb::help: {
      std::string line(name(verb));
      if (!argument.empty()) line.append(" ").append(argument);
      if (is_plain(line))
        co_await relay(std::move(line));
      else
        say(reply::bad_syntax);
      break;
    }

    case Verb::auth:
      co_await authenticate(argument);
      break;

    case Verb::starttls:
      co_await starttls(argument);
      break;

    case Verb::bdat:
      throw Close{std::string(reply::no_chunking)};

    case Verb::unknown:
      say(reply::not_implemented);
      break;
  }
  co_return true;
}

Task<void> Session::greet(Command command) {
  if (!is_plain(command.argument)) {
    say(reply::bad_syntax);
    co_return;
  }
  std::string line(name(command.verb));
  if (!command.argument.empty()) line.append(" ").append(command.argument);
  Reply answer = co_await ask(line);
  if (answer.positive()) {
    hello_ = std::move(line);
    helo_name_ = command.argument;
    transaction_ = NoTransaction{};
    if (command.verb == Verb::ehlo) filter_ehlo(answer, starttls_keyword(), auth_keyword());
  }
  co_await pass(std::move(answer));
}

void Session::count_mail() {
  if (++mails_ > max_mails) throw Close{std::string(reply::too_many_messages)};
}

Task<void> Session::mail(const Path& path) {
  // What is open in the child stays so until it is reset.
  if (!std::holds_alternative<Open>(transaction_)) transaction_ = NoTransaction{};
  count_mail();
  if (checks_cpu_time_ > max_cpu_time) throw Close{std::string(reply::too_much_work)};
  const RecipientLevels levels(config_, path.mailbox);
  if (trusted_ || levels.all_off()) {
    co_await pass_unchecked(path);
    co_return;
  }

  const Query query = {config_.client, helo_name_, path.mailbox};
  std::optional<Judgement> judgement = co_await check(query);
  if (!judgement) {
    say(reply::lookup_failure);
    co_return;
  }

  Judged judged{{query, *std::move(judgement), levels, {}}};
  std::optional<Decision> decision = judged.common_decision();
  if (decision == Decision::reject && may_be_exempted(judged)) {
    const bool answered = co_await find_exemption(judged);
    if (!answered) {
      say(reply::lookup_failure);
      co_return;
    }
    decision = judged.common_decision();
  }
  if (decision == Decision::accept) {
    std::optional<Reply> answer = co_await accept(path, judged, levels.of_sender());
    if (answer) co_await pass(*std::move(answer));
    co_return;
  }
  co_await reset_child();
  if (decision == Decision::defer) {
    log(451, "", judged, levels.of_sender());
    say(reply::lookup_failure);
    co_return;
  }
  if (decision == Decision::reject)
    transaction_ = Refused{std::move(judged)};
  else
    transaction_ = Held{std::move(judged), path};
  say(reply::ok);
}

// With SPFANNOTATE=queue: what the queue program is to find from here on. False
// where it can't be told; then no MAIL may follow, for it might find another's.
Task<bool> Session::annotate(std::string octets) {
  if (config_.annotate != Annotate::queue) co_return true;
  annotated_.reset();
  act(action::Annotate{std::move(octets)});
  while (!annotated_) co_await event();
  co_return *annotated_;
}

// What follows is not checked, so no older verdict may be there, nor a transaction.
// False, with a reply, where that can't be had.
Task<bool> Session::forget_verdict() {
  const bool started = co_await start_again(no_variables);
  const bool annotated = co_await annotate(std::string());
  co_await reset_child();
  if (!started || !annotated) say(started ? reply::cannot_annotate : reply::cannot_start_again);
  co_return started && annotated;
}

Task<void> Session::pass_unchecked(const Path& path) {
  const bool forgotten = co_await forget_verdict();
  if (!forgotten) co_return;
  Reply answer = co_await ask(path.command(Verb::mail));
  if (answer.positive()) transaction_ = Open{};
  co_await pass(std::move(answer));
}

// Gives the child a MAIL that is let through at this level, and opens the
// transaction. Its reply; nothing where it is not open, which the client has
// been told then.
Task<std::optional<Reply>> Session::accept(const Path& path, Judged& judged, unsigned level) {
  const HeaderValues values = header_values(judged.query, judged.judgement, config_);
  std::string header = header_fields(values, config_.header_type);
  Variables wanted = variables(judged, values);
  std::string octets;
  bool started = true, annotated = true;
  switch (config_.annotate) {
    case Annotate::env:
      header.clear();
      [[fallthrough]];
    case Annotate::data:
      started = co_await start_again(wanted);
      break;
    case Annotate::queue:
      octets = encode_annotation({std::move(wanted), std::move(header)});
      annotated = co_await annotate(std::move(octets));
      header.clear();
      break;
    case Annotate::header:
      break;
  }
  co_await reset_child();
  if (!started || !annotated) {
    say(started ? reply::cannot_annotate : reply::cannot_start_again);
    co_return std::nullopt;
  }
  if (!std::exchange(judged.logged, true)) log(250, "", judged, level);
  Reply answer = co_await ask(path.command(Verb::mail));
  if (!answer.positive()) {
    co_await pass(std::move(answer));
    co_return std::nullopt;
  }
  Open open{std::move(header), std::nullopt};
  if (judged.common_decision() != Decision::accept) open.judged = judged;
  transaction_ = std::move(open);
  co_return answer;
}

// The MAIL of a transaction where recipients are refused, or may be.
Session::Judged* Session::judged() {
  if (auto* refused = std::get_if<Refused>(&transaction_)) return &refused->judged;
  if (auto* held = std::get_if<Held>(&transaction_)) return &held->judged;
  auto* open = std::get_if<Open>(&transaction_);
  return open && open->judged ? &*open->judged : nullptr;
}

// Gives the child the MAIL that was held back, for a recipient with this level.
// False if it did not take it, which is the answer to that recipient; the next
// one tries again.
Task<bool> Session::give_held(unsigned level) {
  Held held = std::get<Held>(std::move(transaction_));
  transaction_ = NoTransaction{};  // a new child knows of none
  if (std::exchange(held.tried, true)) count_mail();
  const std::optional<Reply> answer = co_await accept(held.path, held.judged, level);
  if (!answer) transaction_ = std::move(held);
  co_return answer.has_value();
}

Task<void> Session::recipient(const Path& path) {
  if (Judged* judged = this->judged()) {
    const unsigned level = judged->levels.of(path.mailbox);
    Decision decision = judged->decision(level);
    if (decision == Decision::reject && may_be_exempted(*judged)) {
      const bool answered = co_await find_exemption(*judged);
      if (!answered) {
        say(reply::lookup_failure);
        co_return;
      }
      decision = judged->decision(level);
      judged->logged = false;
      const bool open = std::holds_alternative<Open>(transaction_);
      if (open && decision == Decision::accept) log(250, path.mailbox, *judged, level);
    }
    if (decision != Decision::accept) {
      log(code(decision), path.mailbox, *judged, level);
      if (decision == Decision::defer)
        say(reply::lookup_failure);
      else
        say(rejection(judged->refusing_verdict(level)).wire());
      co_return;
    }
    if (std::holds_alternative<Held>(transaction_)) {
      const bool open = co_await give_held(level);
      if (!open) co_return;
    }
  }
  co_await relay(path.command(Verb::rcpt));
}

Task<void> Session::authenticate(std::string_view argument) {
  if (auth_keyword() == AuthKeyword::drop) {
    say(reply::encryption_required);
    co_return;
  }
  if (argument.empty() || !is_plain(argument)) {
    say(reply::bad_syntax);
    co_return;
  }
  if (!std::holds_alternative<NoTransaction>(transaction_)) {
    say(reply::in_transaction);
    co_return;
  }
  std::string line = "AUTH ";
  line += argument;
  // What comes after 235 is not checked, so no older verdict may be there.
  const bool started = co_await start_again(no_variables);
  if (!started) {
    say(reply::cannot_start_again);
    co_return;
  }

  Reply answer = co_await ask(std::move(line));
  while (answer.code == 334) {
    co_await pass(std::move(answer));
    Line response = co_await client_line(LineKind::opaque);
    // RFC 4954 section 4: "*" cancels.
    std::string next = response.problem.empty() ? std::move(response.text) : "*";
    answer = co_await ask(std::move(next));
  }
  if (answer.code == 235) trusted_ = true;
  co_await pass(std::move(answer));
}

Task<void> Session::relay(std::string line) {
  Reply answer = co_await ask(std::move(line));
  co_await pass(std::move(answer));
}

// The check. Nothing, if it was given up because the client went away.

template <class Answer>
Task<std::optional<Answer>> Session::answer_to_check(std::optional<Answer>& answer) {
  begin_limit(seconds(0));  // it has its own deadline
  while (!answer) {
    co_await event();
    if (answer) break;
    stop_waiting_if_over();
    if (client_is_done()) {
      act(action::AbandonCheck{});
      co_return std::nullopt;
    }
    listen_to_idle_child();
  }
  co_return std::exchange(answer, std::nullopt);
}

Task<std::optional<Judgement>> Session::check(const Query& query) {
  judgement_.reset();
  checked_ = true;
  act(action::StartCheck{query});
  std::optional<Judgement> judgement = co_await answer_to_check(judgement_);
  co_return judgement;
}

bool Session::may_be_exempted(const Judged& judged) const {
  return !judged.exemption && has_exemptions(config_);
}

// A refusal is due. False, if the search was given up.
Task<bool> Session::find_exemption(Judged& judged) {
  judged.exemption = exemption_without_dns(judged.query, exemption_options(config_));
  if (judged.exemption) co_return true;
  exemption_.reset();
  act(action::StartExemption{judged.query});
  judged.exemption = co_await answer_to_check(exemption_);
  co_return judged.exemption.has_value();
}

}  // namespace spf
