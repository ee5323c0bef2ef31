#include "spf/dialogue/message_content.hh"

#include <cstring>

#include "spf/base/header_field.hh"

namespace spf {
namespace {

// What one call may add beyond the octets it takes: a dot and a CR held back.
constexpr std::size_t held_back = 2;

}  // namespace

void ContentRelay::begin(char first, Buffer& out) {
  begun_ = true;
  if (header_.empty()) return;
  out.append(header_);
  out.append(guard_before(first));
}

void ContentRelay::pass(std::string_view content, Buffer& out) {
  if (fields_.over())
    out.append(content);
  else
    fields_.push(content, out);
}

ContentRelay::Step ContentRelay::push(std::string_view content, Buffer& out) {
  std::size_t reserve = held_back;
  if (!begun_) reserve += header_.size() + guard_before('\r').size();
  if (!fields_.over()) reserve += fields_.held();
  if (out.room() <= reserve) return {0, Status::more};
  content = content.substr(0, out.room() - reserve);

  std::size_t next = 0;  // the octet looked at
  std::size_t run = 0;   // start of the octets that go on as they are
  const auto pass_run = [&] {
    pass(content.substr(run, next - run), out);
    run = next;
  };

  while (next < content.size()) {
    const char c = content[next];
    switch (at_) {
      case At::start_of_line:
        if (c == '.') {
          pass_run();
          run = ++next;
          at_ = At::after_dot;
        } else if (c == '\r' && !begun_) {
          run = ++next;
          at_ = At::first_cr;
        } else {
          if (!begun_) begin(c, out);
          after_cr_ = false;
          at_ = At::in_line;
        }
        break;

      case At::after_dot:
        if (c == '\r') {
          run = ++next;
          at_ = At::after_dot_cr;
          break;
        }
        if (!begun_) begin(c, out);
        if (c == '.') pass(".", out);
        after_cr_ = false;
        at_ = At::in_line;
        break;

      case At::after_dot_cr:
        if (c == '\n') {
          if (!begun_) begin(c, out);
          fields_.finish(out);
          return {next + 1, Status::end};
        }
        [[fallthrough]];

      case At::first_cr:
        if (!begun_) begin(c == '\n' ? c : '\r', out);
        pass("\r", out);
        after_cr_ = true;
        at_ = At::in_line;
        break;

      case At::in_line: {
        const char* rest = content.data() + next;
        const auto* lf = static_cast<const char*>(std::memchr(rest, '\n', content.size() - next));
        if (lf == nullptr) {
          next = content.size();
          after_cr_ = content.back() == '\r';
          break;
        }
        if (lf == rest ? !after_cr_ : lf[-1] != '\r') {
          next = lf - content.data();
          pass_run();
          return {next, Status::bare_lf};
        }
        next += lf - rest + 1;
        at_ = At::start_of_line;
        break;
      }
    }
  }
  pass_run();
  return {next, Status::more};
}

}  // namespace spf
