#include "tubing/sim/detail/state_space.h"

#include <algorithm>
#include <bit>

namespace tubing::sim::detail {
namespace {

constexpr std::size_t kKeptMin = std::size_t{1} << 10;
constexpr std::size_t kKeptMax = std::size_t{1} << 20;
constexpr std::size_t kKeptPerOperation = 16;

}  // namespace

StateSpace::StateSpace(std::size_t operations)
    : kept_(std::bit_ceil(std::clamp(operations * kKeptPerOperation, kKeptMin, kKeptMax))) {}

void StateSpace::take_hints(Hints hints) {
  hints_ = hints;
  std::ranges::fill(kept_, Kept{});
}

}  // namespace tubing::sim::detail
