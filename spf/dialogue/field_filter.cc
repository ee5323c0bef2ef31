#include "spf/dialogue/field_filter.hh"

#include <algorithm>

#include "spf/base/ascii.hh"

namespace spf {
namespace {

constexpr std::string_view results_name = "authentication-results";
constexpr std::string_view spf_name = "received-spf";

// A field that hides its ID for longer than this was written to hide it.
constexpr std::size_t max_held = 4096;

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

// What a token may have, and octets above 126.
constexpr bool is_token_char(char c) { return c != ' ' && !is_control(c) && !is_tspecial(c); }

std::string in_lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), lower);
  return result;
}

bool has_word(std::string_view text, std::string_view word) {
  for (std::size_t at = 0; (at = text.find(word, at)) != text.npos; ++at) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_token_char(text[at - 1])) && (end == text.size() || !is_token_char(text[end])))
      return true;
  }
  return false;
}

// Whatever is no printable octet as a blank, without backslashes.
std::string with_blanks(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (c != '\\') result += is_control(c) ? ' ' : lower(c);
  return result;
}

// The same without comments, quotes and control characters, and without blanks
// beside a dot: OpenDMARC, for one, puts the pieces of a name together so.
std::string put_together(std::string_view text) {
  std::string result;
  unsigned depth = 0;
  bool escaped = false;
  for (const char c : text) {
    if (escaped || c == '\\') {
      if (escaped && depth == 0) result += lower(c);
      escaped = !escaped;
      continue;
    }
    if (c == '(') ++depth;
    if (depth == 0 && c != '"' && (!is_control(c) || c == '\t')) {
      if (c == '.')
        result.resize(result.find_last_not_of(' ') + 1);
      if (!is_blank(c))
        result += lower(c);
      else if (!result.ends_with('.'))
        result += ' ';
    }
    if (c == ')' && depth > 0) --depth;
  }
  return result;
}

}  // namespace

FieldFilter::FieldFilter(Strip strip, std::string_view authserv_id)
    : strip_(strip), authserv_id_(in_lower_case(authserv_id)) {
  if (strip != Strip::no) at_ = At::start;
}

bool FieldFilter::Prelude::is_ended_by(char c) {
  if (c == '(') ++naive_depth_;
  if (c == ')' && naive_depth_ > 0) --naive_depth_;
  if (c == ';' && naive_depth_ == 0) naive_ended_ = true;

  if (escaped_)
    escaped_ = false;
  else if (c == '\\')
    escaped_ = true;
  else if (quoted_)
    quoted_ = c != '"';
  else if (c == '(')
    ++depth_;
  else if (depth_ > 0)
    depth_ -= c == ')';
  else if (c == '"')
    quoted_ = true;
  else if (c == ';')
    ended_ = true;
  return ended_ && naive_ended_;
}

void FieldFilter::push(std::string_view octets, Buffer& out) {
  while (!octets.empty()) {
    if (!cr_ && (at_ == At::body || at_ == At::pass || (at_ == At::drop && !line_end_))) {
      // Nothing to look for but the end of the line.
      const std::size_t end =
          at_ == At::body ? octets.size() : std::min(octets.find('\r'), octets.size());
      if (at_ != At::drop) out.append(octets.substr(0, end));
      octets.remove_prefix(end);
      if (octets.empty()) return;
    }
    const char c = octets.front();
    octets.remove_prefix(1);
    if (cr_ && c != '\n') step('\r', out);
    cr_ = c == '\r';
    if (!cr_) step(c, out);
  }
}

void FieldFilter::finish(Buffer& out) {
  if (cr_) step('\r', out);
  cr_ = false;
  if (at_ == At::id && bears_our_id()) begin_drop();
  if (at_ == At::drop)
    end_drop(out);
  else
    release(out);
  at_ = At::body;
}

