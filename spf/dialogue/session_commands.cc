// What the session does of each command.
#include <algorithm>

#include "spf/dialogue/policy.hh"
#include "spf/dialogue/header_fields.hh"
#include "spf/dialogue/session.hh"
#include "spf/dialogue/variables.hh"
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
    if (command.verb == Verb::ehlo) filter_ehlo(answer, starttls_keyword());
  }
  co_await pass(std::move(answer));
}

Task<void> Session::mail(const Path& path) {
  // What is open in the child stays so until it is reset.
  if (!std::holds_alternative<Open>(transaction_)) transaction_ = NoTransaction{};
  if (++mails_ > max_mails) throw Close{std::string(reply::too_many_messages)};
  if (checks_cpu_time_ > max_cpu_time) throw Close{std::string(reply::too_much_work)};
  if (trusted_) {
    const bool annotated = co_await annotate(std::string());
    co_await reset_child();
    if (annotated)
      co_await open_transaction(path, std::string());
    else
      say(reply::cannot_annotate);
    co_return;
  }

  const Query query = {config_.client, helo_name_, path.mailbox};
  std::optional<Verdict> verdict = co_await check(query);
  if (!verdict) {
    say(reply::lookup_failure);
    co_return;
  }

  switch (decide(config_.level, verdict->result)) {
    case Decision::defer:
      co_await reset_child();
      log(451, "", query, *verdict);
      say(reply::lookup_failure);
      break;

    case Decision::reject:
      co_await reset_child();
      transaction_ = Refused{query, *std::move(verdict)};
      say(reply::ok);
      break;

    case Decision::accept:
      co_await accept(path, query, *verdict);
      break;
  }
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

Task<void> Session::accept(const Path& path, const Query& query, const Verdict& verdict) {
  const HeaderValues values = header_values(query, verdict, config_);
  std::string header = header_fields(values, config_.header_type);
  Variables wanted = variables(verdict, values.received_spf, values.authentication_results);
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
    co_return;
  }
  log(250, "", query, verdict);
  co_await open_transaction(path, std::move(header));
}

Task<void> Session::open_transaction(const Path& path, std::string header) {
  Reply answer = co_await ask(path.command(Verb::mail));
  if (answer.positive()) transaction_ = Open{std::move(header)};
  co_await pass(std::move(answer));
}

Task<void> Session::recipient(const Path& path) {
  if (const auto* refused = std::get_if<Refused>(&transaction_)) {
    log(550, path.mailbox, refused->query, refused->verdict);
    say(rejection(refused->verdict.explanation).wire());
    co_return;
  }
  co_await relay(path.command(Verb::rcpt));
}

Task<void> Session::authenticate(std::string_view argument) {
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

Task<std::optional<Verdict>> Session::check(const Query& query) {
  verdict_.reset();
  act(action::StartCheck{query});
  begin_limit(seconds(0));  // the check has its own deadline
  while (!verdict_) {
    co_await event();
    if (verdict_) break;
    stop_waiting_if_over();
    if (client_is_done()) {
      act(action::AbandonCheck{});
      co_return std::nullopt;
    }
    listen_to_idle_child();
  }
  co_return std::exchange(verdict_, std::nullopt);
}

}  // namespace spf
