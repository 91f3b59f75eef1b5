#include "tubing/sim/seeded_entropy.h"

#include <doctest/doctest.h>

#include <array>

using tubing::Prng;
using tubing::sim::SeededEntropy;

TEST_CASE("seeded entropy follows from its seed and goes on from draw to draw") {
  std::array<std::byte, 13> first{};
  std::array<std::byte, 13> again{};
  std::array<std::byte, 13> other{};
  SeededEntropy entropy(Prng(7));
  entropy.fill(first);
  SeededEntropy(Prng(7)).fill(again);
  SeededEntropy(Prng(8)).fill(other);
  CHECK(first == again);
  CHECK(first != other);
  CHECK(first[12] != std::byte{0});
  entropy.fill(again);
  CHECK(first != again);
}
