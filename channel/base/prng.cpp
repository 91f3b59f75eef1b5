#include "tubing/channel/base/prng.h"

namespace tubing {
namespace {

std::array<std::uint64_t, 4> spread(std::uint64_t seed) {
  std::array<std::uint64_t, 4> state{};
  for (std::uint64_t& word : state) {
    seed += 0x9e3779b97f4a7c15;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
  return state;
}

}  // namespace

Prng::Prng(std::uint64_t seed) : state_(spread(seed)) {}

Prng::Prng(const Seed& seed) : state_(seed == Seed{} ? spread(0) : seed) {}

}  // namespace tubing
