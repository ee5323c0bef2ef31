// One libFuzzer program: FUZZ is the name of what it runs (fuzz.hh). A Broken
// that gets out ends it, which libFuzzer reports as a crash.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/fuzz.hh"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::FUZZ({reinterpret_cast<const char*>(data), size});
  return 0;
}
