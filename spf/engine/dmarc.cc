#include "spf/engine/dmarc.hh"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "spf/base/ascii.hh"
#include "spf/base/dns_name.hh"

namespace spf {

namespace {

constexpr std::string_view prefix = "_dmarc.";
constexpr std::ptrdiff_t most_above = 7;  // labels of a name that is not the first

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view blanks = " \t";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

struct Tag {
  std::string_view name, value;
};

// Takes a tag and the semicolon behind it off `text`.
Tag take_tag(std::string_view& text) {
  const std::string_view tag = text.substr(0, text.find(';'));
  text.remove_prefix(std::min(tag.size() + 1, text.size()));
  const auto equals = std::min(tag.find('='), tag.size());
  return {without_blanks(tag.substr(0, equals)),
          without_blanks(tag.substr(std::min(equals + 1, tag.size())))};
}

std::optional<DmarcPolicy> policy_of(std::string_view value) {
  for (const auto policy : {DmarcPolicy::none, DmarcPolicy::quarantine, DmarcPolicy::reject})
    if (equal_ignoring_case(value, name(policy))) return policy;
  return {};
}

// A tag whose value is a policy.
struct PolicyTag {
  bool given = false, good = true;
  std::optional<DmarcPolicy> policy;

  void take(std::string_view value) {
    policy = policy_of(value);
    good = !std::exchange(given, true) && policy;
  }
};

DmarcPolicy lowered(DmarcPolicy policy) {
  return policy == DmarcPolicy::reject ? DmarcPolicy::quarantine : DmarcPolicy::none;
}

// The record among a name's TXT records; of several none counts.
std::optional<DmarcRecord> only_record(const std::vector<std::string>& texts) {
  std::optional<DmarcRecord> found;
  for (const std::string& text : texts) {
    const auto record = parse_dmarc_record(text);
    if (record && std::exchange(found, record)) return {};
  }
  return found;
}

}  // namespace

std::string_view name(DmarcPolicy policy) {
  switch (policy) {
    case DmarcPolicy::none: return "none";
    case DmarcPolicy::quarantine: return "quarantine";
    case DmarcPolicy::reject: break;
  }
  return "reject";
}

DmarcPolicy DmarcRecord::policy() const { return testing ? lowered(p) : p; }

DmarcPolicy DmarcRecord::policy_below(bool exists) const {
  const DmarcPolicy asked = !exists && np ? *np : sp.value_or(p);
  return testing ? lowered(asked) : asked;
}

std::optional<DmarcRecord> parse_dmarc_record(std::string_view text) {
  if (text.empty() || lower(text.front()) != 'v') return {};
  const Tag version = take_tag(text);
  if (version.name.size() != 1 || version.value != "DMARC1") return {};
  DmarcRecord record;
  PolicyTag p, sp, np;
  while (!text.empty()) {
    const Tag tag = take_tag(text);
    const auto is = [&](std::string_view name) { return equal_ignoring_case(tag.name, name); };
    if (is("p")) p.take(tag.value);
    if (is("sp")) sp.take(tag.value);
    if (is("np")) np.take(tag.value);
    if (is("t")) record.testing = equal_ignoring_case(tag.value, "y");
    if (is("psd"))
      record.psd = equal_ignoring_case(tag.value, "y")   ? DmarcRecord::Psd::yes
                   : equal_ignoring_case(tag.value, "n") ? DmarcRecord::Psd::no
                                                         : DmarcRecord::Psd::unknown;
  }
  if (!p.policy || !p.good || !sp.good || !np.good) return record;
  record.p = *p.policy;
  record.sp = sp.policy;
  record.np = np.policy;
  return record;
}

std::vector<std::string> dmarc_names(std::string_view domain) {
  std::vector<std::string> names;
  const std::string canonical = canonical_name(domain);
  if (!is_dns_name(canonical) || canonical.starts_with('[')) return names;
  std::string_view rest = canonical;
  for (auto labels = 1 + std::count(rest.begin(), rest.end(), '.');;) {
    names.push_back(std::string(prefix).append(rest));
    if (labels == 1) return names;
    const auto fewer = std::min(labels - 1, most_above);
    for (; labels > fewer; --labels) rest.remove_prefix(rest.find('.') + 1);
  }
}

DmarcFinding find_dmarc_policy(const std::string& domain, Resolver& resolver, Trace& trace) {
  const auto ask = [&](const std::string& name) -> const Answer& {
    const Answer& answer = resolver.lookup(name, RrType::txt);
    trace.question(name, RrType::txt, answer);
    return answer;
  };
  const DmarcFinding trouble{{}, DmarcPolicy::none, true};
  const std::vector<std::string> names = dmarc_names(domain);
  const auto domain_of = [&](std::size_t at) { return names[at].substr(prefix.size()); };
  std::optional<DmarcRecord> record;
  std::size_t place = 0;  // in `names`, of `record`
  for (std::size_t at = 0; at < names.size(); ++at) {
    const Answer& answer = ask(names[at]);
    if (answer.status == Answer::Status::trouble) return trouble;
    const auto found = only_record(answer.texts);
    if (!found) continue;
    if (at == 0) return {domain_of(at), found->policy(), false};
    // Section 4.10.2: what a public suffix has counts only where the domain one
    // label below it has nothing; else the one with the fewest labels.
    if (found->psd == DmarcRecord::Psd::yes && record && place + 1 == at) break;
    record = found;
    place = at;
    if (found->psd != DmarcRecord::Psd::unknown) break;
  }
  if (!record) return {};
  bool exists = true;
  if (record->np) {
    const Answer& answer = ask(domain);
    if (answer.status == Answer::Status::trouble) return trouble;
    exists = answer.status != Answer::Status::no_name;
  }
  return {domain_of(place), record->policy_below(exists), false};
}

}  // namespace spf
