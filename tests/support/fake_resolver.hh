// A Resolver whose zone is a table in memory, for tests without a network.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spf/resolver.hh"

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
  void trouble(std::string_view name, spf::RrType type) {
    add(name, type).status = spf::Answer::Status::trouble;
  }

  void prefetch(std::string_view name, spf::RrType type, Follow follow = {}) override {
    prefetched.push_back({lower(name), type});
    if (follow) follow(find(lower(name), type));
  }

  const spf::Answer& lookup(std::string_view name, spf::RrType type) override {
    looked_up.push_back({lower(name), type});
    return find(lower(name), type);
  }

  std::vector<Key> prefetched, looked_up;  // in order, with repetitions

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

  const spf::Answer& find(const std::string& name, spf::RrType type) const {
    static const auto of = [](spf::Answer::Status status) {
      spf::Answer answer;
      answer.status = status;
      return answer;
    };
    static const spf::Answer no_name = of(spf::Answer::Status::no_name);
    static const spf::Answer no_data = of(spf::Answer::Status::no_data);
    if (const auto found = zone_.find({name, type}); found != zone_.end()) return found->second;
    for (const auto& [key, answer] : zone_)
      if (key.first == name) return no_data;
    return no_name;
  }

  std::map<Key, spf::Answer> zone_;
};
