#include "spf/explain/answer_text.hh"

#include "spf/engine/record.hh"
#include "spf/explain/record_cost.hh"

namespace spf {
namespace {

constexpr std::size_t most_shown = 12;  // addresses or names of a set

std::string_view type_name(RrType type) {
  switch (type) {
    case RrType::a: return "A";
    case RrType::ptr: return "PTR";
    case RrType::mx: return "MX";
    case RrType::txt: return "TXT";
    case RrType::aaaa: break;
  }
  return "AAAA";
}

// Items with commas between them, and how many were left out.
class List {
 public:
  void add(const std::string& item) {
    if (++count_ > most_shown) return;
    if (count_ > 1) text_ += ", ";
    text_ += item;
  }
  std::string text() const {
    if (count_ <= most_shown) return text_;
    return text_ + ", and " + std::to_string(count_ - most_shown) + " more";
  }

 private:
  std::string text_;
  std::size_t count_ = 0;
};

std::string answer_text(RrType type, const Answer& answer, AnswerText::Texts texts) {
  switch (answer.status) {
    case Answer::Status::no_name: return "no such name";
    case Answer::Status::no_data: return "no such record";
    case Answer::Status::trouble:
      return answer.over_bound ? "not asked, too much was asked already" : "no usable answer";
    case Answer::Status::ok: break;
  }
  if (type == RrType::txt && texts == AnswerText::Texts::count) {
    const auto found = select_record(answer.texts).count;
    if (found > 1) return counted(unsigned(found), "SPF record");
    const std::string records = counted(unsigned(answer.texts.size()), "record");
    return found == 1 ? records : records + ", none of them for SPF";
  }
  List list;
  for (const Address& address : answer.addresses) list.add(address.text());
  for (const std::string& text : answer.texts)
    list.add(type == RrType::txt ? '"' + text + '"' : text.empty() ? "." : text);
  return list.text();
}

}  // namespace

std::string AnswerText::line(std::string_view name, RrType type, const Answer& answer, Texts texts) {
  std::string result(name);
  result += ' ';
  result += type_name(type);
  if (!is_dns_name(name)) return result + ": no name that DNS can carry, not asked";
  result += ": " + answer_text(type, answer, texts);
  const bool is_new = asked_.insert({std::string(name), type}).second;
  return result + (is_new ? " (" + std::to_string(answer.milliseconds) + " ms)" : " (known)");
}

}  // namespace spf
