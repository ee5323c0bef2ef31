// The octets of a fuzzer as a source of decisions. Where they have run out
// every number is 0 and every text "".
#pragma once

#include <string>
#include <string_view>

namespace fuzz {

class Input {
 public:
  explicit Input(std::string_view data) : data_(data) {}

  bool empty() const { return data_.empty(); }
  unsigned octet() { return data_.empty() ? 0 : static_cast<unsigned char>(take(1)[0]); }
  unsigned number() {  // of two octets
    const unsigned high = octet();
    return high << 8 | octet();
  }
  std::string_view take(std::size_t size) {
    const auto taken = data_.substr(0, size);
    data_.remove_prefix(taken.size());
    return taken;
  }
  std::string text() { return std::string(take(octet())); }
  std::string long_text() { return std::string(take(number())); }

 private:
  std::string_view data_;
};

}  // namespace fuzz
