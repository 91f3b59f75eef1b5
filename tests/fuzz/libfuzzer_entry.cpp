// What libFuzzer calls: the one target that the build names for this program.
#include <cstdint>

#include "tests/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tubing::fuzz::TUBING_FUZZ_TARGET().run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
