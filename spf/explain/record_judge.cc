#include "spf/explain/record_judge.hh"

#include <algorithm>
#include <set>
#include <utility>
#include <variant>

#include "spf/explain/answer_text.hh"
#include "spf/engine/limits.hh"
#include "spf/engine/macro.hh"
#include "spf/explain/record_hints.hh"
#include "spf/explain/record_remarks.hh"
#include "spf/engine/static_name.hh"

namespace spf {
namespace {

constexpr unsigned most_records = 100;
constexpr std::size_t udp_octets = 450;  // RFC 7208 section 3.4

class Judge {
 public:
  Judge(const std::string& domain, Resolver& resolver)
      : origin_(domain), resolver_(resolver) {}

  RecordJudgement judge();

 private:
  // Whose record it is says what there is to remark.
  enum class Role { own, included };

  Cost visit(const std::string& domain, unsigned depth, Role role);
  void judge_texts(const std::string& domain, const Answer& answer, Role role);
  Cost walk(const Record& record, const std::string& domain, unsigned depth, Role role);
  Cost cost_of(const Directive& directive, const std::string& domain, unsigned depth);
  Cost address_cost(const std::string& name, unsigned depth);
  Cost mx_cost(const std::string& name, unsigned depth);
  void check_explanation(const std::string& spec, const std::string& domain, unsigned depth);
  void check_limits(const Cost& cost);
  void check_voids(unsigned certain, unsigned possible, const std::string& family);

  std::optional<std::string> name_of(const std::string& spec, const std::string& domain) const {
    return static_name(spec, domain, origin_);
  }
  void prefetch(const Record& record, const std::string& domain);
  const Answer& ask(const std::string& name, RrType type, unsigned depth);
  std::string nothing_for(const std::string& name) const;

  std::size_t add(unsigned depth, std::string_view text, std::string_view label = {});
  void error(const std::string& text, Grade grade = Grade::permerror);
  void warn(const std::string& text);

