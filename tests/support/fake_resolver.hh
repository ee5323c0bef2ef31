// A Resolver whose zone is a table in memory, for tests without a network. It
// asks as much as a check may, and says so of what is over that.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spf/engine/limits.hh"
#include "spf/dns/resolver.hh"

class FakeResolver : public spf::Resolver {
 public:
  using Key = std::pair<std::string, spf::RrType>;

  // Each adds one record; a name that has any record exists.
  void a(std::string_view name, std::string_view address) {
    add(name, spf::RrType::a).addresses.push_back(spf::Address::parse(address).value());
  }
  void aaaa(std::string_view name, std::string_view address) {
    add(name, spf::RrType::aaaa).addresses.push_back(spf::Address::parse(address).value());
  }
  void txt(std::string_view name, std::string_view text) {
    add(name, spf::RrType::txt).texts.emplace_back(text);
  }
  void mx(std::string_view name, std::string_view exchange) {
    add(name, spf::RrType::mx).texts.emplace_back(exchange);
  }
  void ptr(std::string_view name, std::string_view target) {
    add(name, spf::RrType::ptr).texts.emplace_back(target);
  }
  // An alias is followed, a question for each link.
  void cname(std::string_view name, std::string_view target) { aliases_[lower(name)] = lower(target); }
  void trouble(std::string_view name, spf::RrType type) {
    add(name, type).status = spf::Answer::Status::trouble;
  }

  void prefetch(std::string_view name, spf::RrType type, Follow follow = {}) override {
    prefetched.push_back({lower(name), type});
    const spf::Answer& answer = find(lower(name), type);
    if (follow) follow(answer);
  }

  const spf::Answer& lookup(std::string_view name, spf::RrType type) override {
    looked_up.push_back({lower(name), type});
    return find(lower(name), type);
  }

  std::vector<Key> prefetched, looked_up;  // in order, with repetitions

  // What a name server would have been asked, links of aliases included.
  unsigned questions() const { return questions_; }

 protected:
  static Key key_of(std::string_view name, spf::RrType type) { return {lower(name), type}; }

 private:
  static std::string lower(std::string_view name) {
    std::string result(name);
    if (result.ends_with('.')) result.pop_back();
    for (char& c : result)
      if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    return result;
  }

  spf::Answer& add(std::string_view name, spf::RrType type) {
    spf::Answer& answer = zone_[{lower(name), type}];
    answer.status = spf::Answer::Status::ok;
    return answer;
  }

  const spf::Answer& find(const std::string& name, spf::RrType type) {
    const auto [place, is_new] = answers_.try_emplace({name, type});
    if (is_new) place->second = ask(name, type);
    return place->second;
  }

  spf::Answer ask(std::string name, spf::RrType type) {
    for (unsigned links = 0; links < 9; ++links) {
      if (spf::is_dns_name(name)) {
        if (questions_ == spf::Limits::most_questions) {
          spf::Answer answer;
          answer.over_bound = true;
          return answer;
        }
        ++questions_;
      }
      const auto alias = aliases_.find(name);
      if (alias == aliases_.end()) return look_into_zone(name, type);
      name = alias->second;
    }
    return {};
  }

  const spf::Answer& look_into_zone(const std::string& name, spf::RrType type) const {
    static const auto of = [](spf::Answer::Status status) {
      spf::Answer answer;
      answer.status = status;
      return answer;
    };
    static const spf::Answer no_name = of(spf::Answer::Status::no_name);
    static const spf::Answer no_data = of(spf::Answer::Status::no_data);
    if (const auto found = zone_.find({name, type}); found != zone_.end()) return found->second;
    const auto other = zone_.lower_bound({name, spf::RrType{}});
    return other != zone_.end() && other->first.first == name ? no_data : no_name;
  }

  std::map<Key, spf::Answer> zone_, answers_;
  std::map<std::string, std::string> aliases_;
  unsigned questions_ = 0;
};
