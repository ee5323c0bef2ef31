// What make fuzz does for long, for a moment: the corpora, and what a seeded
// generator makes of them, always the same.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/catch.hh"
#include "tests/fuzz/fuzz.hh"
#include "tests/support/process.hh"

namespace {

using Target = void (*)(std::string_view);

std::vector<std::string> corpus(const std::string& name) {
  std::map<std::string, std::string> files;  // in an order of their own
  for (const auto& entry : std::filesystem::directory_iterator("tests/fuzz/corpus/" + name)) {
    std::ifstream file(entry.path(), std::ios::binary);
    files[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(file), {});
  }
  std::vector<std::string> inputs;
  for (auto& [path, content] : files) inputs.push_back(std::move(content));
  return inputs;
}

class Generator {
 public:
  explicit Generator(const std::vector<std::string>& from) : from_(from) {}

  // One of the corpus, changed in a few places.
  std::string next() {
    std::string text = from_[below(from_.size())];
    for (std::size_t changes = 1 + below(8); changes > 0; --changes) change(text);
    return text;
  }

 private:
  std::size_t below(std::size_t bound) { return engine_() % bound; }

  void change(std::string& text) {
    const std::size_t at = below(text.size() + 1), length = std::min(below(16), text.size() - at);
    const std::string& other = from_[below(from_.size())];
    const std::size_t start = below(other.size() + 1);
    switch (below(5)) {
      case 0: text.erase(at, length); break;
      case 1: text.insert(at, 1, char(engine_())); break;
      case 2: text.insert(at, other, start, below(32)); break;
      case 3: text.insert(at, std::string(text, at, length)); break;
      default:
        if (at < text.size()) text[at] = char(engine_());
    }
  }

  const std::vector<std::string>& from_;
  std::mt19937_64 engine_{20080428};
};

std::string in_hex(const std::string& text) {
  std::string result;
  for (const unsigned char octet : text)
    for (const unsigned digit : {octet / 16, octet % 16}) result += "0123456789abcdef"[digit];
  return result;
}

// "", or what broke, and on what input.
std::string run(Target target, const std::string& input) {
  try {
    target(input);
    return {};
  } catch (const fuzz::Broken& broken) {
    return std::string(broken.what()) + ": " + in_hex(input);
  }
}

}  // namespace

TEST_CASE("what is fuzzed keeps its word on the corpora and near them") {
  const struct { const char* name; Target target; unsigned inputs; } targets[] = {
      {"session", fuzz::session, 8000}, {"path", fuzz::path, 10000},
      {"reply", fuzz::reply, 3000},     {"header", fuzz::header, 10000},
      {"record", fuzz::record, 10000},  {"engine", fuzz::engine, 2000},
      {"message", fuzz::message, 10000},   {"fields", fuzz::fields, 8000},
      {"exemption", fuzz::exemption, 2000},
      {"log", fuzz::log, 2000},
  };
  for (const auto& t : targets) {
    const std::vector<std::string> inputs = corpus(t.name);
    REQUIRE_FALSE(inputs.empty());
    std::string broken;
    for (std::size_t i = 0; i < inputs.size() && broken.empty(); ++i) broken = run(t.target, inputs[i]);
    Generator generator(inputs);
    const unsigned count = test::sanitized() ? t.inputs / 4 : t.inputs;  // make fuzz has them too
    for (unsigned i = 0; i < count && broken.empty(); ++i) broken = run(t.target, generator.next());
    INFO(t.name);
    CHECK(broken == "");
  }
}