  const std::string origin_;
  Resolver& resolver_;
  RecordJudgement judgement_;
  std::vector<std::string> path_;  // the records that are being walked
  std::string term_;               // the one that is being judged
  std::set<std::string> included_;
  unsigned records_ = 0;
  AnswerText answers_;
};

RecordJudgement Judge::judge() {
  judgement_.cost = visit(origin_, 0, Role::own);
  check_limits(judgement_.cost);
  return std::move(judgement_);
}

std::size_t Judge::add(unsigned depth, std::string_view text, std::string_view label) {
  judgement_.lines.push_back({std::string(label), depth, std::string(text)});
  return judgement_.lines.size() - 1;
}

void Judge::error(const std::string& text, Grade grade) {
  judgement_.grade = std::max(judgement_.grade, grade);
  auto& errors = judgement_.errors;
  if (std::find(errors.begin(), errors.end(), text) == errors.end()) errors.push_back(text);
}

void Judge::warn(const std::string& text) {
  judgement_.grade = std::max(judgement_.grade, Grade::warnings);
  auto& warnings = judgement_.warnings;
  if (std::find(warnings.begin(), warnings.end(), text) == warnings.end()) warnings.push_back(text);
}

const Answer& Judge::ask(const std::string& name, RrType type, unsigned depth) {
  const Answer& answer = resolver_.lookup(name, type);
  if (answer.over_bound) {
    error("too much to ask for: stopped after " + std::to_string(most_judged_questions) +
          " questions");
    return answer;
  }
  add(depth, answers_.line(name, type, answer, AnswerText::Texts::count));
  if (answer.status == Answer::Status::trouble)
    error(name + ": DNS gives no usable answer", Grade::temperror);
  return answer;
}

// Asks at once for what the terms will need one by one.
void Judge::prefetch(const Record& record, const std::string& domain) {
  const auto want = [this](const std::string& name, RrType type) { resolver_.prefetch(name, type); };
  for (const Directive& directive : record.directives) {
    const auto name = name_of(directive.domain_spec, domain);
    if (!name) continue;
    switch (directive.mechanism) {
      case Mechanism::include: want(*name, RrType::txt); break;
      case Mechanism::mx: want(*name, RrType::mx); break;
      case Mechanism::a: want(*name, RrType::aaaa); [[fallthrough]];
      case Mechanism::exists: want(*name, RrType::a); break;
      default: break;
    }
  }
}

// Sections 4.4 to 4.7, for a client that nothing matches.
Cost Judge::visit(const std::string& domain, unsigned depth, Role role) {
  if (std::find(path_.begin(), path_.end(), canonical_name(domain)) != path_.end()) {
    error(domain + ": a loop, this record leads to itself");
    add(depth, domain + ": a loop", "error");
    return {};
  }
  if (++records_ > most_records) {
    error("too much to follow: stopped after " + std::to_string(most_records) + " records");
    return {};
  }
  const Answer& answer = ask(domain, RrType::txt, depth);
  if (answer.status == Answer::Status::trouble) return {};
  judge_texts(domain, answer, role);
  const RecordSelection found = select_record(answer.texts);
  for (const std::string& text : answer.texts)
    if (is_spf_record(text)) add(depth, text);
  if (found.count != 1) return {};
  if (path_.empty()) judgement_.record = *found.text;
  const auto parsed = parse_record(*found.text);
  if (const auto* problem = std::get_if<SyntaxProblem>(&parsed)) {
    const std::string meant = hint(*found.text, *problem);
    error(domain + ": octet " + std::to_string(problem->position + 1) + ", " + problem->term + ": " +
          problem->what + (meant.empty() ? "" : "; " + meant));
    return {};
  }
  path_.push_back(canonical_name(domain));
  const Cost cost = walk(std::get<Record>(parsed), domain, depth, role);
  path_.pop_back();
  return cost;
}

// What there is to say of a TXT set before its record is read.
void Judge::judge_texts(const std::string& domain, const Answer& answer, Role role) {
  const auto found = select_record(answer.texts).count;
  if (role == Role::own && found > 0) {
    std::size_t octets = domain.size();
    for (const std::string& text : answer.texts) octets += text.size();
    judgement_.octets = std::max(judgement_.octets, octets);
    if (octets > udp_octets)
      warn(domain + ": TXT records of " + std::to_string(octets) + " octets with the name; over " +
           std::to_string(udp_octets) + " they may not fit into an answer over UDP");
  }
  if (found > 1) error(domain + ": more than one SPF record");
  if (found == 0 && path_.empty())
    error(domain + ": no SPF record", Grade::none);
  else if (found == 0)
    error(domain + ": no SPF record, and " + path_.back() + " refers to it");
  for (const std::string& text : answer.texts)
    if (!is_spf_record(text) && is_mistyped_record(text))
      warn(domain + ": this is no SPF record, which begins with \"v=spf1 \": \"" + text + '"');
}

Cost Judge::walk(const Record& record, const std::string& domain, unsigned depth, Role role) {
  prefetch(record, domain);
  if (role == Role::own)
    for (const std::string& remark : record_remarks(record)) warn(domain + ": " + remark);
  Cost sum;
  bool ended = false;
  for (const Directive& directive : record.directives) {
    const std::size_t line = add(depth, directive.text);
    if (ended) {
      judgement_.lines[line].label = "never";
      continue;
    }
    for (const std::string& remark : directive_remarks(directive)) warn(domain + ": " + remark);
    ended = directive.mechanism == Mechanism::all;
    if (ended && role == Role::included && directive.qualifier == Qualifier::pass)
      warn(domain + ": " + directive.text + ": including it lets everybody send");
    const Cost cost = cost_of(directive, domain, depth + 1);
    judgement_.lines[line].label = cost.label();
    sum += cost;
  }
  if (record.redirect) {
    const std::size_t line = add(depth, "redirect=" + *record.redirect, "never");
    const auto target = name_of(*record.redirect, domain);
    if (!ended) {
      Cost cost{.terms = 1, .more = !target};
      if (target && is_dns_name(*target))
        cost += visit(*target, depth + 1, role);
      else if (target)
        error(domain + ": redirect=" + *record.redirect + ": no name that DNS can carry");
      judgement_.lines[line].label = cost.label();
      sum += cost;
    }
  }
  if (record.exp && role == Role::own) check_explanation(*record.exp, domain, depth);
  return sum;
}

Cost Judge::cost_of(const Directive& directive, const std::string& domain, unsigned depth) {
  if (!directive.asks_dns()) return {};
  term_ = directive.text;
  const auto name = name_of(directive.domain_spec, domain);
  if (directive.mechanism == Mechanism::ptr || !name) {
    add(depth, "depends on the client: not followed");
    const bool include = directive.mechanism == Mechanism::include;
    return {.terms = 1, .possible_voids = !include, .more = include};
  }
  Cost cost{.terms = 1};
  if (!is_dns_name(*name)) {  // nothing is asked, so no answer is void
    const std::string text = domain + ": " + directive.text + ": no name that DNS can carry";
    directive.mechanism == Mechanism::include ? error(text) : warn(text);
    return cost;
  }
  switch (directive.mechanism) {
    case Mechanism::include:
      if (!included_.insert(canonical_name(*name)).second)
        warn(domain + ": " + directive.text + ": included already, and costs its terms again");
      cost += visit(*name, depth, Role::included);
      break;
    case Mechanism::mx: cost += mx_cost(*name, depth); break;
    case Mechanism::exists:
      if (ask(*name, RrType::a, depth).is_void()) cost.voids4 = cost.voids6 = 1;
      break;
    default: cost += address_cost(*name, depth); break;
  }
  if (directive.mechanism == Mechanism::exists && cost.voids4) warn(nothing_for(*name));
  return cost;
}

std::string Judge::nothing_for(const std::string& name) const {
  return path_.back() + ": " + term_ + ": DNS has nothing for " + name;
}

Cost Judge::address_cost(const std::string& name, unsigned depth) {
  Cost cost;
  if (!is_dns_name(name)) return cost;
  for (const RrType type : {RrType::a, RrType::aaaa}) {
    const Answer& answer = ask(name, type, depth);
    (type == RrType::a ? cost.voids4 : cost.voids6) = answer.is_void();
    for (const Address& address : answer.addresses)
      if (is_private(address))
        warn(path_.back() + ": " + term_ + ": " + address.text() + " of " + name +
             ": no client on the Internet has such an address");
  }
  if (cost.voids4 && cost.voids6) warn(nothing_for(name));
  return cost;
}

// A term has one void lookup at most, however many of its names have one.
Cost Judge::mx_cost(const std::string& name, unsigned depth) {
  const Answer& answer = ask(name, RrType::mx, depth);
  if (answer.is_void()) {
    warn(nothing_for(name));
    return {.voids4 = 1, .voids6 = 1};
  }
  if (answer.texts.size() == 1 && answer.texts.front().empty())
    warn(path_.back() + ": " + term_ + ": the null MX (RFC 7505) of " + name + " matches nobody");
  if (Limits::too_many_mx(answer))
    error(name + ": " + std::to_string(answer.texts.size()) + " MX records, of at most " +
          std::to_string(Limits::most_names));
  Cost most;
  for (std::size_t i = 0; i < std::min<std::size_t>(answer.texts.size(), Limits::most_names); ++i) {
    const Cost cost = address_cost(answer.texts[i], depth);
    most.voids4 = std::max(most.voids4, cost.voids4);
    most.voids6 = std::max(most.voids6, cost.voids6);
  }
  return most;
}

// Section 6.2: what is wrong is passed over in silence.
void Judge::check_explanation(const std::string& spec, const std::string& domain, unsigned depth) {
  const auto name = name_of(spec, domain);
  add(depth, "exp=" + spec);
  if (!name) return;
  const Answer& answer = resolver_.lookup(*name, RrType::txt);
  if (!answer.over_bound) add(depth + 1, answers_.line(*name, RrType::txt, answer, AnswerText::Texts::show));
  if (answer.status == Answer::Status::trouble)
    warn(domain + ": exp=" + spec + ": DNS gives no usable answer");
  else if (answer.texts.size() != 1)
    warn(domain + ": exp=" + spec + ": not exactly one text there");
  else if (const auto problem = macro_problem(answer.texts.front(), MacroUse::explanation))
    warn(domain + ": exp=" + spec + ": " + *problem);
}

void Judge::check_limits(const Cost& cost) {
  if (cost.terms > Limits::most_lookups)
    error(cost.counted_terms() + " that ask DNS, of at most " +
          std::to_string(Limits::most_lookups) + ": permerror where the first ones do not match");
  check_voids(cost.voids4, cost.possible_voids, "IPv4");
  check_voids(cost.voids6, cost.possible_voids, "IPv6");
}

void Judge::check_voids(unsigned certain, unsigned possible, const std::string& family) {
  const std::string text = "a client with an " + family + " address makes " +
                           counted(certain, "void lookup") + ", of at most " +
                           std::to_string(Limits::most_voids);
  if (certain > Limits::most_voids)
    error(text + ": permerror where the first terms do not match");
  else if (possible > 0 && certain + possible > Limits::most_voids)
    warn(text + ", and maybe " + std::to_string(possible) + " more: ptr, or a macro");
}

}  // namespace

std::string_view name(Grade grade) {
  switch (grade) {
    case Grade::good: return "good";
    case Grade::warnings: return "warnings";
    case Grade::none: return "none";
    case Grade::temperror: return "temperror";
    case Grade::permerror: break;
  }
  return "permerror";
}

RecordJudgement judge_record(const std::string& domain, Resolver& resolver) {
  return Judge(domain, resolver).judge();
}

}  // namespace spf
