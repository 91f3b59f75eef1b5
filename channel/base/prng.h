// Prng: order, jitter and ids. Never key material; that comes from crypto::Entropy.
#pragma once

#include <array>
#include <cstdint>

namespace tubing {

/// A generator of 64-bit numbers whose every draw follows from its seed, on any build.
///
/// Source: Blackman and Vigna, "Scrambled linear pseudorandom number generators", xoshiro256++;
/// a 64-bit seed is spread by splitmix64.
class Prng {
 public:
  using Seed = std::array<std::uint64_t, 4>;

  /// An all-zero seed, which xoshiro cannot leave, is treated as Prng(std::uint64_t{0}).
  explicit Prng(const Seed& seed);
  explicit Prng(std::uint64_t seed);

  std::uint64_t next() {
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound). Requires: bound > 0.
  /// Source: Lemire, "Fast random integer generation in an interval", without the rejection step
  /// for bounds below 2^32, whose bias is under 2^-32.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

  /// Tells where in its stream it is: alike for two that have drawn the same, as good as never for
  /// two that have not. Draws nothing.
  std::uint64_t position() const { return state_[0]; }

  /// True in `numerator` of `denominator` draws. Requires: denominator > 0.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

  std::array<std::uint64_t, 4> state_;
};

}  // namespace tubing
