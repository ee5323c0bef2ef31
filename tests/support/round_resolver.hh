// A Resolver that counts round trips, for tests without a clock: whenever
// somebody waits, all the questions that are out are answered at once.
#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/fake_resolver.hh"

class RoundResolver : public FakeResolver {
 public:
  void prefetch(std::string_view name, spf::RrType type, Follow follow = {}) override {
    const Key key = key_of(name, type);
    prefetched.push_back(key);
    if (answered_.contains(key)) {
      if (follow) follow(FakeResolver::lookup(name, type));
      return;
    }
    send(key);
    if (follow) followers_.push_back({key, std::move(follow)});
  }

  const spf::Answer& lookup(std::string_view name, spf::RrType type) override {
    const Key key = key_of(name, type);
    if (spf::is_dns_name(key.first)) {
      if (!answered_.contains(key)) send(key);
      while (!answered_.contains(key)) answer();
    }
    return FakeResolver::lookup(name, type);
  }

  // For each round the questions that were out when somebody waited and that were
  // new, in order of the alphabet, as in "A mail.example, MX example.org".
  std::vector<std::string> rounds() const {
    std::vector<std::string> texts;
    for (std::vector<std::string> round : rounds_) {
      std::sort(round.begin(), round.end());
      std::string text;
      for (const std::string& question : round) text += (text.empty() ? "" : ", ") + question;
      texts.push_back(std::move(text));
    }
    return texts;
  }

  // What was sent and for which nobody has waited.
  std::size_t left_out() const { return out_.size(); }

 private:
  static std::string text_of(const Key& key) {
    const char* const type = key.second == spf::RrType::a      ? "A "
                             : key.second == spf::RrType::aaaa ? "AAAA "
                             : key.second == spf::RrType::mx   ? "MX "
                             : key.second == spf::RrType::txt  ? "TXT "
                                                               : "PTR ";
    return type + key.first;
  }

  void send(const Key& key) {
    if (spf::is_dns_name(key.first) && sent_.insert(key).second) out_.push_back(key);
  }

  void answer() {
    std::vector<std::string> round;
    const std::vector<Key> arrived = std::exchange(out_, {});
    for (const Key& key : arrived) round.push_back(text_of(key));
    rounds_.push_back(std::move(round));
    answered_.insert(arrived.begin(), arrived.end());
    for (const Key& key : arrived) {
      std::vector<Follow> follows;
      std::erase_if(followers_, [&](auto& follower) {
        if (follower.first != key) return false;
        follows.push_back(std::move(follower.second));
        return true;
      });
      for (const Follow& follow : follows) follow(FakeResolver::lookup(key.first, key.second));
    }
  }

  std::set<Key> sent_, answered_;
  std::vector<Key> out_;
  std::vector<std::pair<Key, Follow>> followers_;
  std::vector<std::vector<std::string>> rounds_;
};
