#include "spf/explain/check_trace.hh"

#include "spf/engine/record.hh"

namespace spf {
namespace {

std::string_view name(Trace::Outcome outcome) {
  switch (outcome) {
    case Trace::Outcome::match: return "match";
    case Trace::Outcome::no_match: return "no match";
    case Trace::Outcome::permerror: return "permerror";
    case Trace::Outcome::temperror: break;
  }
  return "temperror";
}

std::string written(const Trace::Term& term) {
  const std::string text(term.text);
  switch (term.kind) {
    case Trace::Term::Kind::directive: break;
    case Trace::Term::Kind::local_rule: return text + " (local rule)";
    case Trace::Term::Kind::redirect: return "redirect=" + text;
  }
  return text;
}

// The terms that the trace will tell of one by one.
std::vector<std::string> terms_of(std::string_view text) {
  std::vector<std::string> terms;
  const auto parsed = parse_record(text);
  if (const auto* record = std::get_if<Record>(&parsed)) {
    for (const Directive& directive : record->directives) terms.push_back(directive.text);
    if (record->redirect) terms.push_back(written({Trace::Term::Kind::redirect, *record->redirect}));
  }
  return terms;
}

}  // namespace

// How deep lines of this depth stand: what a redirect leads to is deeper, too.
unsigned CheckTrace::indent(unsigned depth) {
  if (frames_.size() <= depth) frames_.resize(depth + 1);
  unsigned result = step_indent_ + depth;
  for (unsigned i = 0; i <= depth; ++i) result += frames_[i].redirects;
  return result;
}

void CheckTrace::add(unsigned indent, std::string_view text, std::string_view label) {
  lines_.push_back({std::string(label), indent, std::string(text)});
}

void CheckTrace::record(unsigned depth, std::string_view, std::string_view text) {
  add(indent(depth), text);
  frames_[depth].not_reached = terms_of(text);
}

void CheckTrace::syntax_problem(unsigned depth, std::string_view term, std::string_view what) {
  add(indent(depth), std::string(term) + ": " + std::string(what), "permerror");
}

void CheckTrace::term(unsigned depth, const Term& term) {
  const bool local = term.kind == Term::Kind::local_rule;
  const bool within_local = !open_.empty() && open_.back().local;
  local_rules_tried_ = local_rules_tried_ || local;
  open_.push_back({lines_.size(), local || within_local});
  add(indent(depth), written(term));
  question_indent_ = indent(depth) + 1;
  auto& rest = frames_[depth].not_reached;
  if (!local && !rest.empty()) rest.erase(rest.begin());
}

void CheckTrace::term_done(unsigned depth, const Term& term, Outcome outcome, const Limits& used) {
  const auto [line, local] = open_.back();
  open_.pop_back();
  const bool followed = outcome == Outcome::match && term.kind == Term::Kind::redirect;
  lines_[line].label = followed ? "followed" : name(outcome);
  if (step_indent_ == 0) (local ? local_limits_ : record_limits_) = used;
  frames_.resize(depth + 1);  // what was included is over
  if (followed) {
    ++frames_[depth].redirects;
  } else if (outcome != Outcome::no_match) {
    // A local rule in permerror is left out.
    if (outcome == Outcome::permerror && local) return;
    for (const std::string& term : frames_[depth].not_reached) add(indent(depth), term, "not reached");
    frames_[depth].not_reached.clear();
  }
  question_indent_ = indent(depth);
}

void CheckTrace::explanation(std::string_view domain_spec) {
  add(0, "exp=" + std::string(domain_spec));
  shows_texts_ = true;
  question_indent_ = 1;
}

// What follows is of another check, one deeper.
void CheckTrace::begin_step(std::string_view text) {
  step_ = lines_.size();
  step_indent_ = 0;
  add(0, text);
  step_indent_ = question_indent_ = 1;
  frames_.clear();
  open_.clear();
}

void CheckTrace::forwarder(std::string_view domain) {
  shows_texts_ = false;
  begin_step("forwarder " + std::string(domain));
}

void CheckTrace::forwarder_done(std::string_view, Result result) { lines_[step_].label = spf::name(result); }

void CheckTrace::dmarc(std::string_view domain) {
  shows_texts_ = true;
  begin_step("DMARC policy of " + std::string(domain));
}

void CheckTrace::dmarc_done(std::string_view, std::string_view found) {
  lines_[step_].text += ": " + std::string(found);
}

void CheckTrace::question(std::string_view name, RrType type, const Answer& answer) {
  add(question_indent_, answers_.line(name, type, answer,
                                      shows_texts_ ? AnswerText::Texts::show : AnswerText::Texts::count));
  if (type != RrType::txt || shows_texts_ || select_record(answer.texts).count < 2) return;
  for (const std::string& text : answer.texts)
    if (is_spf_record(text)) add(question_indent_, text);
}

void CheckTrace::warning(std::string_view text) { warnings_.emplace_back(text); }

}  // namespace spf
