#include "spf/proxy/evaluator.hh"

#include <cstdint>
#include <cstring>

namespace spf {
namespace {

void put_number(std::string& out, std::uint32_t number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

class Source {
 public:
  explicit Source(std::string_view octets) : octets_(octets) {}

  std::uint32_t number() {
    std::uint32_t value = 0;
    const std::string_view octets = take(sizeof value);
    std::memcpy(&value, octets.data(), octets.size());
    return value;
  }
  std::string text() { return std::string(take(number())); }
  // Whether exactly all of it was taken.
  bool exact() const { return good_ && octets_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (count > octets_.size()) {
      good_ = false;
      count = 0;
    }
    const std::string_view taken = octets_.substr(0, count);
    octets_.remove_prefix(count);
    return taken;
  }

  std::string_view octets_;
  bool good_ = true;
};

void put_verdict(std::string& out, const Verdict& verdict) {
  put_number(out, static_cast<std::uint32_t>(verdict.result));
  put_number(out, static_cast<std::uint32_t>(verdict.identity));
  put_number(out, verdict.mechanism.has_value());
  put_number(out, verdict.local_policy);
  put_number(out, verdict.domains_own_words);
  put_number(out, verdict.lookups);
  put_number(out, verdict.voids);
  put_number(out, verdict.milliseconds);
  put_text(out, verdict.domain);
  put_text(out, verdict.mechanism.value_or(std::string()));
  put_text(out, verdict.problem);
  put_text(out, verdict.explanation);
}

std::optional<Verdict> take_verdict(Source& source) {
  const std::uint32_t result = source.number();
  const std::uint32_t identity = source.number();
  if (result > static_cast<std::uint32_t>(Result::temperror) ||
      identity > static_cast<std::uint32_t>(Identity::helo))
    return {};
  Verdict verdict;
  verdict.result = static_cast<Result>(result);
  verdict.identity = static_cast<Identity>(identity);
  const bool has_mechanism = source.number() != 0;
  verdict.local_policy = source.number() != 0;
  verdict.domains_own_words = source.number() != 0;
  verdict.lookups = source.number();
  verdict.voids = source.number();
  verdict.milliseconds = source.number();
  verdict.domain = source.text();
  std::string mechanism = source.text();
  if (has_mechanism) verdict.mechanism = std::move(mechanism);
  verdict.problem = source.text();
  verdict.explanation = source.text();
  return verdict;
}

}  // namespace

std::string encode(const Judgement& judgement) {
  std::string out;
  put_number(out, judgement.helo.has_value());
  put_verdict(out, judgement.verdict);
  if (judgement.helo) put_verdict(out, *judgement.helo);
  return out;
}

std::optional<Judgement> decode(std::string_view octets) {
  Source source(octets);
  const bool has_helo = source.number() != 0;
  std::optional<Verdict> verdict = take_verdict(source);
  if (!verdict) return {};
  Judgement judgement = *std::move(verdict);
  if (has_helo) {
    judgement.helo = take_verdict(source);
    if (!judgement.helo || judgement.helo->identity != Identity::helo ||
        judgement.verdict.identity != Identity::mailfrom)
      return {};
  }
  if (!source.exact()) return {};
  return judgement;
}

Evaluator::Evaluator(const Query& query, const CheckOptions& options,
                     const SealedAddresses& name_servers, std::chrono::seconds time,
                     Check* check)
    : WalledCheck(name_servers, time,
                  [&](Resolver& resolver) { return encode(check(query, options, resolver)); }) {}

std::optional<CheckAnswer> Evaluator::read(const CheckAnswer& otherwise) {
  switch (process_.read()) {
    case WalledProcess::State::working: return {};
    case WalledProcess::State::died: complaint_ = "SPF check " + process_.end(); break;
    case WalledProcess::State::done:
      if (!process_.has_filter()) complaint_ = "SPF check without seccomp: the kernel has none";
      if (auto judgement = decode(process_.take_text())) return *std::move(judgement);
      complaint_ = "SPF check gave no verdict";
  }
  return otherwise;
}

}  // namespace spf
