// A check as it goes, in lines: records, terms and their outcome, DNS.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "spf/explain/answer_text.hh"
#include "spf/engine/trace.hh"
#include "spf/explain/terminal_text.hh"

namespace spf {

class CheckTrace : public Trace {
 public:
  // What includes and redirects lead to is deeper. Terms have their outcome
  // for a label.
  const std::vector<TreeLine>& lines() const { return lines_; }
  const std::vector<std::string>& warnings() const { return warnings_; }

  // What the domain's terms and the local rules have used; not the forwarders'.
  const Limits& record_limits() const { return record_limits_; }
  const Limits& local_limits() const { return local_limits_; }
  bool local_rules_tried() const { return local_rules_tried_; }

  void record(unsigned depth, std::string_view domain, std::string_view text) override;
  void syntax_problem(unsigned depth, std::string_view term, std::string_view what) override;
  void term(unsigned depth, const Term& term) override;
  void term_done(unsigned depth, const Term& term, Outcome outcome, const Limits& used) override;
  void explanation(std::string_view domain_spec) override;
  void forwarder(std::string_view domain) override;
  void forwarder_done(std::string_view domain, Result result) override;
  void dmarc(std::string_view domain) override;
  void dmarc_done(std::string_view domain, std::string_view found) override;
  void question(std::string_view name, RrType type, const Answer& answer) override;
  void warning(std::string_view text) override;

 private:
  // What is evaluated at one depth of the trace.
  struct Frame {
    unsigned redirects = 0;                // followed here
    std::vector<std::string> not_reached;  // of the current record
  };
  struct OpenTerm {
    std::size_t line;
    bool local;  // it, or a term that it is within
  };

  unsigned indent(unsigned depth);
  void add(unsigned depth, std::string_view text, std::string_view label = {});
  void begin_step(std::string_view text);

  std::vector<TreeLine> lines_;
  std::vector<std::string> warnings_;
  std::vector<Frame> frames_;
  std::vector<OpenTerm> open_;
  std::size_t step_ = 0;   // the line of a forwarder, or of DMARC
  unsigned step_indent_ = 0;
  unsigned question_indent_ = 0;
  bool shows_texts_ = false, local_rules_tried_ = false;
  AnswerText answers_;
  Limits record_limits_, local_limits_;
};

}  // namespace spf