void FieldFilter::step(char c, Buffer& out) {
  switch (at_) {
    case At::start: return step_start(c, out);
    case At::after_name: return step_after_name(c, out);
    case At::id: return step_id(c, out);
    case At::drop: return step_drop(c, out);
    case At::body: return pass(c, out);

    case At::name:
      if (lower(c) == name_[matched_]) {
        held_ += c;
        if (++matched_ == name_.size()) at_ = At::after_name;
        return;
      }
      release(out);
      at_ = At::pass;
      [[fallthrough]];

    case At::pass:
      if (c == '\r') {
        held_ = c;
        at_ = At::start;
        return;
      }
      pass(c, out);
      if (c == '\n') at_ = At::start;
  }
}

void FieldFilter::step_start(char c, Buffer& out) {
  const bool begins_results = lower(c) == results_name.front();
  if (begins_results || (strip_ == Strip::all && lower(c) == spf_name.front())) {
    name_ = begins_results ? results_name : spf_name;
    matched_ = 1;
    held_ += c;
    at_ = At::name;
    return;
  }
  const bool empty_line = c == '\n' && !passed_ && held_.empty();
  release(out);
  at_ = empty_line ? At::body : At::pass;
  step(c, out);
}

void FieldFilter::step_after_name(char c, Buffer& out) {
  if (line_end_ && !is_blank(c)) return start_line(c, out);
  if (c == ':') {
    at_ = At::id;
    hold(c);
    prelude_ = held_.size();
    reading_ = {};
    if (name_ == spf_name) begin_drop();
  } else if (c == ' ' || is_control(c)) {
    hold(c);
  } else {
    // It was no field; but after a bare CR one may begin.
    const bool after_cr = held_.back() == '\r';
    if (after_cr) held_.pop_back();
    release(out);
    at_ = At::pass;
    if (after_cr) step('\r', out);
    step(c, out);
  }
}

void FieldFilter::step_id(char c, Buffer& out) {
  if (!continues(c)) {
    if (!bears_our_id()) return start_line(c, out);
    begin_drop();
    end_drop(out);
    return step(c, out);
  }
  if (c == '\n' || !reading_.is_ended_by(c)) return hold(c);
  if (bears_our_id()) return begin_drop();
  release(out);
  at_ = At::pass;
  step(c, out);
}

void FieldFilter::step_drop(char c, Buffer& out) {
  if (!continues(c)) {
    end_drop(out);
    return step(c, out);
  }
  line_end_ = c == '\n';
}

// Whether `c` still belongs to the field, which its line's end leaves open.
bool FieldFilter::continues(char c) const { return !line_end_ || is_blank(c) || c == '\r'; }

// What is held was whole lines that may go on, and `c` begins another.
void FieldFilter::start_line(char c, Buffer& out) {
  release(out);
  line_end_ = false;
  passed_ = false;
  at_ = At::start;
  step(c, out);
}

void FieldFilter::pass(char c, Buffer& out) {
  out.append(c == '\n' ? std::string_view("\r\n") : std::string_view(&c, 1));
  passed_ = c != '\n';
}

void FieldFilter::hold(char c) {
  line_end_ = c == '\n';
  if (line_end_) held_ += '\r';
  held_ += c;
  if (held_.size() >= max_held) begin_drop();
}

void FieldFilter::release(Buffer& out) {
  out.append(held_);
  passed_ = passed_ || !held_.empty();
  held_.clear();
}

void FieldFilter::begin_drop() {
  held_.clear();
  at_ = At::drop;
}

// Where a bare CR was its beginning, what is before that keeps its line's end.
void FieldFilter::end_drop(Buffer& out) {
  if (passed_) pass('\n', out);
  at_ = At::start;
  line_end_ = false;
}

bool FieldFilter::bears_our_id() const {
  if (authserv_id_.empty()) return false;
  const std::string_view prelude = std::string_view(held_).substr(prelude_);
  // Who ends lines at a bare CR would see a field of its own there.
  const std::string folded = in_lower_case(prelude);
  for (const std::string_view name : {results_name, spf_name})
    if ((name == results_name || strip_ == Strip::all) &&
        folded.find('\r' + std::string(name)) != std::string::npos)
      return true;
  return has_word(with_blanks(prelude), authserv_id_) ||
         has_word(put_together(prelude), authserv_id_);
}

}  // namespace spf
